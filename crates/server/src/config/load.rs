//! Where options come from, and how to say so.

use super::{
    Config, ConfigError,
    problem::{place_in_file, variable_of},
};
use figment::{
    Figment, Source,
    providers::{Env, Format, Serialized, Toml},
};
use std::path::PathBuf;

/// Before every environment variable of ours.
pub(super) const ENVIRONMENT_PREFIX: &str = "COUNTERFOIL_";
/// Between the levels of an option in an environment variable: `COUNTERFOIL_REFRESH__RETRY_WINDOW`.
pub(super) const ENVIRONMENT_SEPARATOR: &str = "__";
/// Read from the working folder if no other file is named.
const DEFAULT_FILE: &str = "counterfoil.toml";

/// What the command line says.
#[derive(Clone, Debug, Default)]
pub struct ConfigSources {
    /// The file to read; by default `counterfoil.toml` in the working folder, if there is one.
    pub file: Option<PathBuf>,
    /// Options given as flags, by their full names.
    pub flags: Vec<(&'static str, String)>,
}

pub(super) fn figment(sources: &ConfigSources) -> Result<Figment, ConfigError> {
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
    let figment = figment(sources)?;
    let config: Config = figment.extract().map_err(|error| ConfigError::Invalid(Box::new(error)))?;
    config.check().map_err(|error| error.at_place(|option| place_of(&figment, sources, option)))?;
    Ok(config)
}

/// Where an option's value came from; `None` for a default.
pub(super) fn source_of(figment: &Figment, sources: &ConfigSources, name: &str) -> Option<String> {
    if let Some((flag, _)) = sources.flags.iter().find(|(flag, _)| *flag == name) {
        return Some(format!("flag --{flag}"));
    }
    let metadata = figment.find_metadata(name)?;
    match &metadata.source {
        Some(Source::File(file)) => Some(file.display().to_string()),
        _ if metadata.name.contains("environment") => Some(format!("environment {}", variable_of(name))),
        _ => None,
    }
}

/// As [`source_of`], with the line if it is a file: for whoever has to mend it.
fn place_of(figment: &Figment, sources: &ConfigSources, name: &str) -> Option<String> {
    match figment.find_metadata(name).and_then(|metadata| metadata.source.as_ref()) {
        Some(Source::File(file)) => Some(place_in_file(file, name)),
        _ => source_of(figment, sources, name),
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
        let shown = super::super::settings(&sources).unwrap();
        let source = |name: &str| shown.iter().find(|setting| setting.name == name).unwrap().source.clone();
        assert_eq!(source("listen"), "flag --listen");
        assert!(source("refresh.retry_window").ends_with("counterfoil.toml"));
        assert_eq!(source("password.characters_min"), "default");
        let value = |name: &str| shown.iter().find(|setting| setting.name == name).unwrap().value.clone();
        assert_eq!((value("password.characters_min"), value("refresh.retry_window")), (15.into(), "20s".into()));
    }

    #[test]
    fn unknown_options_and_wrong_types_are_named() {
        for (text, named) in [
            ("lisen = '127.0.0.1:1'", "lisen"),
            ("[refresh]\nretry_windw = '1s'", "retry_windw"),
            ("[refresh]\nretry_window = 15", "retry_window"),
            (
                "trusted_proxies = ['10.0.0.0/8', 'proxy']",
                "option `trusted_proxies`: expected an address such as 127.0.0.1, or a network such as 10.0.0.0/8",
            ),
            (
                "trusted_proxies = '10.0.0.1'",
                "expected a list, found \"10.0.0.1\"; write for example trusted_proxies = [\"127.0.0.1\"]",
            ),
            ("listen = 'here'", "line 1: option `listen`: expected an IP address and a port"),
            (
                "[refresh]\nretry_window = 15",
                "line 2: option `refresh.retry_window`: expected text in quotes, found 15; write for example retry_window = \"15s\"",
            ),
            (
                "[password]\nhash_queue_max = 'x'",
                "expected a whole number, found \"x\"; write for example hash_queue_max = 64",
            ),
            ("[password]\nhash_threads = 1.5", "expected a whole number, found 1.5"),
            ("[refresh]\nrequire_access_token = 'yes'", "expected true or false, found \"yes\""),
            ("[log]\nformat = 'xml'", "option `log.format`: expected one of text, json, found xml"),
            ("signing = 'x'", "`signing` is a section"),
            ("listen = ", "line 1, column 10: not TOML"),
            ("[log]\n[log]\n", "line 2, column 1: not TOML: invalid table header; duplicate key"),
            ("[password]\ncharacters_min = 4", "line 2: option `password.characters_min`: expected 8 to 256"),
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
