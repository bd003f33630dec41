//! How answers are shown: tables for people, JSON for programs.

use comfy_table::{Table, presets::NOTHING};
use counterfoil_domain::time::UnixMillis;
use jiff::Timestamp;
use serde::Serialize;
use std::io::{self, Write};

/// A table with these headings and rows.
pub(super) fn table<const N: usize>(headings: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(headings.map(str::to_uppercase));
    for row in rows {
        table.add_row(row);
    }
    // Trailing blanks of the last column would wrap on a narrow terminal.
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// Writes a table, or instead of an empty one a sentence: headings over nothing look like a fault.
pub(super) fn list<const N: usize>(
    out: &mut dyn Write,
    nothing: &str,
    headings: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> io::Result<()> {
    let mut rows = rows.peekable();
    if rows.peek().is_none() { writeln!(out, "{nothing}") } else { write!(out, "{}", table(headings, rows)) }
}

/// Writes a value as one line of JSON.
pub(super) fn json(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    writeln!(out)
}

/// An instant in a table: RFC 3339, whole seconds, UTC. (In JSON it has milliseconds, as over HTTP.)
pub(super) fn time(at: UnixMillis) -> String {
    Timestamp::from_second(at.as_seconds()).map_or_else(|_| "(out of range)".to_owned(), |at| at.to_string())
}

/// What is there, or a dash.
pub(super) fn or_dash(text: Option<&str>) -> String {
    text.unwrap_or("-").to_owned()
}

/// So many of a thing whose plural ends in `s`.
pub(super) fn count(number: usize, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_plain() {
        let shown = table(["id", "name"], [["1".to_owned(), "a".to_owned()], ["22".to_owned(), String::new()]]);
        assert_eq!(shown, " ID  NAME\n 1   a\n 22\n");
        let listed = |rows: Vec<[String; 1]>| {
            let mut out = Vec::new();
            list(&mut out, "nothing", ["id"], rows.into_iter()).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(listed(vec![["1".to_owned()]]), " ID\n 1\n");
        assert_eq!(listed(Vec::new()), "nothing\n");
        assert_eq!([0, 1, 2].map(|number| count(number, "session")), ["0 sessions", "1 session", "2 sessions"]);
        assert_eq!(time(UnixMillis::from_millis(1_999)), "1970-01-01T00:00:01Z");
    }
}
