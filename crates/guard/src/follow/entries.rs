//! From what travels to what is applied.

use super::error::Failure;
use counterfoil_domain::{
    revocation::{Anomaly, Chain, Epoch, FeedEntry, FeedHead, FeedPosition, Revocation, RevocationDraft},
    store::FeedPage,
    time::UnixMillis,
};
use counterfoil_wire::{FeedBody, FeedEntryBody, FeedHeadBody, SnapshotEntry};

/// A page, as far as this version can read it.
pub(crate) struct Page {
    pub(crate) content: FeedPage,
    /// Why the server gives no entries, by its word.
    pub(crate) resync: Option<Anomaly>,
    /// An entry that cannot be read. Those that can are in the page all the same: a revocation is one, whatever stands
    /// beside it.
    pub(crate) unread: Option<Failure>,
}

/// # Errors
/// The head cannot be read.
pub(crate) fn page(body: &FeedBody) -> Result<Page, Failure> {
    let head = head(&body.head)?;
    let (mut entries, mut unread) = (Vec::with_capacity(body.entries.len()), None);
    for entry in &body.entries {
        match feed_entry(entry) {
            Ok(entry) => entries.push(entry),
            Err(failure) => unread = Some(failure),
        }
    }
    // A word that a newer server made up means what all of them do: load everything anew.
    let resync = body.resync.as_deref().map(|word| Anomaly::of_word(word).unwrap_or(Anomaly::Gap));
    Ok(Page { content: FeedPage { entries, head }, resync, unread })
}

/// # Errors
/// The chain is none.
pub(crate) fn head(body: &FeedHeadBody) -> Result<FeedHead, Failure> {
    let position = FeedPosition { epoch: Epoch(body.epoch), seq: body.seq };
    Ok(FeedHead { position, chain: chain(&body.chain)? })
}

fn feed_entry(body: &FeedEntryBody) -> Result<FeedEntry, Failure> {
    let position = FeedPosition { epoch: Epoch(body.epoch), seq: body.seq };
    let head = FeedHead { position, chain: chain(&body.chain)? };
    let draft = draft(&body.id, body.at_ms, body.drop_at, &body.kind, &body.key, body.arg)?;
    Ok(FeedEntry { head, draft })
}

/// # Errors
/// It is no entry that this version knows: it may be the one that signs somebody out, so it is never skipped quietly.
pub(crate) fn snapshot_entry(body: &SnapshotEntry<'_>) -> Result<RevocationDraft, Failure> {
    draft(&body.id, body.at_ms, body.drop_at, &body.kind, &body.key, body.arg)
}

fn draft(id: &str, at_ms: i64, drop_at: i64, kind: &str, key: &str, arg: i64) -> Result<RevocationDraft, Failure> {
    let unknown = |error: &dyn std::fmt::Display| {
        Failure::unreadable(format!("{error}: the server is newer than this service, which must be built anew"))
    };
    Ok(RevocationDraft {
        id: id.parse().map_err(|error| unknown(&error))?,
        at: UnixMillis::from_millis(at_ms),
        drop_at: UnixMillis::from_millis(drop_at),
        revocation: Revocation::from_columns(kind, key, arg).map_err(|error| unknown(&error))?,
    })
}

fn chain(text: &str) -> Result<Chain, Failure> {
    let not_one = || Failure::unreadable("a chain is 32 characters of lower-case hexadecimal");
    let digits: &[u8; 32] = text.as_bytes().try_into().map_err(|_| not_one())?;
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; 16];
    for (byte, pair) in bytes.iter_mut().zip(digits.as_chunks::<2>().0) {
        *byte = value(pair[0]).zip(value(pair[1])).map(|(high, low)| high << 4 | low).ok_or_else(not_one)?;
    }
    Ok(Chain(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_reads_as_it_is_written() {
        let written = Chain(std::array::from_fn(|index| u8::try_from(index * 17 % 256).unwrap()));
        assert_eq!(chain(&format!("{written:?}")).unwrap(), written);
        for text in ["", "00", &"0".repeat(33), &"A".repeat(32), &"g".repeat(32)] {
            assert!(chain(text).is_err(), "{text}");
        }
    }
}
