//! What the person sits before: their language, their time zone, and whether colours help.

use super::language::Language;
use jiff::tz::TimeZone;
use std::{env, io, io::IsTerminal};

/// What of the surroundings changes how answers look. It never changes what they say.
#[derive(Clone, Debug)]
pub(super) struct Terminal {
    /// Whether to colour: on a terminal that can, unless `NO_COLOR` or `CLICOLOR=0` say otherwise; `CLICOLOR_FORCE` does
    /// so in a pipe as well.
    pub(super) colors: bool,
    /// In which language to explain.
    pub(super) language: Language,
    /// In which zone to tell times.
    pub(super) zone: TimeZone,
    /// Whether somebody types what is read: then they should know that they are waited for.
    pub(super) asks_a_person: bool,
    /// How many columns a line has; a comfortable length where no terminal says so.
    pub(super) columns: usize,
}

/// Longer lines are hard to read, on whatever screen.
const COLUMNS_MAX: usize = 100;

impl Terminal {
    /// The real one.
    pub(super) fn of_process() -> Self {
        Self {
            colors: anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never,
            language: Language::from_environment(|name| env::var(name).ok()),
            // `TZ`, else the system's zone; a machine without either tells times in UTC.
            zone: TimeZone::try_system().unwrap_or(TimeZone::UTC),
            asks_a_person: io::stdin().is_terminal(),
            columns: columns().unwrap_or(COLUMNS_MAX).min(COLUMNS_MAX),
        }
    }

    /// For tests: English, UTC, no colours.
    #[cfg(test)]
    pub(super) fn plain() -> Self {
        let (language, zone) = (Language::English, TimeZone::UTC);
        Self { colors: false, language, zone, asks_a_person: false, columns: COLUMNS_MAX }
    }
}

fn columns() -> Option<usize> {
    let columns = rustix::termios::tcgetwinsize(io::stdout()).ok()?.ws_col;
    Some(usize::from(columns)).filter(|columns| *columns > 0)
}
