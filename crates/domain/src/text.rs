//! Texts that people choose and others read.

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// Joins what stands beside it (emoji of several parts; half forms in the scripts of India).
const ZERO_WIDTH_JOINER: char = '\u{200D}';
/// Keeps apart what stands beside it (Persian and others need it within words).
const ZERO_WIDTH_NON_JOINER: char = '\u{200C}';

/// Letters and signs by their category, and nothing to be seen: the fillers of Hangul, the blank of Braille, the
/// grapheme joiner.
const BLANKS: [char; 6] = ['\u{115F}', '\u{1160}', '\u{3164}', '\u{FFA0}', '\u{2800}', '\u{034F}'];

/// Whether a character cannot be seen, or changes how others are shown: controls (Cc), format characters (Cf: zero-width
/// ones, the overrides of direction, tags), line and paragraph separators, private use, and blank letters. With them a
/// text can look like another, or read in another order than it is stored (Unicode Technical Report 36, section 2.10;
/// Unicode Technical Standard 39, section 3).
pub(crate) fn is_hidden(character: char) -> bool {
    use GeneralCategory::{Control, Format, LineSeparator, ParagraphSeparator, PrivateUse, Surrogate};
    matches!(
        character.general_category(),
        Control | Format | LineSeparator | ParagraphSeparator | PrivateUse | Surrogate
    ) || BLANKS.contains(&character)
}

/// The first character of `text` that has no place in a name. The two zero-width joiners have one where they join
/// something: between two characters that can be seen, never at an end, never two in a row.
pub(crate) fn first_misplaced(text: &str) -> Option<char> {
    let mut before = None;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if is_hidden(character) {
            let joins = matches!(character, ZERO_WIDTH_JOINER | ZERO_WIDTH_NON_JOINER);
            let is_seen = |beside: Option<char>| beside.is_some_and(|beside| !is_hidden(beside) && beside != ' ');
            if !joins || !is_seen(before) || !is_seen(characters.peek().copied()) {
                return Some(character);
            }
        }
        before = Some(character);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_all_scripts_are_taken() {
        for name in [
            "민수 Kim",
            "José Ñandú-O’Neil",
            "김\u{3000}민수",
            "می\u{200C}خواهم",
            "ക്\u{200D}ഷ",
            "श्री",
            "محمد",
            "👩\u{200D}💻",
            "👩\u{1F3FD}\u{200D}❤\u{FE0F}\u{200D}👨",
            "Zoë’s laptop (2)",
        ] {
            assert_eq!(first_misplaced(name), None, "{name}");
        }
    }

    #[test]
    fn what_hides_or_reorders_is_found() {
        for (name, found) in [
            ("a\u{200B}b", '\u{200B}'),
            ("\u{202E}gnimda", '\u{202E}'),
            ("a\u{2066}b", '\u{2066}'),
            ("a\u{00AD}b", '\u{00AD}'),
            ("a\u{FEFF}", '\u{FEFF}'),
            ("a\nb", '\n'),
            ("a\u{2028}b", '\u{2028}'),
            ("\u{3164}", '\u{3164}'),
            ("\u{2800}\u{2800}", '\u{2800}'),
            ("a\u{E000}", '\u{E000}'),
            ("a\u{E0041}", '\u{E0041}'),
            ("\u{200D}a", '\u{200D}'),
            ("a\u{200C}", '\u{200C}'),
            ("a\u{200D}\u{200D}b", '\u{200D}'),
            ("a \u{200C}b", '\u{200C}'),
        ] {
            assert_eq!(first_misplaced(name), Some(found), "{name:?}");
        }
    }
}
