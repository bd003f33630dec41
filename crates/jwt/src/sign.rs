//! Making tokens (RFC 7515 §5.1, RFC 7519 §7.1).

use serde::Serialize;
use serde_json::Value;

use crate::algorithm::{Algorithm, ED25519_NAME};
use crate::json;
use crate::{Error, Policy, SigningKey, base64url};

/// Signs claims as a token of a type: the header is `alg`, `typ` and, if the key has a name, `kid`.
///
/// Give each kind of token its own type (`at+jwt` for access tokens), so that one cannot be passed off as another
/// (RFC 8725 §3.11). The claims must serialize to a JSON object without repeated names.
pub fn sign(key: &SigningKey, token_type: &str, claims: &impl Serialize) -> Result<String, Error> {
    Signer::new(key).token_type(token_type).sign(claims)
}

/// A token in the making, where [`sign`] is not enough: other header members, no type, or a payload that is not claims.
///
/// ```
/// # fn main() -> Result<(), counterfoil_jwt::Error> {
/// use counterfoil_jwt::{Algorithm, Signer, SigningKey};
///
/// let key = SigningKey::generate(Algorithm::Es256)?;
/// let token = Signer::new(&key).token_type("statuslist+jwt").header("ttl", 60)?.sign_bytes(b"{}")?;
/// # Ok(()) }
/// ```
pub struct Signer<'k> {
    key: &'k SigningKey,
    token_type: Option<&'k str>,
    ed25519_name: bool,
    extra: Vec<(String, Value)>,
}

impl<'k> Signer<'k> {
    /// A token signed with this key, by the key's algorithm and under its name.
    pub fn new(key: &'k SigningKey) -> Self {
        Self { key, token_type: None, ed25519_name: false, extra: Vec::new() }
    }

    /// Sets `typ`.
    #[must_use]
    pub fn token_type(mut self, token_type: &'k str) -> Self {
        self.token_type = Some(token_type);
        self
    }

    /// Writes `alg` as `Ed25519` (RFC 9864 §2.2) where it would be `EdDSA`; for verifiers that ask for the newer name.
    /// [`Policy::allow_ed25519_name`] is the other direction.
    #[must_use]
    pub fn ed25519_name(mut self) -> Self {
        self.ed25519_name = true;
        self
    }

    /// Adds each member of a struct or map to the header, by the rules of [`Signer::header`].
    pub fn headers(mut self, members: &impl Serialize) -> Result<Self, Error> {
        let Ok(Value::Object(members)) = serde_json::to_value(members) else {
            return Err(Error::ClaimsNotSerializable);
        };
        for (name, value) in members {
            self = self.header(&name, value)?;
        }
        Ok(self)
    }

    /// Adds a header member after `alg`, `typ` and `kid`.
    ///
    /// Those three are not set by hand, nor are `crit` and `b64`, which change what a signature means, nor the members by
    /// which a token would bring its own key (RFC 8725 §3.10); and no member twice.
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Result<Self, Error> {
        const RESERVED: [&str; 9] = ["alg", "typ", "kid", "crit", "b64", "jwk", "jku", "x5u", "x5c"];
        if RESERVED.contains(&name) || self.extra.iter().any(|(other, _)| other == name) {
            return Err(Error::HeaderMemberReserved);
        }
        self.extra.push((name.to_owned(), value.into()));
        Ok(self)
    }

    /// Signs claims, which must be a JSON object without repeated names.
    pub fn sign(&self, claims: &impl Serialize) -> Result<String, Error> {
        let mut json = self.header_json()?;
        let header_bytes = json.len();
        if json::write_object(&mut json, Policy::DEFAULT_MAX_DEPTH, claims).is_err() {
            json.truncate(header_bytes);
            serde_json::to_writer(&mut json, claims).map_err(|_| Error::ClaimsNotSerializable)?;
            let written = json.get(header_bytes..).and_then(|claims| std::str::from_utf8(claims).ok());
            check_claims(written.ok_or(Error::ClaimsNotSerializable)?)?;
        }
        let (header, claims) = json.split_at_checked(header_bytes).ok_or(Error::ClaimsNotSerializable)?;
        self.seal(header, claims)
    }

    /// Signs claims that are JSON already, as they are spelt: one object without repeated names.
    pub fn sign_json(&self, claims_json: &str) -> Result<String, Error> {
        check_claims(claims_json)?;
        self.sign_bytes(claims_json.as_bytes())
    }

    /// Signs any bytes: a JWS that is not a JWT.
    pub fn sign_bytes(&self, payload: &[u8]) -> Result<String, Error> {
        self.seal(&self.header_json()?, payload)
    }

    fn seal(&self, header: &[u8], payload: &[u8]) -> Result<String, Error> {
        let lengths = [header.len(), payload.len(), self.key.signature_bytes()].map(base64url::encoded_len);
        let mut token = String::with_capacity(lengths.iter().sum::<usize>() + 2);
        base64url::encode_onto(&mut token, header);
        token.push('.');
        base64url::encode_onto(&mut token, payload);
        self.key.sign_onto(&mut token)?;
        Ok(token)
    }

    /// The header in a fixed order, so that one key's tokens of one type all begin with the same characters.
    fn header_json(&self) -> Result<Vec<u8>, Error> {
        let mut json = Vec::with_capacity(ROOM_BYTES);
        json.extend_from_slice(b"{\"alg\":\"");
        let name = match self.key.algorithm() {
            Algorithm::EdDsa if self.ed25519_name => ED25519_NAME,
            algorithm => algorithm.name(),
        };
        json.extend_from_slice(name.as_bytes());
        json.push(b'"');
        if let Some(token_type) = self.token_type {
            push_string_member(&mut json, "typ", token_type);
        }
        if let Some(key_id) = self.key.key_id() {
            push_string_member(&mut json, "kid", key_id.as_str());
        }
        for (name, value) in &self.extra {
            json.push(b',');
            json::write_string(&mut json, name);
            json.push(b':');
            serde_json::to_writer(&mut json, value).map_err(|_| Error::ClaimsNotSerializable)?;
        }
        json.push(b'}');
        Ok(json)
    }
}

fn push_string_member(json: &mut Vec<u8>, name: &str, text: &str) {
    json.push(b',');
    json::write_string(json, name);
    json.push(b':');
    json::write_string(json, text);
}

/// A map written by hand or flattened into a struct can repeat a name, and verifiers would disagree on which one counts
/// (RFC 7519 §4): better to fail here than to sign two truths.
fn check_claims(claims_json: &str) -> Result<(), Error> {
    json::walk_object(claims_json, Policy::DEFAULT_MAX_DEPTH, |_, _| ())
        .map_err(|fault| fault.in_payload(Policy::DEFAULT_MAX_DEPTH))
}

/// Room for the header and claims of an everyday token.
const ROOM_BYTES: usize = 768;

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::error::Part;
    use crate::{KeyId, verify};

    fn key() -> SigningKey {
        SigningKey::generate(Algorithm::EdDsa).unwrap().with_key_id(KeyId::new("k\"1").unwrap())
    }

    fn header_of(token: &str) -> String {
        String::from_utf8(base64url::decode(token.split('.').next().unwrap()).unwrap()).unwrap()
    }

    #[test]
    fn the_header_has_its_order() {
        let token = sign(&key(), "at+jwt", &serde_json::json!({})).unwrap();
        assert_eq!(header_of(&token), r#"{"alg":"EdDSA","typ":"at+jwt","kid":"k\"1"}"#);
        let key = key();
        let token = Signer::new(&key).header("cty", "json").unwrap().header("n\"", 1).unwrap().sign_bytes(b"").unwrap();
        assert_eq!(header_of(&token), r#"{"alg":"EdDSA","kid":"k\"1","cty":"json","n\"":1}"#);
    }

    #[test]
    fn the_newer_name_goes_both_ways_by_configuration() {
        let key = key();
        let token = Signer::new(&key).ed25519_name().sign(&serde_json::json!({"exp": 9})).unwrap();
        assert_eq!(header_of(&token), r#"{"alg":"Ed25519","kid":"k\"1"}"#);
        let policy = Policy::new(Algorithm::EdDsa);
        let outcome = |policy: &Policy| verify::<Value>(&token, key.verifying_key(), policy, 1).map(|_| ());
        assert_eq!(outcome(&policy), Err(Error::AlgorithmNotAllowed));
        assert_eq!(outcome(&policy.allow_ed25519_name()), Ok(()));
        let other = SigningKey::generate(Algorithm::Es256).unwrap();
        let token = Signer::new(&other).ed25519_name().sign_bytes(b"").unwrap();
        assert!(header_of(&token).starts_with(r#"{"alg":"ES256""#));
    }

    #[test]
    fn some_members_are_not_set_by_hand() {
        for name in ["alg", "typ", "kid", "crit", "b64", "jwk", "jku", "x5u", "x5c"] {
            assert_eq!(Signer::new(&key()).header(name, "x").err(), Some(Error::HeaderMemberReserved), "{name}");
        }
        let key = key();
        let twice = Signer::new(&key).header("a", 1).unwrap().header("a", 2);
        assert_eq!(twice.err(), Some(Error::HeaderMemberReserved));
    }

    #[test]
    fn claims_are_one_object_without_repeated_names() {
        #[derive(Serialize)]
        struct Claims {
            sub: &'static str,
            #[serde(flatten)]
            custom: HashMap<&'static str, &'static str>,
        }
        let repeated = Claims { sub: "one", custom: HashMap::from([("sub", "two")]) };
        assert_eq!(sign(&key(), "JWT", &repeated), Err(Error::DuplicateMember(Part::Payload)));
        assert_eq!(sign(&key(), "JWT", &["not", "an", "object"]), Err(Error::ClaimsNotJsonObject));
        assert_eq!(sign(&key(), "JWT", &HashMap::from([((1, 2), 3)])), Err(Error::ClaimsNotSerializable));
    }
}
