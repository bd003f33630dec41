//! English.

use super::Text;

pub(super) const fn text(text: Text) -> &'static str {
    match text {
        Text::NotVerified => "Not verified: this is what the token says of itself, and anybody can write one.",
        Text::HowToVerify => "To check it: counterfoil token verify --key FILE TOKEN",
        Text::Header => "Header",
        Text::Claims => "Claims",
        Text::Payload => "Payload: {bytes} bytes",
        Text::Signature => "Signature: {bytes} bytes, not checked",
        Text::Mind => "Mind",
        Text::Nothing => "(none)",
        Text::PasteHere => "Paste a token and press Enter:",
        Text::RefreshToken => {
            "this is a Counterfoil refresh token, not a JWT. There is nothing in it to read: the server alone \
             understands it, and trades it for new tokens at POST /v1/sessions/current/refresh. It is as secret as a \
             password; if somebody else has seen it, end the session (counterfoil session end)."
        }
        Text::OpaqueSecret => {
            "this is a Counterfoil personal token or session id, not a JWT. There is nothing in it to read: it is random, and \
             the server finds by it what it stands for. It is as secret as a password; if somebody else has seen it, end it \
             (DELETE /v1/personal-tokens/ID, or counterfoil session end)."
        }

        Text::AlgSecret => "signed with a shared secret",
        Text::AlgPrivateKey => "signed with a private key",
        Text::AlgUnknown => "no signature algorithm known here",
        Text::TypAccessToken => "the type: an access token (RFC 9068)",
        Text::Typ => "the type of token",
        Text::Kid => "which key signed; proves nothing by itself",
        Text::Cty => "the type of the payload",
        Text::Crit => "extensions that must be understood",
        Text::OfferedKey => "a key that the token offers for itself; never use it",
        Text::Fingerprint => "the fingerprint of a certificate; proves nothing by itself",
        Text::Enc => "how the content is encrypted",
        Text::B64 => "whether the payload is base64url; in a JWT it always is",

        Text::Iss => "who signed it",
        Text::Sub => "whom it speaks about",
        Text::Aud => "for whom it is",
        Text::Exp => "ends {date}, {distance}",
        Text::Expired => "ended {date}, {distance}",
        Text::Nbf => "not before {date}, {distance}",
        Text::Iat => "signed {date}, {distance}",
        Text::Jti => "the token's own id",
        Text::NotADate => "should be a date: a number of seconds since 1970",
        Text::AfterYear9999 => "after the year 9999",

        Text::AuthTime => "signed in {date}, {distance}",
        Text::ClientId => "the application it was issued to",
        Text::Scope => "what it may do",
        Text::Sid => "the session it belongs to",
        Text::Gen => "the account's generation; signing out everywhere raises it",
        Text::Cnf => "bound to a key (RFC 7800)",
        Text::Amr => "how they signed in",
        Text::Acr => "how surely they signed in",
        Text::Nonce => "ties it to one sign-in request",
        Text::HashOfAnother => "ties it to another token or code",
        Text::Policy => "how the session is carried and goes on",
        Text::Roles => "what its owner is, for the application to judge",
        Text::Act => "who acts on the subject's behalf (RFC 8693)",
        Text::UpdatedAt => "changed {date}, {distance}",
        Text::Verified => "whether the issuer has checked that",
        Text::Person => "about the person; not hidden from anybody",

        Text::WarnAlgMissing => "there is no alg: no verifier can accept this",
        Text::WarnAlgNone => "alg is none: the token is not signed, and no verifier must accept it",
        Text::WarnSignatureEmpty => "the signature is empty",
        Text::WarnOfferedKey => "{name} offers a key; a verifier must use its own (RFC 8725 §3.10)",
        Text::WarnCrit => "crit names extensions; a verifier that does not know them must refuse",
        Text::WarnKid => {
            "kid looks like a path, an address or a command; a verifier must only compare it with the ids of its own \
             keys (RFC 8725 §3.10)"
        }
        Text::WarnNoClaims => "no claims to explain: {reason}",
        Text::WarnNoExp => "there is no exp: the token never ends by itself",
        Text::WarnExpNotADate => "exp is not a date: no verifier can accept this",
        Text::WarnExpired => "the token has ended",
        Text::WarnNotYetValid => "the token is not valid yet",
        Text::WarnIssuedInFuture => "iat is in the future: a clock is wrong, here or where it was signed",
        Text::WarnNoAud => "there is no aud: nothing says for whom the token is",
        Text::WarnLongLife => "it is good for {span}: whoever copies it has it for that long",
        Text::WarnPersonal => "everybody who sees the token can read this personal data: {names}",
        Text::WarnSecret => "this looks like a secret, and a payload hides nothing: {names}",

        Text::LooksLikeEmail => "looks like an e-mail address",
        Text::LooksLikeCard => "looks like a card number",
        Text::LooksLikeResidentNumber => "looks like a resident registration number",
        Text::LooksLikePhone => "looks like a phone number",
    }
}
