//! What can be read in a refresh token without its key.

use base64_simd::URL_SAFE_NO_PAD;
use counterfoil_domain::{rotation::TOKEN_PREFIX, time::UnixMillis};

/// When the server minted a refresh token: bytes 18 to 25 of it (version, key id, session id, *serial*, tag).
pub(crate) fn minted_at(refresh_token: &str) -> Option<UnixMillis> {
    let bytes = URL_SAFE_NO_PAD.decode_to_vec(refresh_token.strip_prefix(TOKEN_PREFIX)?).ok()?;
    Some(UnixMillis::from_millis(i64::from_be_bytes(bytes.get(18..26)?.try_into().ok()?)))
}
