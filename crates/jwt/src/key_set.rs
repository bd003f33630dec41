//! Verifying keys by key id (RFC 7517 §5), and how one is chosen for a token.
//!
//! The choice is made by `kid` and algorithm together, and it ends with one key or none: keys are never tried in turn,
//! so a token costs one signature check however many keys there are.

use crate::Error;
use crate::algorithm::{Algorithm, AlgorithmSet, Family};
use crate::json::{self, Value};
use crate::jwk::{self, Jwk};
use crate::key::{KeyId, VerifyingKey};
use crate::remembered_header::Remembered;

/// The keys that a verifier trusts.
#[derive(Debug, Clone, Default)]
pub struct KeySet {
    /// Sorted by key id, nameless keys first; no two with the same id and algorithm.
    keys: Vec<VerifyingKey>,
    skipped: Vec<SkippedKey>,
}

/// A key of a JWK Set that was left out (RFC 7517 §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SkippedKey {
    /// Its place in the document, from 0.
    pub index: usize,
    /// What is the matter with it.
    pub reason: Error,
}

impl KeySet {
    /// How many keys a JWK Set may bring; every published set known is far smaller.
    pub const MAX_KEYS: usize = 256;

    /// Reads a JWK Set.
    ///
    /// The document must be sound: one JSON object with a `keys` array and no repeated member names. Its keys may be of any
    /// kind: those that cannot be used here are left out and listed in [`KeySet::skipped`], so that a publisher who adds a
    /// new kind of key does not lock anybody out (RFC 7517 §5).
    ///
    /// An RSA or `oct` key without `alg` is bound to the first of `algorithms` that fits it: one key, one algorithm
    /// (RFC 8725 §3.1). Of two keys with the same `kid` and algorithm the first stays and the second is skipped; with the
    /// same `kid` and different algorithms both stay, as RFC 7517 §4.5 allows.
    pub fn from_json(json: &str, algorithms: impl Into<AlgorithmSet>) -> Result<Self, Error> {
        let algorithms = algorithms.into();
        let mut array = None;
        json::walk_object(json, jwk::MAX_DEPTH + 2, |name, value| {
            if name == "keys" {
                array = Some(value);
            }
        })
        .map_err(jwk::malformed)?;
        let Some(Value::Array(array)) = array else {
            return Err(Error::KeyMalformed("`keys` is missing or not an array"));
        };

        let mut set = Self::default();
        let mut count = 0;
        json::items(array, |item| {
            let index = count;
            count += 1;
            if count <= Self::MAX_KEYS {
                let loaded = match item {
                    Value::Object(json) => load(json, algorithms).and_then(|key| set.add(key)),
                    _ => Err(Error::KeyMalformed("not a JSON object")),
                };
                set.skipped.extend(loaded.err().map(|reason| SkippedKey { index, reason }));
            }
        });
        if count > Self::MAX_KEYS {
            return Err(Error::KeyMalformed("the set has more than 256 keys"));
        }
        Ok(set)
    }

    /// Adds a key; refused if the set already has one with the same id and algorithm.
    pub fn add(&mut self, key: VerifyingKey) -> Result<(), Error> {
        let named_alike = |other: &VerifyingKey| other.key_id() == key.key_id() && other.algorithm() == key.algorithm();
        if key.key_id().is_some() && self.keys.iter().any(named_alike) {
            return Err(Error::KeyInvalid("another key of the set has the same `kid` and algorithm"));
        }
        let place = self.keys.partition_point(|other| other.key_id() <= key.key_id());
        self.keys.insert(place, key);
        Ok(())
    }

    /// The keys in the set.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &VerifyingKey> {
        self.keys.iter()
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are none: then every token is refused.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether some key has this id: if not, it may be time to fetch the set again.
    pub fn contains(&self, key_id: &str) -> bool {
        !self.named(key_id).is_empty()
    }

    /// The keys of the document that were left out.
    pub fn skipped(&self) -> &[SkippedKey] {
        &self.skipped
    }

    fn named(&self, key_id: &str) -> &[VerifyingKey] {
        let start = self.keys.partition_point(|key| key.key_id().map(KeyId::as_str) < Some(key_id));
        let rest = self.keys.get(start..).unwrap_or_default();
        let count = rest.partition_point(|key| key.key_id().map(KeyId::as_str) == Some(key_id));
        rest.get(..count).unwrap_or_default()
    }

    fn nameless(&self) -> &[VerifyingKey] {
        self.keys.get(..self.keys.partition_point(|key| key.key_id().is_none())).unwrap_or_default()
    }
}

impl FromIterator<VerifyingKey> for KeySet {
    /// Collects keys; of two with the same id and algorithm the first stays.
    fn from_iter<I: IntoIterator<Item = VerifyingKey>>(keys: I) -> Self {
        let mut set = Self::default();
        for (index, key) in keys.into_iter().enumerate() {
            if let Err(reason) = set.add(key) {
                set.skipped.push(SkippedKey { index, reason });
            }
        }
        set
    }
}

fn load(json: &str, algorithms: AlgorithmSet) -> Result<VerifyingKey, Error> {
    let jwk = Jwk::parse(json)?;
    match VerifyingKey::from_parsed_jwk(&jwk, None) {
        Err(Error::KeyAlgorithmMissing) => {
            let is_rsa = jwk.kty()? == "RSA";
            let fits = |algorithm: &Algorithm| match algorithm.family() {
                Family::RsaPkcs1 | Family::RsaPss => is_rsa,
                Family::Hmac => !is_rsa,
                _ => false,
            };
            VerifyingKey::from_parsed_jwk(&jwk, Some(algorithms.iter().find(fits).ok_or(Error::KeyAlgorithmMissing)?))
        }
        loaded => loaded,
    }
}

/// What a token can be verified with: one key, or a set to choose from.
pub trait Keys: sealed::Sealed {
    /// The one key that a token with this algorithm and `kid` is to be verified with.
    fn select(&self, algorithm: Algorithm, key_id: Option<&str>) -> Result<&VerifyingKey, Error>;

    /// What an encoded header says, if one of the keys remembers it. Which key is to be used is still to be asked.
    #[doc(hidden)]
    fn remembered_header(&self, encoded: &str) -> Option<&Remembered>;
}

impl Keys for VerifyingKey {
    /// The caller has chosen; the token may only agree. A `kid` on one side only says nothing.
    fn select(&self, algorithm: Algorithm, key_id: Option<&str>) -> Result<&VerifyingKey, Error> {
        match (self.key_id(), key_id) {
            (Some(ours), Some(theirs)) if ours.as_str() != theirs => Err(Error::UnknownKey),
            _ if self.algorithm() != algorithm => Err(Error::KeyAlgorithmMismatch),
            _ => Ok(self),
        }
    }

    fn remembered_header(&self, encoded: &str) -> Option<&Remembered> {
        self.remembered_header.find(encoded)
    }
}

impl Keys for KeySet {
    /// By `kid` if the token has one; a key without a name answers to any, if it is the only such key of the algorithm.
    /// A token without `kid` is accepted only where one key could be meant.
    fn select(&self, algorithm: Algorithm, key_id: Option<&str>) -> Result<&VerifyingKey, Error> {
        let candidates = match key_id.map(|key_id| self.named(key_id)) {
            None => self.keys.as_slice(),
            Some([]) => self.nameless(),
            Some(named) => named,
        };
        if candidates.is_empty() {
            return Err(Error::UnknownKey);
        }
        let mut of_algorithm = candidates.iter().filter(|key| key.algorithm() == algorithm);
        match (of_algorithm.next(), of_algorithm.next()) {
            (Some(key), None) => Ok(key),
            (None, _) => Err(Error::KeyAlgorithmMismatch),
            (Some(_), Some(_)) => Err(Error::UnknownKey),
        }
    }

    fn remembered_header(&self, encoded: &str) -> Option<&Remembered> {
        /// With more keys than a published set usually has, comparing takes as long as reading.
        const KEYS_ASKED: usize = 8;
        self.keys.iter().take(KEYS_ASKED).find_map(|key| key.remembered_header.find(encoded))
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::VerifyingKey {}
    impl Sealed for super::KeySet {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SigningKey;

    fn key(algorithm: Algorithm, key_id: Option<&str>) -> VerifyingKey {
        let key = SigningKey::generate(algorithm).unwrap();
        match key_id {
            Some(key_id) => key.with_key_id(KeyId::new(key_id).unwrap()).verifying_key().clone(),
            None => without_id(&key),
        }
    }

    fn without_id(key: &SigningKey) -> VerifyingKey {
        let json = key.to_private_jwk().unwrap();
        let (before, id) = json.split_once(",\"kid\":").unwrap();
        assert!(id.ends_with("\"}"));
        VerifyingKey::from_jwk(&format!("{before}}}"), None).unwrap()
    }

    #[test]
    fn the_choice_is_one_key_or_none() {
        use Algorithm::*;
        let set: KeySet = [
            key(EdDsa, Some("b")),
            key(EdDsa, Some("a")),
            key(Es256, Some("a")),
            key(Es384, None),
            key(Hs256, None),
            key(Hs256, None),
        ]
        .into_iter()
        .collect();
        assert_eq!((set.len(), set.skipped()), (6, [].as_slice()));
        for (algorithm, key_id, expected) in [
            (EdDsa, Some("a"), Ok(Some("a"))),
            (EdDsa, Some("b"), Ok(Some("b"))),
            (Es256, Some("a"), Ok(Some("a"))),
            (Es256, Some("b"), Err(Error::KeyAlgorithmMismatch)),
            (Es256, None, Ok(Some("a"))),
            (EdDsa, None, Err(Error::UnknownKey)),
            (Es384, None, Ok(None)),
            (Es384, Some("of nobody"), Ok(None)),
            (EdDsa, Some("of nobody"), Err(Error::KeyAlgorithmMismatch)),
            (Hs256, Some("of nobody"), Err(Error::UnknownKey)),
            (Hs256, None, Err(Error::UnknownKey)),
            (Rs256, None, Err(Error::KeyAlgorithmMismatch)),
        ] {
            let chosen = set.select(algorithm, key_id).map(|key| {
                assert_eq!(key.algorithm(), algorithm);
                key.key_id().map(KeyId::as_str)
            });
            assert_eq!(chosen, expected, "{algorithm} {key_id:?}");
        }
        assert_eq!(KeySet::default().select(EdDsa, None).err(), Some(Error::UnknownKey));
        assert_eq!(KeySet::default().select(EdDsa, Some("a")).err(), Some(Error::UnknownKey));
        assert!(set.contains("a") && !set.contains("aa") && !set.contains(""));
    }

    #[test]
    fn one_key_is_only_agreed_with() {
        let named = key(Algorithm::EdDsa, Some("a"));
        assert!(named.select(Algorithm::EdDsa, Some("a")).is_ok());
        assert!(named.select(Algorithm::EdDsa, None).is_ok());
        assert_eq!(named.select(Algorithm::EdDsa, Some("b")).err(), Some(Error::UnknownKey));
        assert_eq!(named.select(Algorithm::Es256, Some("a")).err(), Some(Error::KeyAlgorithmMismatch));
        assert!(key(Algorithm::EdDsa, None).select(Algorithm::EdDsa, Some("b")).is_ok());
    }

    #[test]
    fn of_two_keys_alike_in_name_the_first_stays() {
        let first = key(Algorithm::EdDsa, Some("a"));
        let second = key(Algorithm::EdDsa, Some("a"));
        let json = serde_json::json!({"keys": [first.public_jwk(), second.public_jwk()]}).to_string();
        let set = KeySet::from_json(&json, AlgorithmSet::EMPTY).unwrap();
        assert_eq!(set.len(), 1);
        assert_eq!(set.iter().next().unwrap().thumbprint(), first.thumbprint());
        assert_eq!(set.skipped().iter().map(|skipped| skipped.index).collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn unusable_keys_are_skipped_and_counted() {
        let good = serde_json::to_string(&key(Algorithm::EdDsa, Some("good")).public_jwk()).unwrap();
        let json = format!(
            r#"{{"extra":1,"keys":[{{"kty":"PQC"}},7,{{"kty":"OKP","crv":"X25519","x":"AA"}},
            {{"kty":"oct","k":"AAAA","alg":"HS256"}},{{"kty":"EC","crv":"P-256"}},{},{{}},{good}]}}"#,
            good.replace("\"sig\"", "\"enc\"")
        );
        let set = KeySet::from_json(&json, AlgorithmSet::EMPTY).unwrap();
        assert_eq!(set.len(), 1);
        let codes: Vec<_> = set.skipped().iter().map(|skipped| (skipped.index, skipped.reason.code())).collect();
        assert_eq!(
            codes,
            [
                (0, "key_unsupported"),
                (1, "key_malformed"),
                (2, "key_unsupported"),
                (3, "key_too_weak"),
                (4, "key_malformed"),
                (5, "key_not_for_this_use"),
                (6, "key_malformed"),
            ]
        );
    }

    #[test]
    fn an_unsound_document_is_refused_whole() {
        for json in [
            "",
            "[]",
            "{}",
            r#"{"keys":{}}"#,
            r#"{"keys":[],"keys":[]}"#,
            r#"{"keys":[{"a":1,"a":2}]}"#,
            r#"{"keys":[]}x"#,
        ] {
            assert_eq!(KeySet::from_json(json, AlgorithmSet::EMPTY).unwrap_err().code(), "key_malformed", "{json}");
        }
        let many = format!(r#"{{"keys":[{}]}}"#, vec!["{}"; 257].join(","));
        assert_eq!(KeySet::from_json(&many, AlgorithmSet::EMPTY).unwrap_err().code(), "key_malformed");
    }

    #[test]
    fn a_key_without_alg_takes_the_first_that_fits() {
        let rsa = SigningKey::generate(Algorithm::Ps256).unwrap();
        let jwk = serde_json::to_string(&rsa.public_jwk()).unwrap().replace(r#","alg":"PS256""#, "");
        let json = format!(r#"{{"keys":[{jwk}]}}"#);
        let bound_to = |algorithms: AlgorithmSet| {
            KeySet::from_json(&json, algorithms).unwrap().iter().map(VerifyingKey::algorithm).collect::<Vec<_>>()
        };
        assert_eq!(bound_to([Algorithm::EdDsa, Algorithm::Ps384].into()), [Algorithm::Ps384]);
        assert_eq!(bound_to([Algorithm::Ps256, Algorithm::Rs256].into()), [Algorithm::Rs256]);
        assert_eq!(bound_to(Algorithm::Hs256.into()), []);
    }
}
