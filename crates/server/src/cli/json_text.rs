//! JSON as text, where parsing and printing it again would change what it says.

/// Takes the white space out of valid JSON, so that it fits on a line. Names, order and numbers stay as they were spelt;
/// what a terminal would act upon is written as the escape that means the same.
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
        if acts_on_terminals(character) {
            // All of them are of the basic plane, and valid JSON has them in strings only.
            compact.extend(format!("\\u{:04x}", u32::from(character)).chars());
        } else {
            compact.push(character);
        }
    }
    compact
}

/// Text from a stranger, made harmless for a terminal: control characters, and those that turn the writing direction
/// around, are shown as escapes.
pub(super) fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for character in text.chars() {
        if acts_on_terminals(character) {
            printable.extend(character.escape_unicode());
        } else {
            printable.push(character);
        }
    }
    printable
}

/// Control characters, those that turn the writing direction around, and line separators.
fn acts_on_terminals(character: char) -> bool {
    let turns_direction = matches!(character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    character.is_control() || turns_direction || matches!(character, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_white_space_outside_strings_goes() {
        let json = "{\r\n \"a b\" : [ 1 , 1.50e3, \"x\\\" y\\\\\" ] ,\t\"c\": {} }";
        assert_eq!(compact(json), r#"{"a b":[1,1.50e3,"x\" y\\"],"c":{}}"#);
        let json = "{ \"a\u{9b}\": \"\u{7f}\u{202e}x\" }";
        assert_eq!(compact(json), r#"{"a\u009b":"\u007f\u202ex"}"#);
    }

    #[test]
    fn a_terminal_is_not_written_to_by_strangers() {
        assert_eq!(
            printable("red \u{1b}[31m, \u{202e}drow, \u{9b}x, 한글"),
            "red \\u{1b}[31m, \\u{202e}drow, \\u{9b}x, 한글"
        );
    }
}
