//! Where a command reads and writes: the terminal, or a test's buffers.

use super::terminal::Terminal;
use std::io::{self, BufRead, Read as _, Write};

/// Standard input, output and error of one command.
pub(super) struct Streams<'s> {
    /// What `-` reads.
    pub(super) input: &'s mut dyn BufRead,
    /// The answer, and nothing else.
    pub(super) out: &'s mut dyn Write,
    /// Refusals and advice.
    pub(super) err: &'s mut dyn Write,
    /// What the person sits before.
    pub(super) terminal: &'s Terminal,
}

/// A line of input. One that cannot be a token still takes its place, so that answers and lines stay side by side.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// The line without its ending.
    Text(String),
    /// Not UTF-8.
    NotText,
    /// Longer than the limit; the rest of it has been skipped.
    TooLong,
}

impl Streams<'_> {
    /// Longest line that is kept.
    pub(super) const LINE_BYTES_MAX: usize = 256 * 1024;

    /// The next line of input, or `None` at the end.
    pub(super) fn next_line(&mut self) -> io::Result<Option<Line>> {
        let mut line = Vec::new();
        let limit = Self::LINE_BYTES_MAX + 2; // room for the line ending
        let read = (&mut self.input).take(limit as u64).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(None);
        }
        if line.last() == Some(&b'\n') {
            line.pop();
            if line.last() == Some(&b'\r') {
                line.pop();
            }
        } else if read == limit {
            self.skip_line()?;
        }
        if line.len() > Self::LINE_BYTES_MAX {
            return Ok(Some(Line::TooLong));
        }
        Ok(Some(String::from_utf8(line).map_or(Line::NotText, Line::Text)))
    }

    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let buffer = self.input.fill_buf()?;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let used = end.map_or(buffer.len(), |place| place + 1);
            let is_over = end.is_some() || buffer.is_empty();
            self.input.consume(used);
            if is_over {
                return Ok(());
            }
        }
    }

    /// All of the input as text, up to the limit of a line.
    pub(super) fn read_all(&mut self) -> io::Result<String> {
        let mut text = String::new();
        let read = (&mut self.input).take(Self::LINE_BYTES_MAX as u64 + 1).read_to_string(&mut text)?;
        if read > Self::LINE_BYTES_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the input is longer than 256 KiB"));
        }
        Ok(text)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Runs a command on text and returns its status, output and error output.
    pub(in crate::cli) fn with_input(
        input: impl AsRef<[u8]>,
        command: impl FnOnce(&mut Streams<'_>) -> io::Result<u8>,
    ) -> (u8, String, String) {
        with_input_on(&Terminal::plain(), input, command)
    }

    /// As [`with_input`], before another terminal.
    pub(in crate::cli) fn with_input_on(
        terminal: &Terminal,
        input: impl AsRef<[u8]>,
        command: impl FnOnce(&mut Streams<'_>) -> io::Result<u8>,
    ) -> (u8, String, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut input = input.as_ref();
        let status = command(&mut Streams { input: &mut input, out: &mut out, err: &mut err, terminal }).unwrap();
        (status, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
    }

    fn lines(input: &[u8]) -> Vec<Line> {
        let mut found = Vec::new();
        with_input(input, |streams| {
            while let Some(line) = streams.next_line()? {
                found.push(line);
            }
            Ok(0)
        });
        found
    }

    #[test]
    fn lines_keep_their_places() {
        let text = |text: &str| Line::Text(text.to_owned());
        assert_eq!(lines(b""), []);
        assert_eq!(lines(b"a\r\n\n b \nc"), [text("a"), text(""), text(" b "), text("c")]);
        assert_eq!(lines(b"\xff\na\n"), [Line::NotText, text("a")]);
        let max = Streams::LINE_BYTES_MAX;
        for (length, ending, expected) in
            [(max, "\n", 1), (max, "\r\n", 1), (max, "", 1), (max + 1, "\n", 0), (max + 9, "\n", 0), (3 * max, "\n", 0)]
        {
            let input = format!("{}{ending}{}", "x".repeat(length), if ending.is_empty() { "" } else { "after" });
            let found = lines(input.as_bytes());
            let kept = found.iter().filter(|line| matches!(line, Line::Text(text) if text.len() == max)).count();
            assert_eq!(kept, expected, "{length} {ending:?}");
            assert!(ending.is_empty() || found.len() == 2 && found[1] == text("after"), "{length} {ending:?}");
        }
    }
}
