//! JSON as text, where parsing and printing it again would change what it says.

/// Takes the white space out of valid JSON, so that it fits on a line. Names, order and numbers stay as they were spelt.
pub(super) fn compact(json: &str) -> String {
    let mut compact = String::with_capacity(json.len());
    let (mut in_string, mut is_escaped) = (false, false);
    for character in json.chars() {
        if in_string {
            in_string = is_escaped || character != '"';
            is_escaped = !is_escaped && character == '\\';
        } else if matches!(character, ' ' | '\t' | '\n' | '\r') {
            continue;
        } else {
            in_string = character == '"';
        }
        compact.push(character);
    }
    compact
}

/// Text from a stranger, made harmless for a terminal: control characters, and those that turn the writing direction
/// around, are shown as escapes.
pub(super) fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for character in text.chars() {
        let turns_direction = matches!(character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if character.is_control() || turns_direction || matches!(character, '\u{2028}' | '\u{2029}') {
            printable.extend(character.escape_unicode());
        } else {
            printable.push(character);
        }
    }
    printable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_white_space_outside_strings_goes() {
        let json = "{\r\n \"a b\" : [ 1 , 1.50e3, \"x\\\" y\\\\\" ] ,\t\"c\": {} }";
        assert_eq!(compact(json), r#"{"a b":[1,1.50e3,"x\" y\\"],"c":{}}"#);
    }

    #[test]
    fn a_terminal_is_not_written_to_by_strangers() {
        assert_eq!(
            printable("red \u{1b}[31m, \u{202e}drow, \u{9b}x, 한글"),
            "red \\u{1b}[31m, \\u{202e}drow, \\u{9b}x, 한글"
        );
    }
}
