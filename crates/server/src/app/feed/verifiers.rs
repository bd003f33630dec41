//! Who follows the feed, and how far each has applied it.

use counterfoil_domain::{
    client::{ClientId, VerifierName},
    revocation::{Anomaly, FeedPosition, STALE_AFTER},
};
use parking_lot::Mutex;
use std::{collections::HashMap, time::Duration};
use tokio::sync::{oneshot, watch};

/// The longest that a verifier may go on accepting tokens without hearing from the server, and what is taken for one that
/// does not say: stale after five seconds, and open for sixty more.
pub const ACCEPTS_FOR_MAX: Duration = Duration::from_secs(65);
/// The most verifiers that are known. Each that lives has a place; one more is refused.
const VERIFIERS_MAX: usize = 1_000;
/// The most of them with one client's credentials, so that one client cannot keep the others out.
const VERIFIERS_OF_A_CLIENT_MAX: usize = VERIFIERS_MAX / 2;

/// A verifier: processes with one client's credentials tell themselves apart by name.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct VerifierKey {
    pub(super) client: Option<ClientId>,
    pub(super) name: VerifierName,
}

/// What is known of one.
#[derive(Clone, Copy)]
pub(super) struct Heard {
    /// How far it says that it has applied the feed.
    pub(super) applied: FeedPosition,
    /// Why that place is none of ours, if so: what it has applied is then not counted.
    pub(super) anomaly: Option<Anomaly>,
    /// When it first said so.
    pub(super) applied_at: Duration,
    /// When it was last heard of or answered.
    pub(super) last_at: Duration,
    /// How long it may go on without hearing from us.
    pub(super) accepts_for: Duration,
}

impl Heard {
    /// Whether it could still accept a token.
    fn is_live(&self, now: Duration) -> bool {
        now.saturating_sub(self.last_at) <= self.accepts_for
    }

    fn has_applied(&self, position: FeedPosition) -> bool {
        self.anomaly.is_none() && self.applied >= position
    }
}

struct Known {
    heard: Heard,
    /// Dropped when another poll of the same verifier comes: the one that is held is answered then.
    _held: oneshot::Sender<()>,
}

/// Everyone who polls by name.
#[derive(Default)]
pub(super) struct Verifiers {
    known: Mutex<HashMap<VerifierKey, Known>>,
    /// Counts what was heard, for those who wait for a receipt.
    changed: watch::Sender<u64>,
}

/// There are as many verifiers as can be known.
pub(super) struct TooManyVerifiers;

/// How many have applied a place.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) live: usize,
    pub(super) confirmed: usize,
    /// When the last of those said so.
    pub(super) last_at: Option<Duration>,
    pub(super) missing: Vec<String>,
}

/// How the living ones are.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) live: usize,
    /// Have not applied everything.
    pub(super) behind: usize,
    /// Were not heard of for so long that they must call themselves stale.
    pub(super) stale: usize,
}

impl Verifiers {
    /// Takes down a poll. What comes back ends when the same verifier polls anew.
    pub(super) fn heard(&self, key: VerifierKey, said: Heard) -> Result<oneshot::Receiver<()>, TooManyVerifiers> {
        let (held, superseded) = oneshot::channel();
        let mut known = self.known.lock();
        if known.len() >= VERIFIERS_MAX && !known.contains_key(&key) {
            known.retain(|_, known| known.heard.is_live(said.last_at));
            if known.len() >= VERIFIERS_MAX {
                return Err(TooManyVerifiers);
            }
        }
        if key.client.is_some() && !known.contains_key(&key) {
            let is_of_it = |known: &(&VerifierKey, &Known)| known.0.client == key.client;
            let of_it = known.iter().filter(is_of_it).filter(|(_, known)| known.heard.is_live(said.last_at));
            if of_it.count() >= VERIFIERS_OF_A_CLIENT_MAX {
                return Err(TooManyVerifiers);
            }
        }
        let before = known.get(&key).map(|known| known.heard);
        let same = before.filter(|before| before.applied == said.applied && before.anomaly == said.anomaly);
        let applied_at = same.map_or(said.applied_at, |before| before.applied_at);
        let is_news = same.is_none();
        known.insert(key, Known { heard: Heard { applied_at, ..said }, _held: held });
        drop(known);
        if is_news {
            self.tell();
        }
        Ok(superseded)
    }

    /// Takes down that a verifier is being answered: so long it may go on from now.
    pub(super) fn answered(&self, key: &VerifierKey, now: Duration) {
        if let Some(known) = self.known.lock().get_mut(key) {
            known.heard.last_at = known.heard.last_at.max(now);
        }
    }

    /// A verifier says goodbye.
    pub(super) fn left(&self, key: &VerifierKey) {
        self.known.lock().remove(key);
        self.tell();
    }

    pub(super) fn forget_dead(&self, now: Duration) {
        self.known.lock().retain(|key, known| {
            let is_live = known.heard.is_live(now);
            if !is_live {
                tracing::info!(verifier = %key.name, "a verifier has not been heard of for as long as it may accept tokens");
            }
            is_live
        });
    }

    /// Waits until something was heard since `seen`, and gives the count for the next time.
    pub(super) async fn changed_since(&self, seen: u64) -> u64 {
        // The sender lives as long as `self`, so waiting cannot fail.
        self.changed.subscribe().wait_for(|count| *count != seen).await.map_or(seen, |count| *count)
    }

    pub(super) fn count(&self) -> u64 {
        *self.changed.borrow()
    }

    pub(super) fn tally(&self, position: FeedPosition, now: Duration) -> Tally {
        let mut tally = Tally::default();
        for (key, known) in &*self.known.lock() {
            let heard = known.heard;
            if !heard.is_live(now) {
                continue;
            }
            tally.live += 1;
            if heard.has_applied(position) {
                tally.confirmed += 1;
                tally.last_at = tally.last_at.max(Some(heard.applied_at));
            } else {
                tally.missing.push(key.name.to_string());
            }
        }
        tally.missing.sort_unstable();
        tally
    }

    /// The living ones, in the order of their names.
    pub(super) fn list(&self, now: Duration) -> Vec<(VerifierKey, Heard)> {
        let known = self.known.lock();
        let live = known.iter().filter(|(_, known)| known.heard.is_live(now));
        let mut list: Vec<_> = live.map(|(key, known)| (key.clone(), known.heard)).collect();
        drop(known);
        list.sort_by(|(one, _), (other, _)| (&one.name, &one.client).cmp(&(&other.name, &other.client)));
        list
    }

    pub(super) fn counts(&self, head: FeedPosition, now: Duration) -> Counts {
        let mut counts = Counts::default();
        for heard in self.known.lock().values().map(|known| known.heard).filter(|heard| heard.is_live(now)) {
            counts.live += 1;
            counts.behind += usize::from(!heard.has_applied(head));
            counts.stale += usize::from(now.saturating_sub(heard.last_at) > STALE_AFTER);
        }
        counts
    }

    fn tell(&self) {
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use counterfoil_domain::revocation::Epoch;

    const SECOND: Duration = Duration::from_secs(1);

    fn key(name: &str) -> VerifierKey {
        VerifierKey { client: None, name: name.parse().unwrap() }
    }

    fn place(seq: i64) -> FeedPosition {
        FeedPosition { epoch: Epoch(5), seq }
    }

    fn said(seq: i64, at: Duration) -> Heard {
        Heard { applied: place(seq), anomaly: None, applied_at: at, last_at: at, accepts_for: 10 * SECOND }
    }

    fn hear(verifiers: &Verifiers, name: &str, heard: Heard) -> oneshot::Receiver<()> {
        verifiers.heard(key(name), heard).ok().expect("there is a place")
    }

    #[test]
    fn whoever_could_accept_a_token_is_counted() {
        let verifiers = Verifiers::default();
        let _a = hear(&verifiers, "a", said(7, SECOND));
        let _b = hear(&verifiers, "b", said(6, SECOND));
        let _c = hear(&verifiers, "c", Heard { anomaly: Some(Anomaly::Rewound), ..said(9, SECOND) });
        let tally = verifiers.tally(place(7), 11 * SECOND);
        assert_eq!((tally.live, tally.confirmed, tally.last_at), (3, 1, Some(SECOND)));
        assert_eq!(tally.missing, ["b", "c"], "what it has of another history is no confirmation");

        // Time passes: b is answered, the others cannot accept anything any more.
        verifiers.answered(&key("b"), 5 * SECOND);
        let tally = verifiers.tally(place(7), 12 * SECOND);
        assert_eq!((tally.live, tally.confirmed, tally.missing.len()), (1, 0, 1));
        verifiers.left(&key("b"));
        assert_eq!(verifiers.tally(place(7), 12 * SECOND).live, 0);
    }

    #[test]
    fn it_counts_from_when_it_was_first_said() {
        let verifiers = Verifiers::default();
        let _first = hear(&verifiers, "a", said(7, SECOND));
        let _again = hear(&verifiers, "a", said(7, 2 * SECOND));
        assert_eq!(verifiers.tally(place(7), 2 * SECOND).last_at, Some(SECOND));
    }

    #[test]
    fn a_second_poll_ends_the_first() {
        let verifiers = Verifiers::default();
        let mut first = hear(&verifiers, "a", said(7, SECOND));
        assert!(matches!(first.try_recv(), Err(oneshot::error::TryRecvError::Empty)));
        let mut second = hear(&verifiers, "a", said(7, SECOND));
        assert!(matches!(first.try_recv(), Err(oneshot::error::TryRecvError::Closed)));
        assert!(matches!(second.try_recv(), Err(oneshot::error::TryRecvError::Empty)));
    }

    #[test]
    fn there_is_a_most_of_them_and_the_dead_make_room() {
        let verifiers = Verifiers::default();
        for number in 0..VERIFIERS_MAX {
            let at = if number == 0 { Duration::ZERO } else { 5 * SECOND };
            drop(hear(&verifiers, &format!("v{number}"), said(1, at)));
        }
        assert!(verifiers.heard(key("last"), said(1, 10 * SECOND)).is_err());
        drop(hear(&verifiers, "v7", said(2, 10 * SECOND)));
        drop(hear(&verifiers, "last", said(1, 10 * SECOND + Duration::from_millis(1))));
        assert_eq!(verifiers.list(10 * SECOND).len(), VERIFIERS_MAX);
    }

    #[test]
    fn no_client_takes_every_place() {
        let verifiers = Verifiers::default();
        let of = |client: &str, name: String| VerifierKey { client: client.parse().ok(), name: name.parse().unwrap() };
        for number in 0..VERIFIERS_OF_A_CLIENT_MAX {
            assert!(verifiers.heard(of("greedy", format!("v{number}")), said(1, SECOND)).is_ok());
        }
        assert!(verifiers.heard(of("greedy", "one-more".to_owned()), said(1, SECOND)).is_err());
        assert!(verifiers.heard(of("greedy", "v7".to_owned()), said(2, SECOND)).is_ok(), "it has its place");
        assert!(verifiers.heard(of("another", "first".to_owned()), said(1, SECOND)).is_ok());
    }
}
