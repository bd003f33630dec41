//! Everything that `inspect` says, by key: a table for each language, in a file of its own.

mod english;
mod korean;

use super::super::language::Language;

/// Names the texts. Each language's table is a match over all of them, so a text that is missing does not compile.
macro_rules! texts {
    ($($name:ident),+ $(,)?) => {
        /// Something to say.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(super) enum Text { $($name),+ }

        impl Text {
            /// All of them.
            #[cfg(test)]
            pub(super) const ALL: &[Self] = &[$(Self::$name),+];
        }
    };
}

texts! {
    // The frame.
    NotVerified, HowToVerify, Header, Claims, Payload, Signature, Mind, Nothing, PasteHere, RefreshToken, OpaqueSecret,
    // Header members.
    AlgSecret, AlgPrivateKey, AlgUnknown, TypAccessToken, Typ, Kid, Cty, Crit, OfferedKey, Fingerprint, Enc, B64,
    // Registered claims.
    Iss, Sub, Aud, Exp, Expired, Nbf, Iat, Jti, NotADate, AfterYear9999,
    // Other claims that people meet.
    AuthTime, ClientId, Scope, Sid, Gen, Cnf, Amr, Acr, Nonce, HashOfAnother, Policy, Roles, Act, UpdatedAt, Verified, Person,
    // What to mind.
    WarnAlgMissing, WarnAlgNone, WarnSignatureEmpty, WarnOfferedKey, WarnCrit, WarnKid, WarnNoClaims, WarnNoExp,
    WarnExpNotADate, WarnExpired, WarnNotYetValid, WarnIssuedInFuture, WarnNoAud, WarnLongLife, WarnPersonal,
    WarnSecret,
    // Kinds of personal data.
    LooksLikeEmail, LooksLikeCard, LooksLikeResidentNumber, LooksLikePhone,
}

impl Text {
    /// The text in a language, with places in braces for what changes.
    pub(super) const fn template(self, language: Language) -> &'static str {
        match language {
            Language::English => english::text(self),
            Language::Korean => korean::text(self),
        }
    }
}

/// Puts values into the places of a template: `{name}`. Values come from strangers: a brace in one means nothing.
pub(super) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else { break };
        filled.push_str(before);
        filled.push_str(values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value));
        rest = after;
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(template: &str) -> Vec<&str> {
        let mut places: Vec<_> =
            template.split('{').skip(1).map(|rest| rest.split_once('}').expect("a place ends").0).collect();
        places.sort_unstable();
        places
    }

    #[test]
    fn every_language_has_every_text_with_the_same_places() {
        for text in Text::ALL {
            let (english, korean) = (text.template(Language::English), text.template(Language::Korean));
            assert!(!english.is_empty() && !korean.is_empty(), "{text:?}");
            assert_eq!(places(english), places(korean), "{text:?}");
            let hangul = |text: &str| text.chars().any(|character| ('가'..='힣').contains(&character));
            assert!(!hangul(english), "{text:?}: {english}");
            assert!(hangul(korean), "{text:?}: {korean}");
        }
    }

    #[test]
    fn values_are_put_in_once() {
        assert_eq!(fill("{a} and {b}{a}", &[("a", "{b}"), ("b", "2")]), "{b} and 2{b}");
        assert_eq!(fill("no places", &[("a", "1")]), "no places");
    }
}
