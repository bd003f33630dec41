//! The refresh token itself: a session id and a serial under a keyed tag.
//!
//! `cfr_` + base64url( version 1 ‖ key id 1 ‖ session id 16 ‖ serial 8 ‖ tag 16 ), where the tag is the first 16 bytes
//! of HMAC-SHA-256 (RFC 2104) over a label and everything before it. 128 bits of tag make a guess succeed with a chance
//! of 2⁻¹²⁸ (RFC 6749 §10.10). Nothing of the token is stored: a retry rebuilds the same text, and a stolen database
//! holds no usable token. The prefix lets secret scanners find leaked ones.

use super::row::Serial;
use crate::{id::SessionId, secret::SecretKey};
use aws_lc_rs::hmac;
use base64_simd::URL_SAFE_NO_PAD;
use std::fmt;

/// What every refresh token begins with.
pub const TOKEN_PREFIX: &str = "cfr_";

const VERSION: u8 = 1;
const TAG_LABEL: &[u8] = b"cf-rt";
const TAG_BYTES: usize = 16;
const SIGNED_BYTES: usize = 1 + 1 + 16 + 8;
const TOKEN_BYTES: usize = SIGNED_BYTES + TAG_BYTES;

/// Which key made a tag.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RefreshKeyId(pub u8);

/// A key for tags, kept with the signing keys and never in the session table. It does not print.
pub struct RefreshKey {
    id: RefreshKeyId,
    key: hmac::Key,
}

impl RefreshKey {
    /// The key with this id and secret.
    pub fn new(id: RefreshKeyId, secret: &SecretKey) -> Self {
        Self { id, key: hmac::Key::new(hmac::HMAC_SHA256, secret.expose()) }
    }

    fn tag(&self, signed: &[u8; SIGNED_BYTES]) -> [u8; TAG_BYTES] {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(TAG_LABEL);
        context.update(signed);
        let mut tag = [0; TAG_BYTES];
        for (to, from) in tag.iter_mut().zip(context.sign().as_ref()) {
            *to = *from;
        }
        tag
    }
}

/// The keys a server knows: one that makes new tokens, and older ones whose tokens are still honoured.
pub struct RefreshKeys {
    active: RefreshKey,
    older: Vec<RefreshKey>,
}

impl RefreshKeys {
    /// Keys with `active` for new tokens and `older` for those still about.
    pub const fn new(active: RefreshKey, older: Vec<RefreshKey>) -> Self {
        Self { active, older }
    }

    fn find(&self, id: RefreshKeyId) -> Option<&RefreshKey> {
        std::iter::once(&self.active).chain(&self.older).find(|key| key.id == id)
    }
}

/// Why a text is not one of our refresh tokens. All of them are `invalid_grant` outside: which one it was helps only a
/// forger (RFC 6749 §5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefreshTokenError {
    /// It does not begin with [`TOKEN_PREFIX`], has another length, or is not canonical base64url.
    #[error("not a refresh token")]
    Malformed,
    /// A version of the format, or a key, that this server does not know.
    #[error("refresh token of an unknown version or key")]
    UnknownKey,
    /// The tag is not ours.
    #[error("refresh token with a wrong tag")]
    Forged,
}

/// A refresh token whose tag was checked or just made: which session, and which place in it.
///
/// Not a secret by itself; its text ([`RefreshToken::issue`]) is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct RefreshToken {
    /// The session the token belongs to.
    pub session: SessionId,
    /// Its place in the session.
    pub serial: Serial,
}

impl RefreshToken {
    /// The text of the token, made with the active key. The same token and key always give the same text.
    pub fn issue(&self, keys: &RefreshKeys) -> String {
        self.issue_with(&keys.active)
    }

    fn issue_with(&self, key: &RefreshKey) -> String {
        let signed = self.signed_bytes(key.id);
        let mut bytes = [0; TOKEN_BYTES];
        for (to, from) in bytes.iter_mut().zip(signed.iter().chain(&key.tag(&signed))) {
            *to = *from;
        }
        let mut text = String::with_capacity(TOKEN_PREFIX.len() + URL_SAFE_NO_PAD.encoded_length(TOKEN_BYTES));
        text.push_str(TOKEN_PREFIX);
        URL_SAFE_NO_PAD.encode_append(bytes, &mut text);
        text
    }

    /// Parses and checks a presented text: length, canonical base64url, version, key, tag. No store is asked.
    ///
    /// # Errors
    /// [`RefreshTokenError`]: the text is not a refresh token that one of `keys` made.
    pub fn parse(text: &str, keys: &RefreshKeys) -> Result<Self, RefreshTokenError> {
        let malformed = RefreshTokenError::Malformed;
        let encoded = text.strip_prefix(TOKEN_PREFIX).ok_or(malformed)?;
        // 42 bytes are exactly 56 characters: there are no unused bits, so every token has one spelling (RFC 4648 §3.5).
        if encoded.len() != URL_SAFE_NO_PAD.encoded_length(TOKEN_BYTES) {
            return Err(malformed);
        }
        let bytes: [u8; TOKEN_BYTES] =
            URL_SAFE_NO_PAD.decode_to_vec(encoded).ok().and_then(|bytes| bytes.try_into().ok()).ok_or(malformed)?;
        let (signed, tag) = bytes.split_first_chunk::<SIGNED_BYTES>().ok_or(malformed)?;
        let ([version, key_id], rest) = signed.split_first_chunk::<2>().ok_or(malformed)?;
        let (session, serial) = rest.split_first_chunk::<16>().ok_or(malformed)?;
        let serial = serial.first_chunk::<8>().ok_or(malformed)?;

        let key =
            keys.find(RefreshKeyId(*key_id)).filter(|_| *version == VERSION).ok_or(RefreshTokenError::UnknownKey)?;
        aws_lc_rs::constant_time::verify_slices_are_equal(&key.tag(signed), tag)
            .map_err(|_| RefreshTokenError::Forged)?;
        Ok(Self { session: SessionId::from_bytes(*session), serial: Serial::from_raw(i64::from_be_bytes(*serial)) })
    }

    fn signed_bytes(&self, key: RefreshKeyId) -> [u8; SIGNED_BYTES] {
        let mut bytes = [0; SIGNED_BYTES];
        let serial = self.serial.as_raw().to_be_bytes();
        let parts = [VERSION, key.0].into_iter().chain(*self.session.as_bytes()).chain(serial);
        for (to, from) in bytes.iter_mut().zip(parts) {
            *to = from;
        }
        bytes
    }
}

impl fmt::Display for RefreshKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(id: u8, secret: u8) -> RefreshKey {
        RefreshKey::new(RefreshKeyId(id), &SecretKey::from_bytes([secret; 32]))
    }

    fn keys() -> RefreshKeys {
        RefreshKeys::new(key(2, 2), vec![key(1, 1)])
    }

    const TOKEN: RefreshToken =
        RefreshToken { session: SessionId::from_bytes([7; 16]), serial: Serial::from_raw(1_700_000_000_000) };

    #[test]
    fn tokens_come_back_and_are_always_the_same_text() {
        let text = TOKEN.issue(&keys());
        assert_eq!(text, TOKEN.issue(&keys()));
        assert_eq!(text.len(), 60);
        assert_eq!(RefreshToken::parse(&text, &keys()), Ok(TOKEN));
    }

    #[test]
    fn older_keys_are_honoured_and_unknown_ones_are_not() {
        assert_eq!(RefreshToken::parse(&TOKEN.issue_with(&key(1, 1)), &keys()), Ok(TOKEN));
        let unknown = RefreshToken::parse(&TOKEN.issue_with(&key(3, 1)), &keys());
        assert_eq!(unknown, Err(RefreshTokenError::UnknownKey));
        let same_id_other_secret = RefreshToken::parse(&TOKEN.issue_with(&key(2, 9)), &keys());
        assert_eq!(same_id_other_secret, Err(RefreshTokenError::Forged));
    }

    #[test]
    fn every_other_text_is_refused() {
        let text = TOKEN.issue(&keys());
        // Each single character replaced by each other one of the alphabet.
        for position in 0..text.len() {
            for other in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/. \n".chars() {
                let mut forged: Vec<char> = text.chars().collect();
                if forged[position] != other {
                    forged[position] = other;
                    let forged: String = forged.into_iter().collect();
                    assert!(RefreshToken::parse(&forged, &keys()).is_err(), "{forged}");
                }
            }
        }
        for other in
            ["", "cfr_", &text[1..], &text[..59], &format!("{text}A"), &format!("{text}="), &text.to_uppercase()]
        {
            assert!(RefreshToken::parse(other, &keys()).is_err(), "{other}");
        }
    }

    proptest! {
        #[test]
        fn any_session_and_serial_survive(session: [u8; 16], serial: i64) {
            let token = RefreshToken { session: SessionId::from_bytes(session), serial: Serial::from_raw(serial) };
            prop_assert_eq!(RefreshToken::parse(&token.issue(&keys()), &keys()), Ok(token));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text: String) {
            prop_assert!(RefreshToken::parse(&text, &keys()).is_err());
        }
    }
}
