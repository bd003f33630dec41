//! Why a configuration is refused, in words for whoever wrote it: which option, where, and what to write instead.

use super::{load::ENVIRONMENT_PREFIX, load::ENVIRONMENT_SEPARATOR, settings::example_of};
use figment::{
    Source,
    error::{Actual, Kind},
};
use std::path::{Path, PathBuf};

/// Why the configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// An option that is unknown or of the wrong type; the text names it, its value's source, and what was expected.
    #[error("{}", explain(.0))]
    Invalid(Box<figment::Error>),
    /// An option whose value is unsafe or contradicts another.
    #[error("{}option `{option}`: {problem}", .place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default())]
    Unsafe {
        /// Which option.
        option: &'static str,
        /// What is wrong with it and what would be right.
        problem: String,
        /// Where its value came from, if that is known: a file with the line, an environment variable, a flag.
        place: Option<String>,
    },
    /// The file that was named does not exist.
    #[error("there is no configuration file {}", .0.display())]
    NoFile(PathBuf),
}

impl ConfigError {
    /// An unsafe option, from nowhere in particular.
    pub(crate) fn of_option(option: &'static str, problem: &str) -> Self {
        Self::Unsafe { option, problem: problem.to_owned(), place: None }
    }

    /// The same with the place where each option came from.
    pub(super) fn at_place(self, place_of: impl Fn(&str) -> Option<String>) -> Self {
        match self {
            Self::Unsafe { option, problem, .. } => Self::Unsafe { option, problem, place: place_of(option) },
            other => other,
        }
    }
}

/// figment's error in the words of our options.
fn explain(error: &figment::Error) -> String {
    let file = match error.metadata.as_ref().and_then(|metadata| metadata.source.as_ref()) {
        Some(Source::File(file)) => Some(file.as_path()),
        _ => None,
    };
    let is_environment = error.metadata.as_ref().is_some_and(|metadata| metadata.name.contains("environment"));
    // The environment spells options in capitals; the file and the documentation do not.
    // Within a list the last part is a number: the option is the list.
    let is_name = |part: &&String| part.parse::<usize>().is_err();
    let mut option = error.path.iter().filter(is_name).cloned().collect::<Vec<_>>().join(".").to_lowercase();
    if let Kind::UnknownField(name, _) = &error.kind {
        // Of an unknown option the path has its section only, or also its name, depending on who found it.
        let section = error
            .path
            .split_last()
            .filter(|(last, _)| *last == name)
            .map_or(error.path.as_slice(), |(_, section)| section);
        option = section.iter().chain([name]).map(|part| part.to_lowercase()).collect::<Vec<_>>().join(".");
    }
    let place = match (file, is_environment) {
        (Some(file), _) => place_in_file(file, &option),
        (None, true) if !option.is_empty() => variable_of(&option),
        (None, _) => "the command line".to_owned(),
    };
    let written = |example: &str| {
        if is_environment {
            format!("{}={}", variable_of(&option), example.trim_matches('"'))
        } else {
            format!("{} = {example}", option.rsplit('.').next().unwrap_or_default())
        }
    };
    let advice = example_of(&option).map(|example| format!("; write for example {}", written(&example)));
    let advice = advice.unwrap_or_default();
    match &error.kind {
        Kind::UnknownField(_, known) => {
            format!("{place}: there is no option `{option}`; here can be: {}", known.join(", "))
        }
        Kind::UnknownVariant(found, known) => {
            format!("{place}: option `{option}`: expected one of {}, found {found}", known.join(", "))
        }
        Kind::InvalidType(_, expected) if expected.starts_with("struct ") => {
            format!("{place}: `{option}` is a section: write [{option}] on a line of its own, and its options below")
        }
        Kind::InvalidType(found, _) | Kind::InvalidValue(found, _) | Kind::Unsupported(found) => {
            let expected = kind_of(example_of(&option).as_deref(), is_environment);
            format!("{place}: option `{option}`: expected {expected}, found {}{advice}", shown(found))
        }
        Kind::Message(message) if option.is_empty() => match file {
            Some(file) => format!("{}{}", file.display(), toml_problem(message)),
            None => format!("{place}: {message}"),
        },
        Kind::Message(message) => format!("{place}: option `{option}`: {message}"),
        other => format!("{place}: option `{option}`: {other}{advice}"),
    }
}

/// `COUNTERFOIL_REFRESH__RETRY_WINDOW`.
pub(super) fn variable_of(option: &str) -> String {
    format!("{ENVIRONMENT_PREFIX}{}", option.replace('.', ENVIRONMENT_SEPARATOR).to_uppercase())
}

fn kind_of(example: Option<&str>, is_environment: bool) -> &'static str {
    match example {
        Some("true" | "false") => "true or false",
        Some(example) if example.starts_with('[') => "a list",
        Some(example) if example.starts_with('"') && is_environment => "text",
        Some(example) if example.starts_with('"') => "text in quotes",
        Some(_) => "a whole number",
        None => "another kind of value",
    }
}

fn shown(found: &Actual) -> String {
    match found {
        Actual::Bool(flag) => flag.to_string(),
        Actual::Unsigned(number) => number.to_string(),
        Actual::Signed(number) => number.to_string(),
        Actual::Float(number) => number.to_string(),
        Actual::Char(character) => format!("\"{}\"", character.escape_debug()),
        Actual::Str(text) => format!("\"{}\"", text.escape_debug()),
        Actual::Seq => "a list".to_owned(),
        Actual::Map => "a section".to_owned(),
        _ => "something else".to_owned(),
    }
}

/// The file, and the line in it that sets the option, where that can be told.
pub(super) fn place_in_file(file: &Path, option: &str) -> String {
    let line = std::fs::read_to_string(file).ok().and_then(|text| line_of(&text, option));
    line.map_or_else(|| file.display().to_string(), |line| format!("{}, line {line}", file.display()))
}

/// The line of a TOML text on which an option, or the section of that name, stands. Figment knows the file only.
fn line_of(text: &str, option: &str) -> Option<usize> {
    let mut section = String::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        let bare = |name: &str| {
            name.split('.').map(|part| part.trim().trim_matches(['"', '\''])).collect::<Vec<_>>().join(".")
        };
        let name = if let Some(header) = line.strip_prefix('[') {
            section = bare(header.split(']').next().unwrap_or_default());
            section.clone()
        } else if let Some((key, _)) = line.split_once('=') {
            if section.is_empty() { bare(key) } else { format!("{section}.{}", bare(key)) }
        } else {
            continue;
        };
        if name.eq_ignore_ascii_case(option) {
            return Some(index + 1);
        }
    }
    None
}

/// `, line 1, column 10: not TOML: invalid string; …` out of a report with an excerpt. Some reports give no reason.
fn toml_problem(message: &str) -> String {
    let place = message.lines().next().and_then(|first| first.split_once("at line "));
    let Some((_, place)) = place else { return format!(": {message}") };
    let reasons = message.lines().skip(1).skip_while(|line| line.contains('|')).map(str::trim);
    let reasons = reasons.filter(|reason| !reason.is_empty()).collect::<Vec<_>>().join("; ");
    let colon = if reasons.is_empty() { "" } else { ": " };
    format!(", line {place}: not TOML{colon}{reasons}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_by_section() {
        let text = "# a file\nlisten = 'x'\n\n[refresh]\nretry_window = '1s' # = here\n[log]\n\"format\" = 'text'\n";
        assert_eq!(line_of(text, "listen"), Some(2));
        assert_eq!(line_of(text, "refresh.retry_window"), Some(5));
        assert_eq!(line_of(text, "refresh"), Some(4));
        assert_eq!(line_of(text, "log.format"), Some(7));
        assert_eq!(line_of(text, "retry_window"), None);
        assert_eq!(line_of("log.format = 'json'", "log.format"), Some(1));
        assert_eq!(line_of("log . format = 'json'", "log.format"), Some(1));
    }

    #[test]
    fn variables() {
        assert_eq!(variable_of("refresh.retry_window"), "COUNTERFOIL_REFRESH__RETRY_WINDOW");
    }
}
