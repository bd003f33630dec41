//! In which language to explain things: the one that the person's locale names.

/// A language that explanations are written in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Language {
    /// For everybody else.
    English,
    /// `ko`.
    Korean,
}

/// Where POSIX (Base Definitions, section 8.2) looks for the language of messages: the first that is set and not empty
/// decides.
const LOCALE_VARIABLES: [&str; 3] = ["LC_ALL", "LC_MESSAGES", "LANG"];

impl Language {
    /// The language of a locale, given a way to read the environment.
    pub(super) fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        let locale = LOCALE_VARIABLES.into_iter().filter_map(variable).find(|locale| !locale.is_empty());
        locale.map_or(Self::English, |locale| Self::of_locale(&locale))
    }

    /// `language[_TERRITORY][.CODESET][@modifier]`. We write UTF-8: a terminal that reads another code set would show
    /// Korean as rubbish, and gets English.
    fn of_locale(locale: &str) -> Self {
        let (name, _modifier) = locale.split_once('@').unwrap_or((locale, ""));
        let (name, codeset) = name.split_once('.').unwrap_or((name, "UTF-8"));
        let is_utf8 = codeset.replace('-', "").eq_ignore_ascii_case("utf8");
        let language = name.split(['_', '-']).next().unwrap_or_default();
        if language.eq_ignore_ascii_case("ko") && is_utf8 { Self::Korean } else { Self::English }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)]) -> Language {
        Language::from_environment(|asked| {
            let found = variables.iter().find(|(name, _)| *name == asked);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_first_variable_that_says_something_decides() {
        assert_eq!(with(&[]), Language::English);
        assert_eq!(with(&[("LANG", "ko_KR.UTF-8")]), Language::Korean);
        assert_eq!(with(&[("LC_ALL", ""), ("LANG", "ko_KR.UTF-8")]), Language::Korean);
        assert_eq!(with(&[("LC_ALL", "C"), ("LANG", "ko_KR.UTF-8")]), Language::English);
        assert_eq!(with(&[("LC_MESSAGES", "ko_KR.UTF-8"), ("LANG", "en_US.UTF-8")]), Language::Korean);
        assert_eq!(with(&[("LC_MESSAGES", "en_US.UTF-8"), ("LANG", "ko_KR.UTF-8")]), Language::English);
        assert_eq!(with(&[("LC_ALL", "ko"), ("LC_MESSAGES", "de_DE.UTF-8")]), Language::Korean);
        assert_eq!(with(&[("LC_TIME", "ko_KR.UTF-8")]), Language::English);
    }

    #[test]
    fn locales_are_read_as_they_are_written() {
        for locale in ["ko", "ko_KR", "ko-KR", "ko_KR.utf8", "ko_KP.UTF-8@x", "KO_KR.UTF-8"] {
            assert_eq!(Language::of_locale(locale), Language::Korean, "{locale}");
        }
        for locale in ["C", "POSIX", "C.UTF-8", "en_US.UTF-8", "kok_IN", "ko_KR.EUC-KR", "ko_KR.eucKR"] {
            assert_eq!(Language::of_locale(locale), Language::English, "{locale}");
        }
    }
}
