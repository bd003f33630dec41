//! Says things in the person's language, and dates in their time zone.

use super::super::{
    distance::{distance, span},
    language::Language,
    terminal::Terminal,
};
use super::text::{Text, fill};
use counterfoil_jwt::NumericDate;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;

/// Who explains, and when: the same token is explained in other words an hour later.
pub(super) struct Speaker {
    language: Language,
    zone: TimeZone,
    /// The time to reckon from, in seconds since 1970.
    pub(super) now: u64,
}

impl Speaker {
    /// In the person's language and zone.
    pub(super) fn to_person(terminal: &Terminal, now: u64) -> Self {
        Self { language: terminal.language, zone: terminal.zone.clone(), now }
    }

    /// For programs: the same words wherever they run.
    pub(super) const fn to_program(now: u64) -> Self {
        Self { language: Language::English, zone: TimeZone::UTC, now }
    }

    /// A text without places.
    pub(super) const fn say(&self, text: Text) -> &'static str {
        text.template(self.language)
    }

    /// A text with its places filled.
    pub(super) fn fill(&self, text: Text, values: &[(&str, &str)]) -> String {
        fill(text.template(self.language), values)
    }

    /// A text about a date: `{date}` and `{distance}` are its places.
    pub(super) fn fill_date(&self, text: Text, date: NumericDate) -> String {
        let seconds = date.unix_seconds();
        let distance = distance(seconds, self.now, self.language);
        self.fill(text, &[("date", &self.date(seconds)), ("distance", &distance)])
    }

    /// A length of time.
    pub(super) fn span(&self, seconds: u64) -> String {
        span(seconds, self.language)
    }

    /// A moment in the person's zone, with its offset, so that it can be sent to somebody elsewhere.
    fn date(&self, unix_seconds: u64) -> String {
        let timestamp = i64::try_from(unix_seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
        timestamp.map_or_else(
            || self.say(Text::AfterYear9999).to_owned(),
            |timestamp| timestamp.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M:%S %:z").to_string(),
        )
    }
}

/// A member's value as a date, if it is one (RFC 7519 §2).
pub(super) fn date(value: &Value) -> Option<NumericDate> {
    serde_json::from_value(value.clone()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn dates_are_told_where_the_person_is() {
        let zone = |seconds: i32| TimeZone::fixed(jiff::tz::Offset::from_seconds(seconds).unwrap());
        let said = |language, zone, value: Value| {
            Speaker { language, zone, now: 1_750_000_000 }.fill_date(Text::Exp, date(&value).unwrap())
        };
        assert_eq!(
            said(Language::English, TimeZone::UTC, json!(1_750_000_750)),
            "ends 2025-06-15 15:19:10 +00:00, in 12 min"
        );
        assert_eq!(
            said(Language::Korean, zone(9 * 3600), json!(1_750_000_749.5)),
            "2025-06-16 00:19:10 +09:00에 만료, 12분 뒤"
        );
        assert_eq!(said(Language::English, zone(-12_600), json!(0)), "ends 1969-12-31 20:30:00 -03:30, 55 years ago");
        let far = said(Language::English, TimeZone::UTC, json!(300_000_000_000_u64));
        assert!(far.starts_with("ends after the year 9999, in "), "{far}");
        assert!(date(&json!("soon")).is_none());
    }
}
