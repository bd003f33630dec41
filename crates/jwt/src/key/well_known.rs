//! Private keys that everybody has, because a standard or a debugger prints them.
//!
//! They are known by their RFC 7638 thumbprints, so each is refused in whatever document it comes. What they sign proves
//! nothing, so they are refused for signing. Verifying with their public halves goes on: it is how an implementation is
//! held against the standards' own tokens.

use super::SigningKey;
use crate::Error;

/// Hands the key on, unless everybody has it.
pub(super) fn refuse(key: SigningKey) -> Result<SigningKey, Error> {
    let thumbprint = key.verifying_key().thumbprint();
    if thumbprint.is_some_and(|thumbprint| THUMBPRINTS.contains(&thumbprint.as_str())) {
        return Err(Error::KeyWellKnown);
    }
    Ok(key)
}

const THUMBPRINTS: [&str; 26] = [
    // RFC 7515 §A.2 (RSA) and §A.3 (P-256), from there in the documentation of many libraries.
    "IsUn6_e04MaShXFIISMp4kG62LWzMIPy_MvSA5pJgX8",
    "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U",
    // RFC 7516 §A.1 and §A.2 (RSA).
    "xtIsOV1FqKH77AI_A3jdTg5QfdabzqI-LNpYTPi0IgI",
    "_K0fXS8wlsT7Tn3vvZrs9qdKUIqi5AxQ5EVk41xi_BM",
    // RFC 7517 §A.2: P-256, and the RSA key of RFC 7638 §3.1.
    "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s",
    "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
    // RFC 7518 §C (P-256): Alice's and Bob's.
    "_GK0r6GCoJt9zcssg9lay4obIxgCq05ntiRymRHADSU",
    "Vy57XrArUrW0NbpI12tEzDHABxMwrTh6HHXRenSpnCo",
    // RFC 7520 §3.4 (RSA), which signs; §5.1 and §5.2 (RSA), §5.4 (P-384) and §5.5 (P-256), which encrypt.
    "9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI",
    "h_jutvC-jg3Nwueq8LmdSybXykVsBwk4_5u5Y9JiS7E",
    "Rt-IyDEhXohvTl_ozKQ9YGflXGuDb3uu3QmqN2LoMwM",
    "YlKlB7M2wnS0cPn_V7OW-FuDLuWdJ9z4OvPHmhGDfeE",
    "HsSFalww3yP-dO-lWGYgFcyV5H22oScIFc4V2Y6GOto",
    // RFC 8032 §7.1 (Ed25519): its five tests. The first is also RFC 8037 §A.1.
    "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
    "FtIu-VbGrfe_KB6CH7GNwODB72MNxj_ml11dEvO-7kk",
    "FVV5umTuau890q59V-4Ga_R6qWb7ON_ivJc4EjvCwTM",
    "lZI1vM7tnlYapaF5-cy86ptx0tT_8Av721hhiNB5ti4",
    "iiDHHfFVNG6ICMUTsicgrWf1igtFYZEK73xlobt1ah4",
    // RFC 6979 §A.2.5 (P-256) and §A.2.6 (P-384).
    "DOvxvJiAdIqVWIkFt5hDtCunXLF0BV4-JGv4f-ALSm0",
    "l2tfkSzhekdOr24I18E1O_-49AlK14MTo7OxJMS7-HI",
    // RFC 9421 §B.1: RSA, RSA for PSS, P-256, Ed25519.
    "BHj8s0GPnMEQtkaULIM-PLgEhLBbuGUQ1vMxmBWZzEo",
    "oD0HwocPBSfpNy5W3bpJeyFGY_IQ_YpqxSjQ3Yd-CLA",
    "ydQXMtvbsOsZyFir-Y7A8t7fKEM1gbKPvyFkdpu4fvI",
    "poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U",
    // jwt.io, the debugger's own examples for RS256 and PS256, and for ES256.
    "oGDmHqCJ7yzMkWEkrlZVHkvrHIyQwtlDmeq5ForUHeY",
    "19J8y7Zprt2-QKLjF2I5pVk0OELX6cY2AfaAv1LC_w8",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Algorithm, KeyFormat, PrivatePem, Signer, VerifyingKey, base64url, convert_key, verify_signature};

    const RFC_8037: &str = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    const RFC_7515_A3: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;
    /// jwt.io, ES256.
    const JWT_IO: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevZzL1gdAFr88hb2
OF/2NxApJCzGCEDdfSp6VQO30hyhRANCAAQRWz+jn65BtOMvdyHKcvjBeBSDZH2r
1RTwjmYSi9R/zpBnuQ4EiMnCqfMPWiZqB4QdbAd0E7oH50VpuZ1P087G
-----END PRIVATE KEY-----
";

    #[test]
    fn what_a_standard_prints_signs_nothing_and_still_verifies() {
        for key in [RFC_8037, RFC_7515_A3] {
            assert_eq!(SigningKey::from_jwk(key, None).err(), Some(Error::KeyWellKnown), "{key}");
            assert!(VerifyingKey::from_jwk(key, None).is_ok(), "{key}");
            let pem = convert_key(key, KeyFormat::PrivatePem(PrivatePem::Pkcs8), None);
            assert_eq!(pem.err(), Some(Error::KeyWellKnown), "{key}");
        }
        assert_eq!(SigningKey::from_pem(JWT_IO, None).err(), Some(Error::KeyWellKnown));
        assert!(VerifyingKey::from_pem(JWT_IO, None).is_ok());
    }

    #[test]
    fn thumbprints_are_thumbprints() {
        for (index, thumbprint) in THUMBPRINTS.iter().enumerate() {
            assert_eq!(base64url::decode(thumbprint).map(|hash| hash.len()), Ok(32), "{thumbprint}");
            assert!(!THUMBPRINTS[..index].contains(thumbprint), "{thumbprint}");
        }
    }

    /// RFC 8037 §A.4 signs without `typ` or `kid`, and Ed25519 has no randomness: the same bytes must come out. The key is
    /// let in by a door that only this crate has.
    #[test]
    fn ed25519_signs_as_the_rfc_does() {
        let key = SigningKey::from_jwk_unrefused(RFC_8037, None).unwrap();
        let token = Signer::new(&key).sign_bytes(b"Example of Ed25519 signing").unwrap();
        assert_eq!(
            token,
            "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
        );
        let policy = crate::Policy::new(Algorithm::EdDsa);
        assert!(verify_signature(&token, key.verifying_key(), &policy).is_ok());
    }
}
