//! Breaking prose into lines by the width that is seen: a Hangul syllable takes two columns.

use unicode_width::UnicodeWidthStr;

/// The text in lines of at most `columns`, broken at blanks. A word that is longer stands alone.
pub(super) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.width() + 1 + word.width() <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_filled_by_what_is_seen() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("토큰을 본 사람", 9), ["토큰을 본", "사람"]);
        assert_eq!(wrap("토큰을 본 사람", 8), ["토큰을", "본 사람"]);
        assert_eq!(wrap("extraordinary x", 5), ["extraordinary", "x"]);
        assert_eq!(wrap("", 5), [""; 0]);
    }
}
