//! Instants in JSON bodies: RFC 3339 in UTC, always of the same width.

use serde::{Deserialize, Serialize, Serializer};
use std::fmt;

/// An instant as it travels in JSON: `2026-11-21T10:15:30.120Z`, always with three digits of milliseconds, so that texts
/// of the same age sort like their instants and line up in a log. Any RFC 3339 time is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime, example = "2026-11-21T10:15:30.120Z"))]
#[serde(transparent)]
pub struct Timestamp(jiff::Timestamp);

impl Timestamp {
    /// The instant so many milliseconds after the Unix epoch; the nearest that can be written, for one out of range.
    pub fn from_unix_millis(millis: i64) -> Self {
        let edge = if millis < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
        Self(jiff::Timestamp::from_millisecond(millis).unwrap_or(edge))
    }

    /// Milliseconds since the Unix epoch.
    pub fn as_unix_millis(self) -> i64 {
        self.0.as_millisecond()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.0)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_width_never_changes() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_750_000_000_000, "2025-06-15T15:06:40.000Z"),
            (1_750_000_000_120, "2025-06-15T15:06:40.120Z"),
            (1_750_000_000_007, "2025-06-15T15:06:40.007Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (i64::MAX, "9999-12-30T22:00:00.999Z"),
        ] {
            let timestamp = Timestamp::from_unix_millis(millis);
            assert_eq!(serde_json::to_value(timestamp).unwrap(), text);
            assert_eq!(serde_json::from_value::<Timestamp>(text.into()).unwrap().to_string(), text);
        }
        let read = |text: &str| serde_json::from_value::<Timestamp>(text.into());
        assert_eq!(read("2025-06-16T00:06:40+09:00").unwrap(), Timestamp::from_unix_millis(1_750_000_000_000));
        assert!(read("yesterday").is_err());
    }
}
