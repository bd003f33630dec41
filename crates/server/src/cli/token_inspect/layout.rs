//! The explanation on the screen: columns that line up in every script, and colours where they help.

use super::super::wrap::wrap;
use super::account::{Account, Entry};
use super::speaker::Speaker;
use super::text::Text;
use clap::builder::styling::{AnsiColor, Style};
use serde_json::Value;
use std::io::{self, Write};
use unicode_width::UnicodeWidthStr;

/// Values wider than this have their meaning on the next line. A thumbprint in quotes has 45 columns.
const VALUE_WIDTH_MAX: usize = 28;

const TITLE: Style = Style::new().bold();
const NAME: Style = AnsiColor::Cyan.on_default();
const TEXT: Style = AnsiColor::Green.on_default();
const NUMBER: Style = AnsiColor::Yellow.on_default();
const OTHER: Style = AnsiColor::Magenta.on_default();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const PLAIN: Style = Style::new();

/// Writes the explanation.
pub(super) struct Layout<'l> {
    pub(super) out: &'l mut dyn Write,
    pub(super) speaker: &'l Speaker,
    pub(super) colors: bool,
    pub(super) columns: usize,
}

impl Layout<'_> {
    /// All of it.
    pub(super) fn write(&mut self, account: &Account) -> io::Result<()> {
        for line in wrap(self.speaker.say(Text::NotVerified), self.columns) {
            let line = self.paint(WARNING, &line);
            writeln!(self.out, "{line}")?;
        }
        writeln!(self.out, "{}", self.speaker.say(Text::HowToVerify))?;
        self.title(self.speaker.say(Text::Header))?;
        self.entries(&account.header)?;
        if let Some(claims) = &account.claims {
            self.title(self.speaker.say(Text::Claims))?;
            self.entries(claims)?;
        } else {
            self.title(&self.counted(Text::Payload, account.payload_bytes))?;
        }
        self.title(&self.counted(Text::Signature, account.signature_bytes))?;
        if !account.warnings.is_empty() {
            self.title(self.speaker.say(Text::Mind))?;
            for warning in &account.warnings {
                let mark = self.paint(WARNING, "-");
                let lines = wrap(warning, self.columns.saturating_sub(4)).join("\n    ");
                writeln!(self.out, "  {mark} {lines}")?;
            }
        }
        Ok(())
    }

    fn counted(&self, text: Text, bytes: usize) -> String {
        self.speaker.fill(text, &[("bytes", &bytes.to_string())])
    }

    fn title(&mut self, title: &str) -> io::Result<()> {
        let title = self.paint(TITLE, title);
        writeln!(self.out, "\n{title}")
    }

    fn entries(&mut self, entries: &[Entry]) -> io::Result<()> {
        if entries.is_empty() {
            return writeln!(self.out, "  {}", self.speaker.say(Text::Nothing));
        }
        let name_width = entries.iter().map(|entry| entry.name.width()).max().unwrap_or(0);
        let value_widths = entries.iter().map(|entry| entry.value_text().width());
        let value_width = value_widths.filter(|width| *width <= VALUE_WIDTH_MAX).max().unwrap_or(0);
        for entry in entries {
            let value = entry.value_text();
            // Painted text has invisible characters in it, so the blanks are counted by what is seen.
            let name_gap = " ".repeat(name_width - entry.name.width() + 2);
            let name = self.paint(NAME, &entry.name);
            let painted = self.paint(style_of(&entry.value), &value);
            write!(self.out, "  {name}{name_gap}{painted}")?;
            match value_width.checked_sub(value.width()) {
                _ if entry.meaning.is_empty() => writeln!(self.out)?,
                Some(gap) => writeln!(self.out, "{}  {}", " ".repeat(gap), entry.meaning)?,
                None => writeln!(self.out, "\n{}{}", " ".repeat(name_width + 4), entry.meaning)?,
            }
        }
        Ok(())
    }

    fn paint(&self, style: Style, text: &str) -> String {
        if self.colors && style != PLAIN { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

const fn style_of(value: &Value) -> Style {
    match value {
        Value::String(_) => TEXT,
        Value::Number(_) => NUMBER,
        Value::Bool(_) | Value::Null => OTHER,
        Value::Array(_) | Value::Object(_) => PLAIN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(entries: &[(&str, Value, &str)], colors: bool) -> String {
        let entry = |(name, value, meaning): &(&str, Value, &str)| Entry {
            name: (*name).to_owned(),
            value: value.clone(),
            meaning: (*meaning).to_owned(),
        };
        let entries: Vec<_> = entries.iter().map(entry).collect();
        let mut out = Vec::new();
        Layout { out: &mut out, speaker: &Speaker::to_program(0), colors, columns: 80 }.entries(&entries).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn columns_line_up_in_every_script() {
        let entries = [("이름", json!("가나다"), "one"), ("name", json!("abc"), "two"), ("n", json!(12), "")];
        assert_eq!(shown(&entries, false), "  이름  \"가나다\"  one\n  name  \"abc\"     two\n  n     12\n");
    }

    #[test]
    fn a_long_value_moves_its_own_meaning_only() {
        let long = "x".repeat(40);
        let entries = [("kid", json!(long), "long"), ("alg", json!("EdDSA"), "short")];
        assert_eq!(shown(&entries, false), format!("  kid  \"{long}\"\n       long\n  alg  \"EdDSA\"  short\n"));
        assert_eq!(shown(&[], false), "  (none)\n");
    }

    #[test]
    fn colours_are_put_around_what_is_seen() {
        let colored = shown(&[("a", json!("b"), "m")], true);
        assert_eq!(colored, "  \u{1b}[36ma\u{1b}[0m  \u{1b}[32m\"b\"\u{1b}[0m  m\n");
    }
}
