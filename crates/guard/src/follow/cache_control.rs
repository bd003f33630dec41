//! How long a key set may be kept (RFC 9111).

use http::{
    HeaderMap,
    header::{AGE, CACHE_CONTROL},
};
use std::time::Duration;

/// A set is fetched no more often than this, whatever its server says.
pub(crate) const SHORTEST: Duration = Duration::from_mins(1);
/// And at least so often: a key that was withdrawn must go.
pub(crate) const LONGEST: Duration = Duration::from_hours(1);
/// When the server does not say.
const USUAL: Duration = Duration::from_mins(5);

/// How long what came with these headers is fresh: `max-age` less `Age` (RFC 9111 §4.2), between a minute and an hour.
pub(crate) fn fresh_for(headers: &HeaderMap) -> Duration {
    let directives = headers.get_all(CACHE_CONTROL).iter().filter_map(|field| field.to_str().ok());
    let mut max_age = None;
    for directive in directives.flat_map(|field| field.split(',')).map(str::trim) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        if name.eq_ignore_ascii_case("no-store") || name.eq_ignore_ascii_case("no-cache") {
            return SHORTEST;
        }
        if name.eq_ignore_ascii_case("max-age") {
            max_age = value.trim_matches('"').parse().ok().or(max_age);
        }
    }
    let age = headers.get(AGE).and_then(|field| field.to_str().ok()?.parse().ok()).unwrap_or(0);
    max_age.map_or(USUAL, |seconds: u64| Duration::from_secs(seconds.saturating_sub(age))).clamp(SHORTEST, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn what_the_server_says_within_bounds() {
        for (control, age, seconds) in [
            ("", "", 300),
            ("public, max-age=600", "", 600),
            ("max-age=600", "100", 500),
            ("Max-Age=\"600\"", "", 600),
            ("max-age=5", "", 60),
            ("max-age=86400", "", 3_600),
            ("max-age=600, no-cache", "", 60),
            ("no-store", "", 60),
            ("max-age=soon", "x", 300),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in
                [(CACHE_CONTROL, control), (AGE, age)].into_iter().filter(|(_, value)| !value.is_empty())
            {
                headers.insert(name, HeaderValue::from_static(value));
            }
            assert_eq!(fresh_for(&headers), Duration::from_secs(seconds), "{control} {age}");
        }
    }
}
