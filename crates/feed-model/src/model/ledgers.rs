//! What a verifier's ledger answers, for every set of entries that it may hold: asked of the production ledger once,
//! before the search.

use super::history::{Letter, Letters};
use counterfoil_domain::{
    account::AccountGeneration,
    id::{FeedEntryId, SessionId},
    revocation::{Ledger, Presented, Revocation, RevocationDraft},
    time::UnixMillis,
};

const ISSUER: &str = "https://auth.example.com";

const fn at(seconds: i64) -> UnixMillis {
    UnixMillis::from_millis(seconds * 1_000)
}

/// The wall clock, in seconds of a small world: tokens are minted, all is written, the first entry's time is over, the
/// last token ends, and only then is the time of the other entries over.
const MINTED_AT: UnixMillis = at(1);
const WRITTEN_AT: UnixMillis = at(2);
const FIRST_IS_OVER_AT: UnixMillis = at(3);
const ALL_ARE_OVER_AT: UnixMillis = at(9);
/// When verifiers forget.
const FORGOTTEN_AT: UnixMillis = at(4);

fn session(letter: Letter) -> SessionId {
    SessionId::from_bytes([letter as u8 + 1; 16])
}

/// An entry before it has its place.
pub(super) fn draft(letter: Letter) -> RevocationDraft {
    let revocation = match letter {
        Letter::Other | Letter::Another | Letter::SignOut => Revocation::Session(session(letter)),
        Letter::Cutoff => Revocation::Issuer { key: ISSUER.to_owned(), cutoff: WRITTEN_AT },
    };
    let drop_at = if letter == Letter::Other { FIRST_IS_OVER_AT } else { ALL_ARE_OVER_AT };
    RevocationDraft { id: FeedEntryId::from_bytes([letter as u8 + 1; 16]), at: WRITTEN_AT, drop_at, revocation }
}

fn refuses(ledger: &Ledger, session: SessionId, issued_at: UnixMillis) -> bool {
    let presented = Presented {
        session: Some(session),
        account: None,
        generation: AccountGeneration::from_raw(0),
        token: None,
        issuer: Some(ISSUER),
        kid: None,
        issued_at,
    };
    ledger.refusal(&presented).is_some()
}

/// The sets of entries as ledgers.
#[derive(Debug)]
pub(super) struct Ledgers {
    /// By set: whether the watched session's token is refused, and what is left once the first entry's time is over.
    answers: Vec<(bool, Letters)>,
}

impl Ledgers {
    /// `forgets_what_is_over`: otherwise verifiers forget everything at once.
    pub(super) fn new(forgets_what_is_over: bool) -> Self {
        let forgotten_at = if forgets_what_is_over { FORGOTTEN_AT } else { ALL_ARE_OVER_AT };
        let answer = |set| {
            let mut ledger = Ledger::default();
            Letters(set).iter().for_each(|letter| ledger.apply(&draft(letter)));
            let refused = refuses(&ledger, session(Letter::SignOut), MINTED_AT);
            ledger.prune(forgotten_at);
            let left = Letter::ALL.into_iter().filter(|letter| holds(&ledger, *letter));
            (refused, left.fold(Letters::default(), Letters::with))
        };
        Self { answers: (0..Letters::SETS).map(answer).collect() }
    }

    /// Whether a token of the watched session is refused.
    pub(super) fn refuse(&self, held: Letters) -> bool {
        self.answers.get(usize::from(held.0)).is_some_and(|(refused, _)| *refused)
    }

    /// What is held once it was pruned.
    pub(super) fn pruned(&self, held: Letters) -> Letters {
        self.answers.get(usize::from(held.0)).map_or(held, |(_, left)| *left)
    }
}

fn holds(ledger: &Ledger, letter: Letter) -> bool {
    match letter {
        // Minted after the cutoff, so that only the entry itself can refuse it.
        Letter::Other | Letter::Another | Letter::SignOut => refuses(ledger, session(letter), ALL_ARE_OVER_AT),
        Letter::Cutoff => refuses(ledger, SessionId::from_bytes([0; 16]), MINTED_AT),
    }
}
