//! Durations as people write them: `15s`, `30m`, `14d`.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::{fmt, time::Duration};

/// A duration written as `15s`, `30m`, `12h` or `14d`. The unit is a must, so that seconds and minutes are never mixed up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct HumanDuration(Duration);

impl HumanDuration {
    /// The duration.
    pub const fn get(self) -> Duration {
        self.0
    }

    /// So many seconds.
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// So many days of 24 hours.
    pub const fn from_days(days: u64) -> Self {
        Self(Duration::from_hours(24 * days))
    }
}

impl From<Duration> for HumanDuration {
    fn from(duration: Duration) -> Self {
        Self(duration)
    }
}

impl fmt::Display for HumanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (number, unit) = match seconds {
            0 => (0, "s"),
            _ if seconds.is_multiple_of(86_400) => (seconds / 86_400, "d"),
            _ if seconds.is_multiple_of(3_600) => (seconds / 3_600, "h"),
            _ if seconds.is_multiple_of(60) => (seconds / 60, "m"),
            _ => (seconds, "s"),
        };
        write!(f, "{number}{unit}")
    }
}

impl fmt::Debug for HumanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for HumanDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HumanDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let duration = humantime::parse_duration(&text)
            .map_err(|error| D::Error::custom(format!("not a duration such as 15s, 30m, 12h or 14d: {error}")))?;
        Ok(Self(duration))
    }
}

/// A duration, or `never`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OrNever(Option<HumanDuration>);

impl OrNever {
    /// After so long.
    pub const fn after(duration: HumanDuration) -> Self {
        Self(Some(duration))
    }

    /// At no time.
    pub const NEVER: Self = Self(None);

    /// The duration; `None` for never.
    pub fn get(self) -> Option<Duration> {
        self.0.map(HumanDuration::get)
    }
}

impl Serialize for OrNever {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Some(duration) => duration.serialize(serializer),
            None => serializer.serialize_str(NEVER),
        }
    }
}

impl<'de> Deserialize<'de> for OrNever {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == NEVER {
            return Ok(Self::NEVER);
        }
        let duration = humantime::parse_duration(&text).map_err(|error| {
            D::Error::custom(format!("neither `{NEVER}` nor a duration such as 12h or 90d: {error}"))
        })?;
        Ok(Self::after(HumanDuration(duration)))
    }
}

const NEVER: &str = "never";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_can_be_written() {
        for text in ["15s", "30m", "12h", "14d", "90s"] {
            let parsed: HumanDuration = serde_json::from_value(text.into()).unwrap();
            let again: HumanDuration = serde_json::from_value(parsed.to_string().into()).unwrap();
            assert_eq!(parsed, again);
        }
        assert_eq!(HumanDuration::from_days(14).to_string(), "14d");
        for text in ["never", "90d"] {
            let parsed: OrNever = serde_json::from_value(text.into()).unwrap();
            assert_eq!(serde_json::to_value(parsed).unwrap(), text);
            assert_eq!(parsed.get().is_none(), text == "never");
        }
        let refused = serde_json::from_value::<OrNever>("Never".into()).unwrap_err().to_string();
        assert!(refused.contains("`never`"), "{refused}");
        for text in ["15", "", "soon", "-1s"] {
            assert!(serde_json::from_value::<HumanDuration>(text.into()).is_err(), "{text}");
        }
    }
}
