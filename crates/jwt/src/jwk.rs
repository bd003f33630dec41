//! One JWK, read strictly (RFC 7517 §4): what it says about itself before it becomes a typed key.

use std::borrow::Cow;

use zeroize::Zeroizing;

use crate::Error;
use crate::algorithm::{Algorithm, Family};
use crate::json::{self, Fault, Value};
use crate::key::{KeyId, decode_member};

/// What a key is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Sign,
    Verify,
}

/// Members are kept as text until a typed key asks for them; unknown ones are ignored, as RFC 7517 §4 requires.
#[derive(Default)]
pub(crate) struct Jwk<'a> {
    texts: Vec<(&'static str, Cow<'a, str>)>,
    operations: Option<Operations>,
    has_other_primes: bool,
    /// What is wrong with the document itself, found on the way.
    fault: Option<&'static str>,
}

/// `key_ops` (RFC 7517 §4.3), reduced to what matters here.
#[derive(Default, Clone, Copy)]
struct Operations {
    sign: bool,
    verify: bool,
    other: bool,
}

/// The string members that some kind of key uses.
const TEXT_MEMBERS: [&str; 16] =
    ["kty", "use", "alg", "kid", "crv", "x", "y", "n", "e", "k", "d", "p", "q", "dp", "dq", "qi"];

const WRONG_TYPE: &str = "a member has the wrong JSON type";

/// A JWK is flat, but members of extensions may not be (`x5c`, for one).
pub(crate) const MAX_DEPTH: usize = 8;

impl<'a> Jwk<'a> {
    pub(crate) fn parse(json: &'a str) -> Result<Self, Error> {
        let mut jwk = Self::default();
        json::walk_object(json, MAX_DEPTH, |name, value| jwk.take(name, value)).map_err(malformed)?;
        match jwk.fault {
            Some(fault) => Err(Error::KeyMalformed(fault)),
            None => Ok(jwk),
        }
    }

    fn take(&mut self, name: &str, value: Value<'a>) {
        if let Some(member) = TEXT_MEMBERS.iter().find(|member| **member == name) {
            match value {
                Value::String(text) => self.texts.push((member, text)),
                _ => self.fault = Some(WRONG_TYPE),
            }
        } else if name == "key_ops" {
            let parsed = if let Value::Array(array) = value { Operations::parse(array) } else { Err(WRONG_TYPE) };
            match parsed {
                Ok(operations) => self.operations = Some(operations),
                Err(fault) => self.fault = Some(fault),
            }
        } else if name == "oth" {
            self.has_other_primes = true;
        }
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.texts.iter().find(|(member, _)| *member == name).map(|(_, text)| text.as_ref())
    }

    /// The type of key: one of `oct`, `RSA`, `EC` and `OKP`.
    pub(crate) fn kty(&self) -> Result<&str, Error> {
        match self.text("kty") {
            Some(kty @ ("oct" | "RSA" | "EC" | "OKP")) => Ok(kty),
            Some(_) => Err(Error::KeyUnsupported("an unknown `kty`")),
            None => Err(Error::KeyMalformed("`kty` is missing")),
        }
    }

    pub(crate) fn key_id(&self) -> Result<Option<KeyId>, Error> {
        self.text("kid").map(KeyId::new).transpose()
    }

    /// The bytes of a public member, which must be there.
    pub(crate) fn public(&self, name: &str) -> Result<Vec<u8>, Error> {
        decode_member(self.text(name).ok_or(Error::KeyMalformed("a public member is missing"))?)
    }

    /// The bytes of a private member.
    pub(crate) fn private(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
        decode_member(self.text(name).ok_or(Error::PrivateKeyMissing)?).map(Zeroizing::new)
    }

    /// Whether it is an RSA key of more than two primes (RFC 7518 §6.3.2.7).
    pub(crate) fn has_other_primes(&self) -> bool {
        self.has_other_primes
    }

    /// The one algorithm that this key is for, if it may serve the purpose at all.
    ///
    /// Everything that speaks about it must agree: `use`, `key_ops`, `alg`, `kty` with `crv`, and the caller.
    pub(crate) fn algorithm_for(&self, purpose: Purpose, asked_for: Option<Algorithm>) -> Result<Algorithm, Error> {
        self.check_use(purpose)?;
        let named = match self.text("alg") {
            Some(name) => Some(
                Algorithm::from_key_name(name)
                    .ok_or(Error::KeyUnsupported("an `alg` that is no signature algorithm here"))?,
            ),
            None => None,
        };
        if let (Some(named), Some(asked_for)) = (named, asked_for)
            && named != asked_for
        {
            return Err(Error::KeyNotForThisUse("its `alg` is another than the one asked for"));
        }
        let by_kind = self.algorithm_by_curve()?;
        let algorithm = named.or(asked_for).or(by_kind).ok_or(Error::KeyAlgorithmMissing)?;
        let fits = match (self.kty()?, algorithm.family()) {
            ("oct", Family::Hmac) | ("RSA", Family::RsaPkcs1 | Family::RsaPss) => true,
            ("EC" | "OKP", _) => by_kind == Some(algorithm),
            _ => false,
        };
        if fits { Ok(algorithm) } else { Err(Error::KeyNotForThisUse("its algorithm needs another kind of key")) }
    }

    fn algorithm_by_curve(&self) -> Result<Option<Algorithm>, Error> {
        let crv = || self.text("crv").ok_or(Error::KeyMalformed("`crv` is missing"));
        match self.kty()? {
            "EC" => match crv()? {
                "P-256" => Ok(Some(Algorithm::Es256)),
                "P-384" => Ok(Some(Algorithm::Es384)),
                _ => Err(Error::KeyUnsupported("a curve other than P-256 and P-384")),
            },
            "OKP" => match crv()? {
                "Ed25519" => Ok(Some(Algorithm::EdDsa)),
                _ => Err(Error::KeyUnsupported("a curve other than Ed25519")),
            },
            _ => Ok(None),
        }
    }

    /// RFC 7517 §4.2 and §4.3. A private key marked for signing may lend its public half for verifying.
    fn check_use(&self, purpose: Purpose) -> Result<(), Error> {
        let public_key_use = self.text("use");
        if public_key_use.is_some_and(|name| name != "sig") {
            return Err(Error::KeyNotForThisUse("its `use` is not `sig`"));
        }
        let Some(operations) = self.operations else {
            return Ok(());
        };
        if public_key_use.is_some() && operations.other {
            return Err(Error::KeyNotForThisUse("its `use` and `key_ops` contradict each other"));
        }
        let may = match purpose {
            Purpose::Sign => operations.sign,
            Purpose::Verify => operations.verify || operations.sign,
        };
        if may { Ok(()) } else { Err(Error::KeyNotForThisUse("its `key_ops` do not include this")) }
    }
}

impl Operations {
    fn parse(array: &str) -> Result<Self, &'static str> {
        let mut operations = Self::default();
        let mut seen: Vec<Cow<'_, str>> = Vec::new();
        let mut repeated = false;
        let all_strings = json::strings(array, |name| {
            match name.as_ref() {
                "sign" => operations.sign = true,
                "verify" => operations.verify = true,
                _ => operations.other = true,
            }
            // RFC 7517 §4.3 defines eight; a long list stops being compared and counts as repeated.
            repeated = repeated || seen.len() > 16 || seen.contains(&name);
            seen.push(name);
        });
        match (all_strings, repeated) {
            (true, false) => Ok(operations),
            (true, true) => Err("`key_ops` lists an operation twice"),
            (false, _) => Err(WRONG_TYPE),
        }
    }
}

/// A walk's fault, said of a key document.
pub(crate) fn malformed(fault: Fault) -> Error {
    Error::KeyMalformed(match fault {
        Fault::NotAnObject => "not one JSON object",
        Fault::DuplicateMember => "a member name stands twice",
        Fault::TooDeep => "nested too deep",
    })
}
