//! What people paste: a token, and often what stood around it.

use counterfoil_domain::{opaque::SecretKind, rotation::TOKEN_PREFIX};

/// The token within what was pasted: without quotes, a header's name, or an authentication scheme.
pub(super) fn token_in(pasted: &str) -> &str {
    let text = without_quotes(pasted);
    let text = strip_prefix_ignoring_case(text, "authorization:").unwrap_or(text).trim();
    // RFC 9110 §11.1: the scheme's name is case-insensitive. DPoP is the other one that carries a JWT (RFC 9449 §7.1).
    let scheme = ["bearer", "dpop"].into_iter().find_map(|scheme| {
        strip_prefix_ignoring_case(text, scheme).filter(|rest| rest.starts_with(char::is_whitespace))
    });
    without_quotes(scheme.unwrap_or(text))
}

/// Whether it is one of our refresh tokens, which no reader can take apart.
pub(super) fn is_refresh_token(token: &str) -> bool {
    token.starts_with(TOKEN_PREFIX)
}

/// Whether it is one of our opaque secrets: a personal token or a session's id.
pub(super) fn is_opaque_secret(token: &str) -> bool {
    [SecretKind::PersonalToken, SecretKind::SessionId].iter().any(|kind| token.starts_with(kind.prefix()))
}

fn without_quotes(text: &str) -> &str {
    text.trim_matches(|character: char| character.is_whitespace() || matches!(character, '"' | '\'' | '`' | ',' | ';'))
}

fn strip_prefix_ignoring_case<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_around_a_token_goes() {
        for pasted in [
            "eyJ.e30.x",
            "  eyJ.e30.x\r\n",
            "Bearer eyJ.e30.x",
            "bearer  eyJ.e30.x",
            "Authorization: Bearer eyJ.e30.x",
            "authorization:Bearer eyJ.e30.x",
            "'Authorization: Bearer eyJ.e30.x'",
            "DPoP eyJ.e30.x",
            "\"eyJ.e30.x\",",
            "Authorization: eyJ.e30.x",
        ] {
            assert_eq!(token_in(pasted), "eyJ.e30.x", "{pasted}");
        }
        assert_eq!(token_in("Bearer"), "Bearer");
        assert_eq!(token_in("bearerx.y.z"), "bearerx.y.z");
        assert_eq!(token_in("한글"), "한글");
        assert!(
            is_opaque_secret(token_in("Bearer cfp_AAAA")) && is_opaque_secret("cfs_x") && !is_opaque_secret("cfr_x")
        );
        assert!(is_refresh_token(token_in("Bearer cfr_AAAA")) && !is_refresh_token("eyJ.cfr_.x"));
    }
}
