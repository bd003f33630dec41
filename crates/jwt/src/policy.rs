//! What a verifier asks of a token. Everything that could be left to the token is here instead.

use crate::Error;
use crate::algorithm::{Algorithm, AlgorithmSet};
use crate::claims::{self, Dates, NumericDate};

/// The rules that a token is held against: which algorithms, from whom, for whom, of which type.
///
/// A policy starts strict and is relaxed by name, so that what is not checked can be read in the code:
/// `exp` must be there, `nbf` is obeyed, there is no leeway, and a token that names an audience is refused until the
/// policy says which audience it is (RFC 7519 §4.1.3).
///
/// ```
/// use counterfoil_jwt::{Algorithm, Policy};
///
/// let policy = Policy::new([Algorithm::EdDsa, Algorithm::Es256])
///     .issuer("https://login.example")
///     .audience("https://api.example")
///     .token_type("at+jwt")
///     .leeway_seconds(30);
/// ```
#[derive(Debug, Clone)]
pub struct Policy {
    pub(crate) algorithms: AlgorithmSet,
    pub(crate) ed25519_name: bool,
    pub(crate) issuer: Option<Box<str>>,
    pub(crate) audience: AudienceRule,
    pub(crate) token_type: Option<Box<str>>,
    pub(crate) leeway_seconds: u64,
    pub(crate) expiry_required: bool,
    pub(crate) times_checked: bool,
    pub(crate) max_token_bytes: usize,
    pub(crate) max_header_bytes: usize,
    pub(crate) max_depth: usize,
}

/// What `aud` must say.
#[derive(Debug, Clone)]
pub(crate) enum AudienceRule {
    /// Anything, or nothing.
    Any,
    /// One of these. If the list is empty: nothing.
    Among(Vec<Box<str>>),
}

impl Policy {
    /// Longest token accepted unless the policy says otherwise. Servers cap headers at 8 to 16 KiB anyway.
    pub const DEFAULT_MAX_TOKEN_BYTES: usize = 16 * 1024;
    /// Longest encoded header accepted. It is read before any signature is checked, so it is kept small.
    pub const DEFAULT_MAX_HEADER_BYTES: usize = 4 * 1024;
    /// Deepest nesting accepted in header and claims.
    pub const DEFAULT_MAX_DEPTH: usize = 16;

    /// A policy that allows these algorithms and nothing else.
    pub fn new(algorithms: impl Into<AlgorithmSet>) -> Self {
        Self {
            algorithms: algorithms.into(),
            ed25519_name: false,
            issuer: None,
            audience: AudienceRule::Among(Vec::new()),
            token_type: None,
            leeway_seconds: 0,
            expiry_required: true,
            times_checked: true,
            max_token_bytes: Self::DEFAULT_MAX_TOKEN_BYTES,
            max_header_bytes: Self::DEFAULT_MAX_HEADER_BYTES,
            max_depth: Self::DEFAULT_MAX_DEPTH,
        }
    }

    /// Allows these algorithms besides.
    #[must_use]
    pub fn and_algorithms(mut self, algorithms: impl Into<AlgorithmSet>) -> Self {
        self.algorithms = self.algorithms.iter().chain(algorithms.into().iter()).collect();
        self
    }

    /// Requires `iss` to be this very string (RFC 9068 §4: no normalisation). Without it any issuer passes, which is
    /// right only where the keys have one owner.
    #[must_use]
    pub fn issuer(mut self, issuer: impl Into<Box<str>>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// Requires `aud` to name this audience; called again, that one or this one.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<Box<str>>) -> Self {
        match &mut self.audience {
            AudienceRule::Any => self.audience = AudienceRule::Among(vec![audience.into()]),
            AudienceRule::Among(audiences) => audiences.push(audience.into()),
        }
        self
    }

    /// Leaves `aud` to the caller: a token for anybody, or for nobody in particular, passes.
    #[must_use]
    pub fn any_audience(mut self) -> Self {
        self.audience = AudienceRule::Any;
        self
    }

    /// Requires `typ`, compared as a media type: without regard to case, `application/` may be left off (RFC 7515 §4.1.9).
    #[must_use]
    pub fn token_type(mut self, token_type: impl Into<Box<str>>) -> Self {
        self.token_type = Some(token_type.into());
        self
    }

    /// Tolerates clocks that differ by so much, in `exp` and `nbf`. RFC 7519 §4.1.4: a few minutes at most.
    #[must_use]
    pub fn leeway_seconds(mut self, leeway_seconds: u64) -> Self {
        self.leeway_seconds = leeway_seconds;
        self
    }

    /// Accepts tokens without `exp`, which then never end by themselves. An `exp` that is there is still obeyed.
    #[must_use]
    pub fn allow_missing_expiry(mut self) -> Self {
        self.expiry_required = false;
        self
    }

    /// Accepts tokens outside their time, for the one place where an expired token still proves something: a refresh
    /// that sends the old access token along. `exp` and `nbf` must be well-formed, and `exp` present, all the same.
    #[must_use]
    pub fn ignore_times(mut self) -> Self {
        self.times_checked = false;
        self
    }

    /// Accepts the name `Ed25519` (RFC 9864 §2.2) for `EdDSA` in tokens, where `EdDSA` is allowed.
    #[must_use]
    pub fn allow_ed25519_name(mut self) -> Self {
        self.ed25519_name = true;
        self
    }

    /// Sets the longest token, in bytes as sent.
    #[must_use]
    pub fn max_token_bytes(mut self, max_token_bytes: usize) -> Self {
        self.max_token_bytes = max_token_bytes;
        self
    }

    /// Sets the longest header, in bytes as sent. The part of a token that strangers may fill.
    #[must_use]
    pub fn max_header_bytes(mut self, max_header_bytes: usize) -> Self {
        self.max_header_bytes = max_header_bytes;
        self
    }

    /// Sets the deepest nesting of header and claims, at most [`Policy::DEFAULT_MAX_DEPTH`] times four.
    #[must_use]
    pub fn max_depth(mut self, max_depth: usize) -> Self {
        // Nesting is walked by recursion; this bound is what keeps the stack safe whatever the caller asks for.
        self.max_depth = max_depth.min(Self::DEFAULT_MAX_DEPTH * 4);
        self
    }

    /// The algorithms that this policy allows.
    pub fn algorithms(&self) -> AlgorithmSet {
        self.algorithms
    }

    /// Whether one algorithm is allowed.
    pub fn allows(&self, algorithm: Algorithm) -> bool {
        self.algorithms.contains(algorithm)
    }

    /// Holds the times of a token that was accepted before against a later `now`, and nothing else: for a verifier that
    /// remembers what it has accepted. Times that the token did not have are `None`.
    pub fn validate_times(
        &self,
        expires_at: Option<NumericDate>,
        not_before: Option<NumericDate>,
        now_unix_seconds: u64,
    ) -> Result<(), Error> {
        claims::validate_times(&Dates { expires_at, not_before, issued_at: None }, self, now_unix_seconds)
    }

    pub(crate) fn accepts_type(&self, found: Option<&str>) -> bool {
        match (&self.token_type, found) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(wanted), Some(found)) if **wanted == *found => true,
            (Some(wanted), Some(found)) => short_type(wanted).eq_ignore_ascii_case(short_type(found)),
        }
    }
}

/// Leaves `application/` off where RFC 7515 §4.1.9 lets a producer do so: when no other slash follows.
fn short_type(media_type: &str) -> &str {
    const PREFIX: &str = "application/";
    match (media_type.get(..PREFIX.len()), media_type.get(PREFIX.len()..)) {
        (Some(prefix), Some(rest)) if prefix.eq_ignore_ascii_case(PREFIX) && !rest.contains('/') => rest,
        _ => media_type,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_compared_as_media_types() {
        let policy = Policy::new(Algorithm::EdDsa).token_type("at+jwt");
        for same in ["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"] {
            assert!(policy.accepts_type(Some(same)), "{same}");
        }
        for other in ["JWT", "", "at+jwt ", "application/", "application/x/at+jwt", "text/at+jwt", "at+jwt;v=1", "aé"]
        {
            assert!(!policy.accepts_type(Some(other)), "{other}");
        }
        assert!(!policy.accepts_type(None));
        assert!(Policy::new(Algorithm::EdDsa).token_type("application/at+jwt").accepts_type(Some("at+jwt")));
        let not_ours = Policy::new(Algorithm::EdDsa).token_type("x/at+jwt");
        assert!(not_ours.accepts_type(Some("x/at+jwt")) && !not_ours.accepts_type(Some("application/x/at+jwt")));
        assert!(Policy::new(Algorithm::EdDsa).accepts_type(None), "no type asked for");
    }

    #[test]
    fn the_depth_has_a_ceiling() {
        assert_eq!(Policy::new(Algorithm::EdDsa).max_depth(usize::MAX).max_depth, 64);
    }
}
