//! Looking at a token without believing it: for debuggers and support, never for decisions.

use crate::error::Part;
use crate::json;
use crate::verify::split;
use crate::{Error, Policy, base64url};

/// What a token claims about itself. Nothing in it has been checked but its form: anybody can write such a token.
///
/// It shares no type with [`Verified`](crate::Verified), so it cannot be handed on by mistake.
#[derive(Debug, Clone)]
pub struct UnverifiedToken {
    header_json: String,
    payload: Vec<u8>,
    signature_bytes: usize,
}

impl UnverifiedToken {
    /// Takes a token apart without a key. Its parts must be base64url and its header a JSON object without repeated names.
    pub fn decode(token: &str) -> Result<Self, Error> {
        if token.len() > Self::MAX_BYTES {
            return Err(Error::TooLarge { what: "token", limit_bytes: Self::MAX_BYTES });
        }
        let parts = split(token)?;
        let decode = |text, part| base64url::decode(text).map_err(|_| Error::Base64UrlNotCanonical(part));
        let header_json =
            String::from_utf8(decode(parts.header, Part::Header)?).map_err(|_| Error::NotUtf8(Part::Header))?;
        check_object(&header_json, Part::Header)?;
        Ok(Self {
            header_json,
            payload: decode(parts.payload, Part::Payload)?,
            signature_bytes: decode(parts.signature, Part::Signature)?.len(),
        })
    }

    /// The longest text that is taken apart.
    pub const MAX_BYTES: usize = 256 * 1024;

    /// The header, as the token spelt it: one JSON object.
    pub fn header_json(&self) -> &str {
        &self.header_json
    }

    /// The payload, whatever it is.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The payload as claims: one JSON object without repeated names.
    pub fn claims_json(&self) -> Result<&str, Error> {
        let claims_json = std::str::from_utf8(&self.payload).map_err(|_| Error::NotUtf8(Part::Payload))?;
        check_object(claims_json, Part::Payload)?;
        Ok(claims_json)
    }

    /// How long the signature is; an unsigned token has an empty one.
    pub fn signature_bytes(&self) -> usize {
        self.signature_bytes
    }
}

fn check_object(json: &str, part: Part) -> Result<(), Error> {
    let limit_levels = Policy::DEFAULT_MAX_DEPTH;
    json::walk_object(json, limit_levels, |_, _| ()).map_err(|fault| match part {
        Part::Header => fault.in_header(limit_levels),
        _ => fault.in_payload(limit_levels),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unsigned_token_can_be_looked_at() {
        let token = UnverifiedToken::decode("eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UifQ.").unwrap();
        assert_eq!(token.header_json(), r#"{"alg":"none"}"#);
        assert_eq!(token.claims_json(), Ok(r#"{"iss":"joe"}"#));
        assert_eq!(token.signature_bytes(), 0);
    }

    #[test]
    fn what_has_no_form_is_refused() {
        for (token, code) in [
            ("", "not_a_compact_jws"),
            ("a.b", "not_a_compact_jws"),
            ("a.b.c.d", "not_a_compact_jws"),
            ("a.b.c.d.e", "encrypted_token"),
            ("a.b.c", "base64url_not_canonical"),
            ("..", "header_not_json_object"),
            ("eyJhIjoxLCJhIjoxfQ..", "duplicate_member"),
        ] {
            assert_eq!(UnverifiedToken::decode(token).unwrap_err().code(), code, "{token}");
        }
    }
}
