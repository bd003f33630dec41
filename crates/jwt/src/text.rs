//! Short text without the heap.

use std::fmt;

/// A string that is kept in place if it is short, as `kid` and `typ` are: a thumbprint has 43 characters.
///
/// Verifying a token fills two of these each time; on the heap they would cost more than the header's whole check.
#[derive(Clone)]
pub(crate) enum ShortText {
    InPlace(InPlace),
    Heap(Box<str>),
}

/// Laid out as whole words, because it is moved about: what is moved in odd pieces is waited for.
#[derive(Clone, Copy)]
#[repr(align(8))]
pub(crate) struct InPlace {
    bytes: [u8; ShortText::IN_PLACE_BYTES],
    length: u8,
}

impl ShortText {
    const IN_PLACE_BYTES: usize = 47;

    #[inline]
    pub(crate) fn new(text: &str) -> Self {
        let mut bytes = [0; Self::IN_PLACE_BYTES];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(place), Ok(length)) => {
                place.copy_from_slice(text.as_bytes());
                Self::InPlace(InPlace { bytes, length })
            }
            _ => Self::Heap(text.into()),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        match self {
            // What was put in was text, so it still is.
            Self::InPlace(InPlace { length, bytes }) => {
                bytes.get(..usize::from(*length)).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default()
            }
            Self::Heap(text) => text,
        }
    }
}

impl PartialEq for ShortText {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for ShortText {}

impl fmt::Debug for ShortText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_any_length_comes_back() {
        for length in 0..400 {
            let text = "xé".repeat(length);
            let kept = ShortText::new(&text);
            assert_eq!(kept.as_str(), text);
            assert_eq!(matches!(kept, ShortText::InPlace(_)), text.len() <= ShortText::IN_PLACE_BYTES);
            assert_eq!(format!("{kept:?}"), format!("{text:?}"));
        }
    }
}
