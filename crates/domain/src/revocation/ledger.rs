//! What a verifier holds in memory: the revocations that could still matter.

use super::entry::{Revocation, RevocationDraft};
use crate::{
    account::AccountGeneration,
    id::{AccountId, SessionId, TokenId},
    time::UnixMillis,
};
use std::collections::HashMap;

/// The most entries held. Over it the ledger refuses everything minted until then: everybody refreshes, and a refresh
/// asks the store. It never forgets an entry quietly.
pub const LEDGER_ENTRIES_MAX: usize = 1_000_000;

/// What a token says about itself, as far as revocation is concerned.
#[derive(Clone, Copy, Debug)]
pub struct Presented<'a> {
    /// The token's session, if it has one.
    pub session: Option<SessionId>,
    /// Whom the token speaks about, if it is one of our accounts.
    pub account: Option<AccountId>,
    /// The account's generation when the token was minted.
    pub generation: AccountGeneration,
    /// The token's own id, if it has one.
    pub token: Option<TokenId>,
    /// Who issued it; `None` for what is no signed token, to which every cutoff applies.
    pub issuer: Option<&'a str>,
    /// Which key signed it.
    pub kid: Option<&'a str>,
    /// When it was minted.
    pub issued_at: UnixMillis,
}

/// Why a token is refused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Refusal {
    /// Its session was ended.
    Session,
    /// Everything of its account was ended.
    Subject,
    /// Everything of its issuer or key was ended.
    Issuer,
    /// It was ended itself.
    Token,
}

/// The revocations that could still matter. Applying an entry twice or out of order is harmless.
#[derive(Default, Debug)]
pub struct Ledger {
    sessions: HashMap<SessionId, UnixMillis>,
    subjects: HashMap<AccountId, (AccountGeneration, UnixMillis)>,
    tokens: HashMap<TokenId, UnixMillis>,
    issuers: HashMap<String, (UnixMillis, UnixMillis)>,
    everybody: Option<UnixMillis>,
    /// The greatest `at` among the entries that an overflow would drop.
    newest_at: Option<UnixMillis>,
}

impl Ledger {
    /// Applies one entry.
    pub fn apply(&mut self, entry: &RevocationDraft) {
        let drop_at = entry.drop_at;
        if !matches!(entry.revocation, Revocation::Issuer { .. } | Revocation::Keys { .. }) {
            later(self.newest_at.get_or_insert(entry.at), entry.at);
        }
        match &entry.revocation {
            Revocation::Session(session) => later(self.sessions.entry(*session).or_insert(drop_at), drop_at),
            Revocation::Subject { account, minimum_generation } => {
                let (minimum, until) = self.subjects.entry(*account).or_insert((*minimum_generation, drop_at));
                *minimum = (*minimum).max(*minimum_generation);
                later(until, drop_at);
            }
            Revocation::Issuer { key, cutoff } => {
                let (newest, until) = self.issuers.entry(key.clone()).or_insert((*cutoff, drop_at));
                later(newest, *cutoff);
                later(until, drop_at);
            }
            Revocation::Token(token) => later(self.tokens.entry(*token).or_insert(drop_at), drop_at),
            Revocation::Keys { .. } => {}
        }
        if self.len() > LEDGER_ENTRIES_MAX {
            self.overflow();
        }
    }

    /// Whether a verified token was revoked, and by what.
    pub fn refusal(&self, presented: &Presented<'_>) -> Option<Refusal> {
        let minted_by = |cutoff: UnixMillis| presented.issued_at <= cutoff;
        if presented.session.is_some_and(|session| self.sessions.contains_key(&session)) {
            return Some(Refusal::Session);
        }
        let subject = presented.account.and_then(|account| self.subjects.get(&account));
        if subject.is_some_and(|(minimum, _)| presented.generation < *minimum) {
            return Some(Refusal::Subject);
        }
        if presented.token.is_some_and(|token| self.tokens.contains_key(&token)) {
            return Some(Refusal::Token);
        }
        let cutoff = |key: &str| self.issuers.get(key).is_some_and(|(cutoff, _)| minted_by(*cutoff));
        let any_cutoff = || self.issuers.values().any(|(cutoff, _)| minted_by(*cutoff));
        let by_issuer = !self.issuers.is_empty()
            && (presented.issuer.map_or_else(any_cutoff, cutoff) || presented.kid.is_some_and(cutoff));
        (by_issuer || self.everybody.is_some_and(minted_by)).then_some(Refusal::Issuer)
    }

    /// Forgets entries whose last token has ended by `now`.
    pub fn prune(&mut self, now: UnixMillis) {
        self.sessions.retain(|_, drop_at| *drop_at > now);
        self.subjects.retain(|_, (_, drop_at)| *drop_at > now);
        self.tokens.retain(|_, drop_at| *drop_at > now);
        self.issuers.retain(|_, (_, drop_at)| *drop_at > now);
    }

    /// How many entries are held.
    pub fn len(&self) -> usize {
        self.sessions.len() + self.subjects.len() + self.tokens.len() + self.issuers.len()
    }

    /// Whether no entry is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Too many to hold: a cutoff takes their place. It is the newest instant of any that is dropped, because entries
    /// come in any order: the one that is one too many may be older than others. Issuer entries stay, since theirs may
    /// be in the future.
    fn overflow(&mut self) {
        if let Some(newest_at) = self.newest_at.take() {
            later(self.everybody.get_or_insert(newest_at), newest_at);
        }
        self.sessions = HashMap::new();
        self.subjects = HashMap::new();
        self.tokens = HashMap::new();
    }
}

fn later(held: &mut UnixMillis, other: UnixMillis) {
    *held = (*held).max(other);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{entropy::Entropy, id::FeedEntryId, revocation::RevocationDraft};

    struct Zero;
    impl Entropy for Zero {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    fn at(millis: i64) -> UnixMillis {
        UnixMillis::from_millis(millis)
    }

    fn entry(revocation: Revocation, when: i64) -> RevocationDraft {
        let id = FeedEntryId::generate(at(when), &Zero);
        RevocationDraft { id, at: at(when), drop_at: at(when + 100), revocation }
    }

    const SESSION: SessionId = SessionId::from_bytes([1; 16]);
    const ACCOUNT: AccountId = AccountId::from_bytes([2; 16]);
    const TOKEN: TokenId = TokenId::from_bytes([3; 16]);

    fn presented(generation: i64, issued_at: i64) -> Presented<'static> {
        Presented {
            session: Some(SESSION),
            account: Some(ACCOUNT),
            generation: AccountGeneration::from_raw(generation),
            token: Some(TOKEN),
            issuer: Some("https://a.example"),
            kid: Some("k1"),
            issued_at: at(issued_at),
        }
    }

    #[test]
    fn each_kind_refuses_what_it_names_and_nothing_else() {
        let subject = |generation| Revocation::Subject {
            account: ACCOUNT,
            minimum_generation: AccountGeneration::from_raw(generation),
        };
        let issuer = |key: &str| Revocation::Issuer { key: key.into(), cutoff: at(50) };
        for (revocation, token, expected) in [
            (Revocation::Session(SESSION), presented(1, 60), Some(Refusal::Session)),
            (Revocation::Session(SessionId::from_bytes([9; 16])), presented(1, 60), None),
            (subject(2), presented(1, 60), Some(Refusal::Subject)),
            (subject(1), presented(1, 60), None),
            (Revocation::Token(TOKEN), presented(1, 60), Some(Refusal::Token)),
            (issuer("https://a.example"), presented(1, 50), Some(Refusal::Issuer)),
            (issuer("https://a.example"), presented(1, 51), None),
            (issuer("k1"), presented(1, 50), Some(Refusal::Issuer)),
            (issuer("https://b.example"), presented(1, 50), None),
            (Revocation::Keys { version: 1 }, presented(1, 1), None),
        ] {
            let mut ledger = Ledger::default();
            ledger.apply(&entry(revocation.clone(), 55));
            assert_eq!(ledger.refusal(&token), expected, "{revocation:?}");
        }
    }

    #[test]
    fn order_and_repetition_do_not_matter() {
        let subject = |generation, when| {
            let minimum_generation = AccountGeneration::from_raw(generation);
            entry(Revocation::Subject { account: ACCOUNT, minimum_generation }, when)
        };
        for order in
            [[subject(1, 10), subject(3, 20), subject(2, 15)], [subject(3, 20), subject(1, 10), subject(3, 20)]]
        {
            let mut ledger = Ledger::default();
            for entry in &order {
                ledger.apply(entry);
            }
            assert_eq!(ledger.refusal(&presented(2, 60)), Some(Refusal::Subject));
            assert_eq!(ledger.refusal(&presented(3, 60)), None);
            ledger.prune(at(119));
            assert_eq!(ledger.len(), 1);
        }
    }

    #[test]
    fn entries_are_dropped_when_no_token_is_left_and_not_before() {
        let mut ledger = Ledger::default();
        ledger.apply(&entry(Revocation::Session(SESSION), 0));
        ledger.prune(at(99));
        assert!(ledger.refusal(&presented(0, 1)).is_some());
        ledger.prune(at(100));
        assert!(ledger.is_empty());
    }

    #[test]
    fn over_its_bound_the_ledger_refuses_everybody_minted_before() {
        let mut ledger = Ledger::default();
        for number in 0..=LEDGER_ENTRIES_MAX {
            let session = SessionId::from_bytes((number as u128 + 100).to_be_bytes());
            // Out of order: neither the first nor the last is the newest.
            let when = if number == 7 { 70 } else { 60 };
            ledger.apply(&entry(Revocation::Session(session), when));
        }
        assert!(ledger.len() < LEDGER_ENTRIES_MAX);
        assert_eq!(ledger.refusal(&presented(9, 70)), Some(Refusal::Issuer));
        assert_eq!(ledger.refusal(&presented(9, 71)), None);
    }
}
