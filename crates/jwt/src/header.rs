//! The JOSE header (RFC 7515 §4): read once, strictly, and never believed about keys.
//!
//! Of all that a header may carry, four members matter: `alg` is compared with what the policy allows, `kid` picks among
//! the keys that the caller configured, `typ` keeps kinds of token apart, and `crit` is refused. The members that offer a
//! key or say where to fetch one (`jwk`, `jku`, `x5u`, `x5c`) are not read at all: a token does not vouch for itself.

use std::borrow::Cow;

use crate::algorithm::Algorithm;
use crate::error::Part;
use crate::json::{self, Value};
use crate::text::ShortText;
use crate::{Error, Policy};

/// What an accepted token's header said. The rest of the header has been checked and dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    pub(crate) algorithm: Algorithm,
    pub(crate) key_id: Option<ShortText>,
    pub(crate) token_type: Option<ShortText>,
}

impl Header {
    /// The algorithm of the signature.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// `kid`, as the token spelt it. It comes from the signer, but it is still only text: quote it before using it.
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_ref().map(ShortText::as_str)
    }

    /// `typ`, as the token spelt it.
    pub fn token_type(&self) -> Option<&str> {
        self.token_type.as_ref().map(ShortText::as_str)
    }
}

/// A header that the policy lets pass; the key is not chosen yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AdmittedHeader<'a> {
    pub(crate) algorithm: Algorithm,
    pub(crate) key_id: Option<Cow<'a, str>>,
    pub(crate) token_type: Option<Cow<'a, str>>,
}

impl<'a> AdmittedHeader<'a> {
    /// Reads the decoded header and holds it against the policy.
    pub(crate) fn parse(json: &'a [u8], policy: &Policy) -> Result<Self, Error> {
        let text = std::str::from_utf8(json).map_err(|_| Error::NotUtf8(Part::Header))?;
        if let Some([Some(alg), typ, kid]) = plain_members(text) {
            let (typ, kid) = (typ.map(Cow::Borrowed), kid.map(Cow::Borrowed));
            return Self::admit(alg, typ, kid, policy);
        }
        let (mut alg, mut typ, mut kid, mut crit, mut b64) = (None, None, None, None, None);
        json::walk_object(text, policy.max_depth, |name, value| match name {
            "alg" => alg = Some(value),
            "typ" => typ = Some(value),
            "kid" => kid = Some(value),
            "crit" => crit = Some(value),
            "b64" => b64 = Some(value),
            _ => {}
        })
        .map_err(|fault| fault.in_header(policy.max_depth))?;

        let alg = string("alg", alg)?.ok_or(Error::AlgorithmMissing)?;
        admit_algorithm(&alg, policy)?;
        match b64 {
            None | Some(Value::Bool(true)) => {}
            Some(Value::Bool(false)) => return Err(Error::UnencodedPayload),
            Some(_) => return Err(Error::HeaderMemberWrongType("b64")),
        }
        if let Some(crit) = crit {
            return Err(refuse_critical(&crit));
        }
        Self::admit(&alg, string("typ", typ)?, string("kid", kid)?, policy)
    }

    fn admit(
        alg: &str,
        token_type: Option<Cow<'a, str>>,
        key_id: Option<Cow<'a, str>>,
        policy: &Policy,
    ) -> Result<Self, Error> {
        let header = Self { algorithm: admit_algorithm(alg, policy)?, key_id, token_type };
        header.hold_against(policy)?;
        Ok(header)
    }

    /// What the policy says to a header that has been read: by the algorithm's own name, which is all that is left of it.
    #[inline]
    pub(crate) fn hold_against(&self, policy: &Policy) -> Result<(), Error> {
        if !policy.algorithms.contains(self.algorithm) {
            return Err(Error::AlgorithmNotAllowed);
        }
        if !policy.accepts_type(self.token_type.as_deref()) {
            return Err(Error::TypeMismatch);
        }
        Ok(())
    }

    /// The same with text of its own.
    pub(crate) fn to_owned_text(&self) -> AdmittedHeader<'static> {
        let owned = |text: &Cow<'_, str>| Cow::Owned(text.clone().into_owned());
        AdmittedHeader {
            algorithm: self.algorithm,
            key_id: self.key_id.as_ref().map(owned),
            token_type: self.token_type.as_ref().map(owned),
        }
    }

    pub(crate) fn to_header(&self) -> Header {
        Header {
            algorithm: self.algorithm,
            key_id: self.key_id.as_deref().map(ShortText::new),
            token_type: self.token_type.as_deref().map(ShortText::new),
        }
    }
}

/// `alg`, `typ` and `kid` of a header that has no other members and spells these plainly.
pub(crate) fn plain_members(text: &str) -> Option<[Option<&str>; 3]> {
    json::plain_strings(text, ["\"alg\":", "\"typ\":", "\"kid\":"])
}

/// An absent member is fine, one of another type is not.
fn string<'a>(name: &'static str, value: Option<Value<'a>>) -> Result<Option<Cow<'a, str>>, Error> {
    match value {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Error::HeaderMemberWrongType(name)),
    }
}

/// The allow-list decides (RFC 8725 §3.1). That `none` has a code of its own is for whoever reads the log: an unsigned
/// token is an attack, an unusual algorithm more often a misconfiguration.
fn admit_algorithm(name: &str, policy: &Policy) -> Result<Algorithm, Error> {
    let algorithm = match Algorithm::from_name(name) {
        Some(algorithm) => algorithm,
        None if policy.ed25519_name && name == crate::algorithm::ED25519_NAME => Algorithm::EdDsa,
        None if name.trim().eq_ignore_ascii_case("none") => return Err(Error::AlgorithmNone),
        None => return Err(Error::AlgorithmNotAllowed),
    };
    if policy.algorithms.contains(algorithm) { Ok(algorithm) } else { Err(Error::AlgorithmNotAllowed) }
}

/// No extension is implemented, so `crit` never ends well (RFC 7515 §4.1.11); this only finds the right words.
fn refuse_critical(crit: &Value<'_>) -> Error {
    /// Defined by RFC 7515 §4.1, RFC 7516 §4.1 and RFC 7518 §4: names that must not be declared critical.
    const STANDARD: [&str; 20] = [
        "alg", "jku", "jwk", "kid", "x5u", "x5c", "x5t", "x5t#S256", "typ", "cty", "crit", "enc", "zip", "epk", "apu",
        "apv", "iv", "tag", "p2s", "p2c",
    ];
    let Value::Array(names) = crit else {
        return Error::CriticalHeaderMalformed;
    };
    let (mut count, mut names_standard) = (0, false);
    let all_strings = json::strings(names, |name| {
        count += 1;
        names_standard |= STANDARD.contains(&name.as_ref());
    });
    if count == 0 || !all_strings || names_standard {
        Error::CriticalHeaderMalformed
    } else {
        Error::CriticalHeaderUnsupported
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse<'a>(json: &'a str, policy: &Policy) -> Result<AdmittedHeader<'a>, Error> {
        AdmittedHeader::parse(json.as_bytes(), policy)
    }

    #[test]
    fn the_four_members_are_read_and_others_are_left_alone() {
        let header = r#"{"typ":"JWT","alg":"ES256","kid":"a\u0062","jku":"https://evil.example","x":[{}],"b64":true}"#;
        let admitted = parse(header, &Policy::new(Algorithm::Es256)).unwrap();
        assert_eq!(admitted.key_id.as_deref(), Some("ab"));
        let header = admitted.to_header();
        assert_eq!((header.algorithm(), header.token_type()), (Algorithm::Es256, Some("JWT")));
    }

    #[test]
    fn each_ill_formed_header_has_its_code() {
        let policy = Policy::new([Algorithm::Es256, Algorithm::Hs256]);
        for (header, expected) in [
            ("", Error::HeaderNotJsonObject),
            ("null", Error::HeaderNotJsonObject),
            (r#"["alg"]"#, Error::HeaderNotJsonObject),
            (r#"{"alg":"ES256"} {}"#, Error::HeaderNotJsonObject),
            ("{}", Error::AlgorithmMissing),
            (r#"{"alg":null}"#, Error::HeaderMemberWrongType("alg")),
            (r#"{"alg":["ES256"]}"#, Error::HeaderMemberWrongType("alg")),
            (r#"{"alg":"none"}"#, Error::AlgorithmNone),
            (r#"{"alg":"nOnE"}"#, Error::AlgorithmNone),
            (r#"{"alg":"\u006eone"}"#, Error::AlgorithmNone),
            (r#"{"alg":" none\t"}"#, Error::AlgorithmNone),
            (r#"{"alg":""}"#, Error::AlgorithmNotAllowed),
            (r#"{"alg":"es256"}"#, Error::AlgorithmNotAllowed),
            (r#"{"alg":"ES256K"}"#, Error::AlgorithmNotAllowed),
            (r#"{"alg":"EdDSA"}"#, Error::AlgorithmNotAllowed),
            (r#"{"alg":"ES256","alg":"none"}"#, Error::DuplicateMember(Part::Header)),
            (r#"{"alg":"ES256","x":{"y":1,"y":1}}"#, Error::DuplicateMember(Part::Header)),
            (r#"{"alg":"ES256","kid":7}"#, Error::HeaderMemberWrongType("kid")),
            (r#"{"alg":"ES256","typ":null}"#, Error::HeaderMemberWrongType("typ")),
            (r#"{"alg":"ES256","b64":false}"#, Error::UnencodedPayload),
            (r#"{"alg":"ES256","b64":false,"crit":["b64"]}"#, Error::UnencodedPayload),
            (r#"{"alg":"ES256","b64":"false"}"#, Error::HeaderMemberWrongType("b64")),
            (r#"{"alg":"ES256","b64":true,"crit":["b64"]}"#, Error::CriticalHeaderUnsupported),
            (r#"{"alg":"ES256","crit":["exp"],"exp":1}"#, Error::CriticalHeaderUnsupported),
            (r#"{"alg":"ES256","crit":[]}"#, Error::CriticalHeaderMalformed),
            (r#"{"alg":"ES256","crit":"exp"}"#, Error::CriticalHeaderMalformed),
            (r#"{"alg":"ES256","crit":null}"#, Error::CriticalHeaderMalformed),
            (r#"{"alg":"ES256","crit":["exp",1]}"#, Error::CriticalHeaderMalformed),
            (r#"{"alg":"ES256","crit":["alg"]}"#, Error::CriticalHeaderMalformed),
        ] {
            assert_eq!(parse(header, &policy), Err(expected), "{header}");
        }
        assert_eq!(AdmittedHeader::parse(b"{\"alg\":\"\xff\"}", &policy), Err(Error::NotUtf8(Part::Header)));
        let deep = format!("{{\"alg\":\"ES256\",\"x\":{}{}}}", "[".repeat(40), "]".repeat(40));
        assert!(matches!(parse(&deep, &policy), Err(Error::TooDeep { part: Part::Header, .. })));
    }

    /// Headers that are read the short way, each beside a spelling that is not: both must come to the same.
    #[test]
    fn the_short_way_and_the_long_way_agree() {
        let policy = Policy::new([Algorithm::Es256, Algorithm::EdDsa]).token_type("JWT");
        for header in [
            r#"{"alg":"ES256","typ":"JWT","kid":"a"}"#,
            r#"{"alg":"ES256","typ":"JWT"}"#,
            r#"{"alg":"ES256","kid":"a"}"#,
            r#"{"alg":"ES256"}"#,
            r#"{"alg":"EdDSA","typ":"JWT"}"#,
            r#"{"alg":"HS256","typ":"JWT"}"#,
            r#"{"alg":"none","typ":"JWT"}"#,
            r#"{"typ":"JWT"}"#,
            r#"{"alg":"ES256","typ":"JWT","typ":"JWT"}"#,
            r#"{"alg":"ES256","typ":"JWT","alg":"none"}"#,
            r#"{"alg":"ES256",,"typ":"JWT"}"#,
            r#"{,"alg":"ES256","typ":"JWT"}"#,
            r#"{"alg":"ES256","typ":"JWT",}"#,
            r#"{"alg":"ES256""typ":"JWT"}"#,
            r#"{"alg":"ES256","typ":"JWT"}}"#,
            r#"{"alg":"ES256","typ":"JWT""#,
            r#"{"alg":"ES256","typ":"JWT","kid":"a"b"}"#,
            "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"a\nb\"}",
            "{}",
        ] {
            assert_eq!(parse(header, &policy), parse(&format!(" {header}"), &policy), "{header}");
        }
    }

    #[test]
    fn the_newer_name_of_eddsa_is_accepted_only_by_configuration() {
        let header = r#"{"alg":"Ed25519"}"#;
        assert_eq!(parse(header, &Policy::new(Algorithm::EdDsa)), Err(Error::AlgorithmNotAllowed));
        assert!(parse(header, &Policy::new(Algorithm::EdDsa).allow_ed25519_name()).is_ok());
        assert!(parse(header, &Policy::new(Algorithm::Es256).allow_ed25519_name()).is_err());
    }
}
