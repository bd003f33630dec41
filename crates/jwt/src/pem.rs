//! The PEM envelope (RFC 7468): a label and the bytes inside.

use zeroize::Zeroizing;

use crate::Error;

/// What the label of a PEM block says is inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Label {
    /// `PUBLIC KEY`: `SubjectPublicKeyInfo` (RFC 7468 §13).
    SubjectPublicKeyInfo,
    /// `RSA PUBLIC KEY`: PKCS#1.
    Pkcs1Public,
    /// `PRIVATE KEY`: PKCS#8 (RFC 7468 §10).
    Pkcs8,
    /// `RSA PRIVATE KEY`: PKCS#1.
    Pkcs1Private,
    /// `EC PRIVATE KEY`: SEC 1 (RFC 5915 §4).
    Sec1,
}

/// Takes the one key out of a PEM text. Text around it is allowed (RFC 7468 §2), a second key is not: which of two was
/// meant would be a guess.
pub(crate) fn parse(pem: &str) -> Result<(Label, Zeroizing<Vec<u8>>), Error> {
    let mut key = None;
    let mut rest = pem;
    while let Some((_, after_begin)) = rest.split_once("-----BEGIN ") {
        let (label, body) = after_begin.split_once("-----").ok_or(Error::KeyMalformed("the PEM label does not end"))?;
        let (body, after) = body.split_once("-----END ").ok_or(Error::KeyMalformed("the PEM block has no end line"))?;
        rest = after
            .strip_prefix(label)
            .and_then(|after| after.strip_prefix("-----"))
            .ok_or(Error::KeyMalformed("the PEM block ends under another label"))?;
        // `openssl ecparam -genkey` writes the curve first; the key itself names it again.
        if label == "EC PARAMETERS" {
            continue;
        }
        if key.replace((label_of(label)?, decode_body(body)?)).is_some() {
            return Err(Error::KeyMalformed("the PEM text holds more than one key"));
        }
    }
    key.ok_or(Error::KeyMalformed("the text has no PEM block"))
}

fn label_of(label: &str) -> Result<Label, Error> {
    Ok(match label {
        "PUBLIC KEY" => Label::SubjectPublicKeyInfo,
        "RSA PUBLIC KEY" => Label::Pkcs1Public,
        "PRIVATE KEY" => Label::Pkcs8,
        "RSA PRIVATE KEY" => Label::Pkcs1Private,
        "EC PRIVATE KEY" => Label::Sec1,
        "ENCRYPTED PRIVATE KEY" => return Err(Error::KeyUnsupported("the private key is encrypted; decrypt it first")),
        "CERTIFICATE" => return Err(Error::KeyUnsupported("a certificate; take its public key out first")),
        _ => return Err(Error::KeyUnsupported("the PEM label is not one of a key")),
    })
}

fn decode_body(body: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    // A header line ("Proc-Type: 4,ENCRYPTED") means the old encrypted form.
    if body.contains(':') {
        return Err(Error::KeyUnsupported("the private key is encrypted; decrypt it first"));
    }
    let mut packed = Zeroizing::new(Vec::with_capacity(body.len()));
    packed.extend(body.bytes().filter(|byte| !byte.is_ascii_whitespace()));
    let der =
        base64_simd::STANDARD.decode_to_vec(&packed).map_err(|_| Error::KeyMalformed("the PEM body is not base64"))?;
    Ok(Zeroizing::new(der))
}

/// Writes one block: the label, and lines of 64 characters (RFC 7468 §2). The text is wiped when it goes.
pub(crate) fn write(label: Label, der: &[u8]) -> Zeroizing<String> {
    const LINE_CHARACTERS: usize = 64;
    let label = match label {
        Label::SubjectPublicKeyInfo => "PUBLIC KEY",
        Label::Pkcs1Public => "RSA PUBLIC KEY",
        Label::Pkcs8 => "PRIVATE KEY",
        Label::Pkcs1Private => "RSA PRIVATE KEY",
        Label::Sec1 => "EC PRIVATE KEY",
    };
    let body = Zeroizing::new(base64_simd::STANDARD.encode_to_string(der));
    // All the room at once, so that growing leaves no copies behind.
    let mut pem = Zeroizing::new(String::with_capacity(body.len() + body.len() / LINE_CHARACTERS + 128));
    let mut line = |parts: &[&str]| {
        for part in parts {
            pem.push_str(part);
        }
        pem.push('\n');
    };
    line(&["-----BEGIN ", label, "-----"]);
    let mut rest = body.as_str();
    while let Some((head, tail)) = rest.split_at_checked(LINE_CHARACTERS) {
        line(&[head]);
        rest = tail;
    }
    if !rest.is_empty() {
        line(&[rest]);
    }
    line(&["-----END ", label, "-----"]);
    pem
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: &str = "-----BEGIN PUBLIC KEY-----\nAAEC\nAwQ=\n-----END PUBLIC KEY-----\n";

    #[test]
    fn what_is_written_is_read() {
        for length in [0, 1, 47, 48, 49, 96, 300] {
            let der: Vec<u8> = (0..=255).cycle().take(length).collect();
            let pem = write(Label::Pkcs8, &der);
            assert!(pem.lines().all(|line| (1..=64).contains(&line.len())), "{}", *pem);
            let (label, read) = parse(&pem).unwrap();
            assert_eq!((label, read.as_slice()), (Label::Pkcs8, der.as_slice()));
        }
    }

    #[test]
    fn one_block_is_found_among_text() {
        let text = format!("Here it is:\r\n{}\r\nBye.", BLOCK.replace('\n', "\r\n"));
        let (label, der) = parse(&text).unwrap();
        assert_eq!((label, der.as_slice()), (Label::SubjectPublicKeyInfo, [0, 1, 2, 3, 4].as_slice()));
    }

    #[test]
    fn parameters_before_the_key_are_skipped() {
        let text = format!("-----BEGIN EC PARAMETERS-----\nAAEC\n-----END EC PARAMETERS-----\n{BLOCK}");
        assert!(parse(&text).is_ok());
    }

    #[test]
    fn everything_else_is_refused() {
        for (text, code) in [
            (String::new(), "key_malformed"),
            ("AAEC".into(), "key_malformed"),
            (format!("{BLOCK}{BLOCK}"), "key_malformed"),
            (BLOCK.replace("END PUBLIC", "END PRIVATE"), "key_malformed"),
            (BLOCK.replace("-----END PUBLIC KEY-----", ""), "key_malformed"),
            (BLOCK.replace("AwQ=", "AwQ"), "key_malformed"),
            (BLOCK.replace("AwQ=", "AwR="), "key_malformed"),
            (BLOCK.replace("AwQ=", "Aw_="), "key_malformed"),
            (BLOCK.replace("PUBLIC KEY", "CERTIFICATE"), "key_unsupported"),
            (BLOCK.replace("PUBLIC KEY", "ENCRYPTED PRIVATE KEY"), "key_unsupported"),
            (BLOCK.replace("PUBLIC KEY", "OPENSSH PRIVATE KEY"), "key_unsupported"),
            (BLOCK.replace("AAEC", "Proc-Type: 4,ENCRYPTED\n\nAAEC"), "key_unsupported"),
        ] {
            assert_eq!(parse(&text).unwrap_err().code(), code, "{text}");
        }
    }
}
