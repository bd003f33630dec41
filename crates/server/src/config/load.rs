//! Where options come from, and how to say so.

use super::Config;
use figment::{
    Figment, Source,
    error::Kind,
    providers::{Env, Format, Serialized, Toml},
    value::{Dict, Value},
};
use std::path::PathBuf;

/// Before every environment variable of ours.
const ENVIRONMENT_PREFIX: &str = "COUNTERFOIL_";
/// Between the levels of an option in an environment variable: `COUNTERFOIL_REFRESH__RETRY_WINDOW`.
const ENVIRONMENT_SEPARATOR: &str = "__";
/// Read from the working folder if no other file is named.
const DEFAULT_FILE: &str = "counterfoil.toml";

/// Why the configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// An option that is unknown or of the wrong type; the text names it, its value's source, and what was expected.
    #[error("{}", explain(.0))]
    Invalid(Box<figment::Error>),
    /// An option whose value is unsafe or contradicts another.
    #[error("option `{option}`: {problem}")]
    Unsafe {
        /// Which option.
        option: &'static str,
        /// What is wrong with it and what would be right.
        problem: String,
    },
    /// The file that was named does not exist.
    #[error("there is no configuration file {}", .0.display())]
    NoFile(PathBuf),
}

/// figment's error in the words of our options: which one, from where, what was expected.
fn explain(error: &figment::Error) -> String {
    let source = match &error.metadata {
        Some(metadata) => match &metadata.source {
            Some(Source::File(file)) => file.display().to_string(),
            _ => metadata.name.to_string(),
        },
        None => "the configuration".to_owned(),
    };
    // The environment spells options in capitals; the file and the documentation do not.
    let path = error.path.join(".").to_lowercase();
    match &error.kind {
        Kind::UnknownField(name, known) => {
            let section = path.rsplit_once('.').map_or(String::new(), |(section, _)| format!("{section}."));
            format!(
                "{source}: there is no option `{section}{}`; here can be: {}",
                name.to_lowercase(),
                known.join(", ")
            )
        }
        Kind::InvalidType(found, expected) => {
            let expected = expected.replace("usize", "a whole number").replace("a string", "text in quotes");
            format!("{source}: option `{path}`: expected {expected}, found {found}")
        }
        Kind::Message(message) if path.is_empty() => format!("{source}: {message}"),
        Kind::Message(message) => format!("{source}: option `{path}`: {message}"),
        other => format!("{source}: option `{path}`: {other}"),
    }
}

/// What the command line says.
#[derive(Clone, Debug, Default)]
pub struct ConfigSources {
    /// The file to read; by default `counterfoil.toml` in the working folder, if there is one.
    pub file: Option<PathBuf>,
    /// Options given as flags, by their full names.
    pub flags: Vec<(&'static str, String)>,
}

/// One option as `config show` lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its full name, such as `refresh.retry_window`.
    pub name: String,
    /// Its value, as it would be written in the file.
    pub value: String,
    /// Where the value came from.
    pub source: String,
}

fn figment(sources: &ConfigSources) -> Result<Figment, ConfigError> {
    let file = match &sources.file {
        Some(file) if !file.is_file() => return Err(ConfigError::NoFile(file.clone())),
        Some(file) => Some(file.clone()),
        None => Some(PathBuf::from(DEFAULT_FILE)).filter(|file| file.is_file()),
    };
    let mut figment = Figment::from(Serialized::defaults(Config::default()));
    if let Some(file) = file {
        figment = figment.merge(Toml::file_exact(file));
    }
    figment = figment.merge(Env::prefixed(ENVIRONMENT_PREFIX).split(ENVIRONMENT_SEPARATOR));
    for (name, value) in &sources.flags {
        figment = figment.merge(Serialized::global(name, value));
    }
    Ok(figment)
}

/// Reads and checks the configuration.
///
/// # Errors
/// [`ConfigError`], naming the option and where it came from.
pub fn load(sources: &ConfigSources) -> Result<Config, ConfigError> {
    let config: Config = figment(sources)?.extract().map_err(|error| ConfigError::Invalid(Box::new(error)))?;
    config.check()?;
    Ok(config)
}

/// Every option with its value and where that came from.
///
/// # Errors
/// As [`load`].
pub fn settings(sources: &ConfigSources) -> Result<Vec<Setting>, ConfigError> {
    let figment = figment(sources)?;
    // What is shown is what was understood, not what was written: read it through the types first.
    let config: Config = figment.extract().map_err(|error| ConfigError::Invalid(Box::new(error)))?;
    let understood = Value::serialize(&config).map_err(|error| ConfigError::Invalid(Box::new(error)))?;
    let mut settings = Vec::new();
    if let Value::Dict(_, dict) = understood {
        list(&figment, sources, &dict, "", &mut settings);
    }
    Ok(settings)
}

fn list(figment: &Figment, sources: &ConfigSources, dict: &Dict, prefix: &str, settings: &mut Vec<Setting>) {
    for (key, value) in dict {
        let name = format!("{prefix}{key}");
        if let Value::Dict(_, inner) = value {
            list(figment, sources, inner, &format!("{name}."), settings);
        } else {
            settings.push(Setting { value: show(value), source: source_of(figment, sources, &name), name });
        }
    }
}

fn show(value: &Value) -> String {
    match value {
        Value::String(_, text) => text.clone(),
        Value::Bool(_, flag) => flag.to_string(),
        Value::Num(_, number) => number.to_u128().map_or_else(|| format!("{number:?}"), |number| number.to_string()),
        Value::Empty(..) => "(not set)".to_owned(),
        Value::Array(_, values) => format!("[{}]", values.iter().map(show).collect::<Vec<_>>().join(", ")),
        other => format!("{other:?}"),
    }
}

fn source_of(figment: &Figment, sources: &ConfigSources, name: &str) -> String {
    if let Some((flag, _)) = sources.flags.iter().find(|(flag, _)| *flag == name) {
        return format!("flag --{flag}");
    }
    let Some(metadata) = figment.find_metadata(name) else { return "default".to_owned() };
    match &metadata.source {
        Some(Source::File(file)) => file.display().to_string(),
        _ if metadata.name.contains("environment") => {
            let variable = name.replace('.', ENVIRONMENT_SEPARATOR).to_uppercase();
            format!("environment {ENVIRONMENT_PREFIX}{variable}")
        }
        _ => "default".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_file(text: &str) -> (tempfile::TempDir, ConfigSources) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("counterfoil.toml");
        std::fs::write(&file, text).unwrap();
        (folder, ConfigSources { file: Some(file), flags: Vec::new() })
    }

    #[test]
    fn a_file_is_over_defaults_and_a_flag_over_a_file() {
        let (_folder, mut sources) = with_file("listen = '127.0.0.1:1'\n[refresh]\nretry_window = '20s'\n");
        sources.flags.push(("listen", "127.0.0.1:2".to_owned()));
        let config = load(&sources).unwrap();
        assert_eq!(config.listen.port(), 2);
        assert_eq!(config.refresh.retry_window, super::super::HumanDuration::from_seconds(20));
        let shown = settings(&sources).unwrap();
        let source = |name: &str| shown.iter().find(|setting| setting.name == name).unwrap().source.clone();
        assert_eq!(source("listen"), "flag --listen");
        assert!(source("refresh.retry_window").ends_with("counterfoil.toml"));
        assert_eq!(source("password.characters_min"), "default");
        let value = |name: &str| shown.iter().find(|setting| setting.name == name).unwrap().value.clone();
        assert_eq!((value("password.characters_min").as_str(), value("refresh.retry_window").as_str()), ("15", "20s"));
    }

    #[test]
    fn unknown_options_and_wrong_types_are_named() {
        for (text, named) in [
            ("lisen = '127.0.0.1:1'", "lisen"),
            ("[refresh]\nretry_windw = '1s'", "retry_windw"),
            ("[refresh]\nretry_window = 15", "retry_window"),
            ("listen = 'here'", "listen"),
            ("trusted_proxies = ['10.0.0.0/8', 'proxy']", "trusted_proxies"),
        ] {
            let (_folder, sources) = with_file(text);
            let error = load(&sources).unwrap_err().to_string();
            assert!(error.contains(named) && error.contains("counterfoil.toml"), "{error}");
        }
    }

    #[test]
    fn a_named_file_must_exist() {
        let sources = ConfigSources { file: Some("no/such/file.toml".into()), flags: Vec::new() };
        assert!(matches!(load(&sources), Err(ConfigError::NoFile(_))));
    }
}
