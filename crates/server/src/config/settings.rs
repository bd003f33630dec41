//! Every option as it is in force: its value, where that came from, and what it means.

use super::{
    Config, ConfigError, ConfigSources,
    load::{figment, source_of},
    options::sections,
};
use serde_json::{Value, json};

/// One option as `config show` lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its full name, such as `refresh.retry_window`.
    pub name: String,
    /// Its value: text, a number, or true or false. Where none is configured, what holds instead; null if nothing does.
    pub value: Value,
    /// Where the value came from.
    pub source: String,
    /// What it means, in Markdown.
    pub meaning: &'static str,
}

/// Every option with its value and where that came from, in the order of the documentation.
///
/// # Errors
/// As [`load`](super::load).
pub fn settings(sources: &ConfigSources) -> Result<Vec<Setting>, ConfigError> {
    let figment = figment(sources)?;
    // What is shown is what was understood, not what was written: read it through the types first.
    let config: Config = figment.extract().map_err(|error| ConfigError::Invalid(Box::new(error)))?;
    let understood = json!(config);
    let setting = |name: String, meaning| {
        let value = match at(&understood, &name) {
            Value::Null => in_force(&config, &name)?,
            value => value,
        };
        let source = source_of(&figment, sources, &name).unwrap_or_else(|| "default".to_owned());
        Ok(Setting { name, value, source, meaning })
    };
    let options = sections().into_iter().flat_map(|(_, _, options)| options);
    options.map(|option| setting(option.name, option.meaning)).collect()
}

/// The value at `section.option`.
fn at(understood: &Value, name: &str) -> Value {
    name.split('.').try_fold(understood, |value, part| value.get(part)).cloned().unwrap_or_default()
}

/// What holds for an option that is not configured.
fn in_force(config: &Config, name: &str) -> Result<Value, ConfigError> {
    let issuer = || match (&config.public_url, config.listen.port()) {
        (Some(url), _) => url.clone(),
        (None, 0) => format!("http://{}:(the port it gets)", config.listen.ip()),
        (None, _) => format!("http://{}", config.listen),
    };
    Ok(match name {
        "public_url" | "access_token.audience" => json!(issuer()),
        "store" => json!(format!("sqlite:{}", config.sqlite_path()?.display())),
        "password.hash_threads" => json!(config.hash_threads()),
        _ => Value::Null,
    })
}

/// The default of an option as it would be written in the file; `None` for one that has none of its own.
pub(super) fn default_of(name: &str) -> Option<String> {
    match at(&json!(Config::default()), name) {
        Value::Null | Value::Object(_) => None,
        value => Some(value.to_string()),
    }
}

/// A value for an option as it could be written in the file.
pub(super) fn example_of(name: &str) -> Option<String> {
    let of_its_own = match name {
        "scope.by_role" => "{ editor = [\"articles:write\"] }",
        "claims.fixed" => "{ tenant = \"acme\" }",
        "claims.from_attributes" => "{ department = \"dept\" }",
        "trusted_proxies" => "[\"127.0.0.1\"]",
        "public_url" => "\"https://auth.example.com\"",
        "store" => "\"sqlite:counterfoil.sqlite\"",
        "access_token.audience" => "\"https://api.example.com\"",
        "signing.secret_file" => "\"secret.txt\"",
        "password.hash_threads" => "2",
        name => return default_of(name),
    };
    Some(of_its_own.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_is_listed_with_its_meaning() {
        let listed = settings(&ConfigSources::default()).unwrap();
        let understood = json!(Config::default());
        let count = |value: &Value| value.as_object().map_or(1, serde_json::Map::len);
        let options: usize = understood.as_object().unwrap().values().map(count).sum();
        assert_eq!(listed.len(), options, "a section is missing in `sections`");
        for setting in listed {
            assert!(setting.meaning.ends_with('.') && setting.meaning.len() > 10, "{}", setting.name);
            assert!(example_of(&setting.name).is_some(), "{}", setting.name);
        }
    }

    #[test]
    fn what_holds_is_shown() {
        let sources = ConfigSources {
            file: None,
            flags: vec![("listen", "localhost:9000".to_owned()), ("data", "d".to_owned())],
        };
        let listed = settings(&sources).unwrap();
        let value = |name: &str| listed.iter().find(|setting| setting.name == name).unwrap().value.clone();
        assert_eq!(value("listen"), "127.0.0.1:9000");
        assert_eq!(value("public_url"), "http://127.0.0.1:9000");
        assert_eq!(value("access_token.audience"), "http://127.0.0.1:9000");
        assert_eq!(value("store"), "sqlite:d/counterfoil.sqlite");
        assert_eq!(value("signing.secret_file"), Value::Null);
        assert_eq!(value("refresh.require_access_token"), false);
        assert!(value("password.hash_threads").as_u64().unwrap() >= 1);
    }
}
