//! Just enough DER (X.690) to tell what a key document holds and to take public numbers out of it.
//!
//! Private keys are parsed and checked by the cryptographic library; this reader only looks at their outside. Lengths
//! must be definite and minimal, and nothing may follow.

use zeroize::Zeroizing;

/// What a PKCS#8 or `SubjectPublicKeyInfo` document says it holds (RFC 5280 §4.1.2.7, RFC 5958 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Rsa,
    P256,
    P384,
    Ed25519,
    Other,
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OBJECT_ID: u8 = 0x06;

const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01]; // RFC 8017 §A.1
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01]; // RFC 5480 §2.1.1
const SECP256R1: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]; // RFC 5480 §2.1.1.1
const SECP384R1: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
const ID_ED25519: &[u8] = &[0x2b, 0x65, 0x70]; // RFC 8410 §3

/// An RSA public key: modulus and exponent, big-endian, without leading zeros.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RsaPublic<'a> {
    pub(crate) n: &'a [u8],
    pub(crate) e: &'a [u8],
}

/// The numbers of an RSA private key in the order of RFC 8017 §A.1.2 after n and e: d, p, q, dP, dQ, qInv.
pub(crate) type RsaPrivate = [Zeroizing<Vec<u8>>; 6];

/// Reads a `SubjectPublicKeyInfo` into the kind of key and the key itself.
pub(crate) fn subject_public_key(der: &[u8]) -> Option<(Kind, &[u8])> {
    let mut info = Reader(Reader(der).only(SEQUENCE)?);
    let kind = algorithm_kind(info.read(SEQUENCE)?)?;
    let bits = info.only(BIT_STRING)?;
    // The first byte counts unused bits; keys are whole bytes.
    match bits.split_first()? {
        (0, key) => Some((kind, key)),
        _ => None,
    }
}

/// Looks at a PKCS#8 document: the kind of key, and the key in the encoding of its kind.
pub(crate) fn private_key_info(der: &[u8]) -> Option<(Kind, &[u8])> {
    let mut info = Reader(Reader(der).only(SEQUENCE)?);
    info.read(INTEGER)?;
    let kind = algorithm_kind(info.read(SEQUENCE)?)?;
    Some((kind, info.read(OCTET_STRING)?))
}

/// Reads an `RSAPublicKey` (RFC 8017 §A.1.1).
pub(crate) fn rsa_public(der: &[u8]) -> Option<RsaPublic<'_>> {
    let mut key = Reader(Reader(der).only(SEQUENCE)?);
    let public = RsaPublic { n: key.positive()?, e: key.positive()? };
    key.0.is_empty().then_some(public)
}

/// Reads an `RSAPrivateKey` of two primes (RFC 8017 §A.1.2), as the cryptographic library writes it.
pub(crate) fn rsa_private(der: &[u8]) -> Option<RsaPrivate> {
    let mut key = Reader(Reader(der).only(SEQUENCE)?);
    if key.read(INTEGER)? != [0] {
        return None;
    }
    key.positive()?;
    key.positive()?;
    let mut next = || key.positive().map(|number| Zeroizing::new(number.to_vec()));
    Some([next()?, next()?, next()?, next()?, next()?, next()?])
}

/// Writes the `RSAPublicKey` of two numbers without leading zeros.
pub(crate) fn write_rsa_public(n: &[u8], e: &[u8]) -> Vec<u8> {
    let positive = |number: &[u8]| {
        // A first bit of one would read as a minus sign.
        let zero: &[u8] = if number.first().is_some_and(|first| *first >= 0x80) { &[0] } else { &[] };
        write(INTEGER, &[zero, number])
    };
    write(SEQUENCE, &[&positive(n), &positive(e)])
}

/// Writes the `SubjectPublicKeyInfo` of a key in the encoding of its kind.
pub(crate) fn write_subject_public_key(kind: Kind, key: &[u8]) -> Option<Vec<u8>> {
    const NULL: &[u8] = &[0x05, 0x00];
    let object_id = |id: &[u8]| write(OBJECT_ID, &[id]);
    let algorithm = match kind {
        Kind::Rsa => write(SEQUENCE, &[&object_id(RSA_ENCRYPTION), NULL]), // RFC 3279 §2.3.1 wants the NULL.
        Kind::P256 => write(SEQUENCE, &[&object_id(EC_PUBLIC_KEY), &object_id(SECP256R1)]),
        Kind::P384 => write(SEQUENCE, &[&object_id(EC_PUBLIC_KEY), &object_id(SECP384R1)]),
        Kind::Ed25519 => write(SEQUENCE, &[&object_id(ID_ED25519)]),
        Kind::Other => return None,
    };
    Some(write(SEQUENCE, &[&algorithm, &write(BIT_STRING, &[&[0], key])]))
}

/// One value: tag, length, and the content in pieces.
fn write(tag: u8, pieces: &[&[u8]]) -> Vec<u8> {
    let content = pieces.concat();
    let length = content.len().to_be_bytes();
    let first = length.iter().position(|byte| *byte != 0).unwrap_or(length.len());
    let length = length.get(first..).unwrap_or_default();
    let mut der = vec![tag];
    match (length, u8::try_from(length.len())) {
        ([], _) => der.push(0),
        ([short @ 0..=0x7f], _) => der.push(*short),
        (_, Ok(count)) => {
            der.push(0x80 | count);
            der.extend_from_slice(length);
        }
        // A length has eight bytes at most.
        (_, Err(_)) => {}
    }
    der.extend(content);
    der
}

fn algorithm_kind(identifier: &[u8]) -> Option<Kind> {
    let mut identifier = Reader(identifier);
    Some(match identifier.read(OBJECT_ID)? {
        RSA_ENCRYPTION => Kind::Rsa,
        ID_ED25519 => Kind::Ed25519,
        EC_PUBLIC_KEY => match identifier.only(OBJECT_ID) {
            Some(SECP256R1) => Kind::P256,
            Some(SECP384R1) => Kind::P384,
            _ => Kind::Other,
        },
        _ => Kind::Other,
    })
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// The content of the next value, which must have this tag.
    fn read(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (&found, rest) = self.0.split_first()?;
        let (length, rest) = length(rest)?;
        if found != tag || length > rest.len() {
            return None;
        }
        let (content, rest) = rest.split_at(length);
        self.0 = rest;
        Some(content)
    }

    /// The same, and nothing may follow.
    fn only(&mut self, tag: u8) -> Option<&'a [u8]> {
        let content = self.read(tag)?;
        self.0.is_empty().then_some(content)
    }

    /// A positive INTEGER, without the zero byte that keeps it from reading as negative.
    fn positive(&mut self) -> Option<&'a [u8]> {
        match self.read(INTEGER)? {
            [0, number @ ..] if number.first().is_some_and(|first| *first >= 0x80) => Some(number),
            number if number.first().is_some_and(|first| (1..0x80).contains(first)) => Some(number),
            _ => None,
        }
    }
}

/// X.690 §10.1: definite, in as few bytes as can be. Two length bytes do for keys up to 64 KiB.
fn length(der: &[u8]) -> Option<(usize, &[u8])> {
    match der {
        [short @ 0..=0x7f, rest @ ..] => Some((usize::from(*short), rest)),
        [0x81, long @ 0x80..=0xff, rest @ ..] => Some((usize::from(*long), rest)),
        [0x82, high @ 1..=0xff, low, rest @ ..] => Some((usize::from(*high) << 8 | usize::from(*low), rest)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_minimal_and_positive() {
        let read = |der: &'static [u8]| Reader(der).positive();
        assert_eq!(read(&[2, 1, 5]), Some([5].as_slice()));
        assert_eq!(read(&[2, 2, 0, 0x80]), Some([0x80].as_slice()));
        for bad in [[2, 1, 0].as_slice(), &[2, 1, 0x80], &[2, 2, 0, 5], &[2, 0], &[3, 1, 5], &[2, 2, 5], &[]] {
            assert_eq!(Reader(bad).positive(), None, "{bad:?}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for length in [0, 1, 127, 128, 255, 256, 1000] {
            let content = vec![7; length];
            assert_eq!(Reader(&write(OCTET_STRING, &[&content])).only(OCTET_STRING), Some(content.as_slice()));
        }
        for n in [[0x80_u8, 1], [0x7f, 1]] {
            assert_eq!(rsa_public(&write_rsa_public(&n, &[3])), Some(RsaPublic { n: &n, e: &[3] }));
        }
        for kind in [Kind::Rsa, Kind::P256, Kind::P384, Kind::Ed25519] {
            let der = write_subject_public_key(kind, b"key").unwrap();
            assert_eq!(subject_public_key(&der), Some((kind, b"key".as_slice())));
        }
    }

    #[test]
    fn lengths_are_minimal_and_definite() {
        assert_eq!(length(&[0x7f, 9]), Some((0x7f, [9].as_slice())));
        assert_eq!(length(&[0x82, 1, 0]), Some((256, [].as_slice())));
        for bad in [[0x80].as_slice(), &[0x81, 0x7f], &[0x82, 0, 0xff], &[0x83, 1, 0, 0], &[0xff], &[]] {
            assert_eq!(length(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn trailing_bytes_are_refused() {
        let public = [0x30, 6, 2, 1, 5, 2, 1, 3];
        assert_eq!(rsa_public(&public), Some(RsaPublic { n: &[5], e: &[3] }));
        assert_eq!(rsa_public(&[0x30, 6, 2, 1, 5, 2, 1, 3, 0]), None);
        assert_eq!(rsa_public(&[0x30, 8, 2, 1, 5, 2, 1, 3, 5, 0]), None);
    }
}
