//! A world in which time passes, the clock is set, the server restarts with another configuration, and keys come and go; with a
//! token from every moment, and every copy of the public keys that somebody may hold.

use super::{
    Announced, KeyChanges, KeyState, KeyTerms, KeysView, Look, StoredKey, WantedKey, activates_at, adopt, advance,
    announce, give_up, rotation_is_due,
};
use crate::{
    event::Occasion,
    revocation::{Epoch, FeedEntry, FeedHead, FeedPosition, Revocation, RevocationDraft},
    rotation::ClockJumps,
    testing::{START, Zero, signing_key},
    time::UnixMillis,
};
use proptest::{collection::vec, prelude::*};
use std::{collections::HashMap, time::Duration};

const HOUR: Duration = Duration::from_hours(1);
const MINUTE: Duration = Duration::from_mins(1);

const TERMS: KeyTerms = KeyTerms {
    jwks_max_age: Duration::from_mins(5),
    token_lifetime: Duration::from_mins(30),
    longest_token_lifetime: Duration::from_mins(32),
    rotate_after: Some(Duration::from_hours(24)),
};

/// All of it but the last moment.
fn short_of(time: Duration) -> Duration {
    time.saturating_sub(Duration::from_millis(1))
}

/// A store of keys, a clock that may be wrong, and what others hold of it.
struct World {
    keys: Vec<StoredKey>,
    feed: FeedHead,
    entries: Vec<RevocationDraft>,
    /// Time since the beginning, as nobody in here knows it.
    passed: Duration,
    /// How far the clock is off, in milliseconds.
    wrong_by: i64,
    jumps: ClockJumps,
    terms: KeyTerms,
    made: usize,
    /// Until when somebody may hold a copy of the public keys in which a key is not.
    copies_without: HashMap<String, Duration>,
    copies_until: Duration,
    /// The end of each key's last token, by the clock that was shown then.
    last_token: HashMap<String, UnixMillis>,
    /// Keys whose tokens are meant to be refused.
    given_up: Vec<String>,
    announced_at: HashMap<String, Duration>,
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            keys: Vec::new(),
            feed: FeedHead { position: FeedPosition { epoch: Epoch(7), seq: 40 }, ..FeedHead::default() },
            entries: Vec::new(),
            passed: HOUR,
            wrong_by: 0,
            jumps: ClockJumps::default(),
            terms: TERMS,
            made: 0,
            copies_without: HashMap::new(),
            copies_until: Duration::ZERO,
            last_token: HashMap::new(),
            given_up: Vec::new(),
            announced_at: HashMap::new(),
        };
        world.look();
        world.adopt("EdDSA");
        world
    }

    /// A day that both ends of an hour fit into.
    fn right_time(&self) -> UnixMillis {
        START.plus(self.passed)
    }

    fn now(&self) -> UnixMillis {
        UnixMillis::from_millis(self.right_time().as_millis() + self.wrong_by)
    }

    fn view(&self) -> KeysView<'_> {
        KeysView { keys: &self.keys, feed: self.feed }
    }

    fn occasion(&self) -> Occasion<'static> {
        Occasion { now: self.now(), ip: None, entropy: &Zero }
    }

    fn candidate(&mut self, algorithm: &str) -> StoredKey {
        self.made += 1;
        StoredKey { algorithm: algorithm.to_owned(), ..signing_key(&format!("key {}", self.made), self.now()) }
    }

    fn state_of(&self, kid: &str) -> KeyState {
        self.keys.iter().find(|key| key.kid == kid).unwrap().state
    }

    fn active(&self) -> &StoredKey {
        self.view().active().unwrap()
    }

    /// Writes as a store does, and looks whether it was allowed.
    fn commit(&mut self, changes: KeyChanges) {
        let published = |world: &Self| -> Vec<String> {
            world.keys.iter().filter(|key| key.verifies()).map(|key| key.kid.clone()).collect()
        };
        let (before, entries_before) = (published(self), self.entries.len());
        for key in changes.keys {
            match self.keys.iter_mut().find(|other| other.kid == key.kid) {
                Some(held) => {
                    assert!(held.state <= key.state, "{}: from {:?} back to {:?}", key.kid, held.state, key.state);
                    *held = key;
                }
                None => self.keys.push(key),
            }
        }
        for draft in changes.revocations {
            let entry = FeedEntry::seal(&self.feed, draft);
            self.feed = entry.head;
            if let Revocation::Keys { version } = entry.draft.revocation {
                assert_eq!(version, entry.head.position.seq, "the entry's own place");
                for key in &self.keys {
                    assert!(key.announced.is_none_or(|at| at.seq <= version), "it has not come to its place");
                }
            }
            self.entries.push(entry.draft);
        }
        let after = published(self);
        assert!(before == after || self.entries.len() > entries_before || before.is_empty(), "nobody was told");
        for key in &self.keys {
            assert_eq!(key.sealed.is_empty(), key.state == KeyState::Retired, "{} in {:?}", key.kid, key.state);
            if key.state == KeyState::Upcoming {
                self.announced_at.entry(key.kid.clone()).or_insert(self.passed);
            }
        }
        self.check();
    }

    /// What holds at every moment. Then somebody fetches the keys and somebody gets a token.
    fn check(&mut self) {
        let count = |state| self.view().signing(state).count();
        assert_eq!(count(KeyState::Active), 1, "one signs at every moment");
        assert!(count(KeyState::Upcoming) <= 1);
        let kid = self.active().kid.clone();
        if !self.active().is_shared_secret() && !self.given_up.contains(&kid) {
            let copies = self.copies_without.get(&kid).copied().unwrap_or_default();
            assert!(copies <= self.passed, "{kid} signs, and somebody holds keys without it");
        }
        for key in &self.keys {
            let Some(&ends_at) = self.last_token.get(&key.kid) else { continue };
            let lives = |now: UnixMillis| now < ends_at.plus(Duration::from_mins(2));
            let refused_on_purpose = self.given_up.contains(&key.kid);
            assert!(
                key.verifies() || refused_on_purpose || !(lives(self.now()) || lives(self.right_time())),
                "{} is gone, and a token of it may still be shown",
                key.kid
            );
        }
        self.copies_until = self.copies_until.max(self.passed + self.terms.jwks_max_age);
        let ends_at = self.now().plus(self.terms.token_lifetime);
        let last = self.last_token.entry(kid).or_insert(ends_at);
        *last = (*last).max(ends_at);
    }

    /// Before a key is made, copies of the public keys are those without it.
    fn copies_are_without(&mut self, key: &StoredKey) {
        self.copies_without.insert(key.kid.clone(), self.copies_until);
    }

    fn pass(&mut self, time: Duration) {
        self.passed += time;
        self.look();
        self.check();
    }

    fn look(&mut self) {
        self.jumps.observe(self.now(), self.passed, Duration::from_secs(15));
    }

    fn advance(&mut self, confirmed: bool) {
        self.look();
        let confirmed = confirmed.then_some(self.feed.position);
        let look = Look { confirmed, steady_for: self.jumps.steady_for(self.passed) };
        let ruling = advance(&self.view(), &look, &self.terms, &self.occasion());
        if let Some(kid) = &ruling.outcome.activated {
            let announced_for = self.passed.saturating_sub(self.announced_at[kid]);
            assert!(confirmed.is_some() || announced_for >= HOUR, "{kid}: somebody does not have it");
            assert_eq!(ruling.outcome.unconfirmed, confirmed.is_none());
        }
        self.commit(ruling.changes);
        let again = advance(&self.view(), &look, &self.terms, &self.occasion());
        assert!(again.changes.is_empty() || confirmed.is_none(), "done is done");
    }

    fn announce(&mut self, algorithm: &str) -> Announced {
        let candidate = self.candidate(algorithm);
        self.copies_are_without(&candidate);
        let ruling = announce(&self.view(), &candidate, &self.terms, &self.occasion());
        self.commit(ruling.changes);
        ruling.outcome
    }

    fn adopt(&mut self, algorithm: &str) {
        let candidate = self.candidate(algorithm);
        self.copies_are_without(&candidate);
        let active = self.view().active().cloned();
        let wanted = WantedKey::OfAlgorithm(algorithm.to_owned());
        let ruling = adopt(&self.view(), &wanted, Some(&candidate), &self.terms, &self.occasion());
        if let Some(active) = active.filter(|active| active.algorithm != algorithm) {
            if active.is_shared_secret() {
                // Nobody had it from the published set, so nobody holds a copy; and its tokens are refused on purpose.
                self.given_up.push(active.kid);
                self.copies_without.clear();
            }
        } else if active_is_none(&self.keys) {
            self.copies_without.clear();
        }
        self.commit(ruling.changes);
    }

    fn give_up(&mut self) {
        let candidate = self.candidate("EdDSA");
        let ruling = give_up(&self.view(), &candidate, &self.terms, &self.occasion());
        self.given_up.extend(ruling.outcome);
        self.commit(ruling.changes);
    }

    fn restart(&mut self, jwks_max_age: Duration, token_lifetime: Duration) {
        self.jumps = ClockJumps::default();
        self.look();
        self.terms = KeyTerms { jwks_max_age, token_lifetime, ..self.terms };
        self.advance(true);
    }
}

fn active_is_none(keys: &[StoredKey]) -> bool {
    !keys.iter().any(|key| key.state == KeyState::Active)
}

#[derive(Clone, Debug)]
enum Step {
    Pass { seconds: u64 },
    SetClock { minutes: i64 },
    Advance { confirmed: bool },
    Announce,
    Adopt { algorithm: &'static str },
    GiveUp,
    Restart { max_age_minutes: u64, lifetime_minutes: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..600_u64).prop_map(|seconds| Step::Pass { seconds }),
        4 => (600..9_000_u64).prop_map(|seconds| Step::Pass { seconds }),
        2 => (0..=60_i64).prop_map(|minutes| Step::SetClock { minutes }),
        8 => prop::bool::weighted(0.7).prop_map(|confirmed| Step::Advance { confirmed }),
        3 => Just(Step::Announce),
        1 => prop::sample::select(vec!["EdDSA", "ES256", "HS256"]).prop_map(|algorithm| Step::Adopt { algorithm }),
        1 => Just(Step::GiveUp),
        1 => (1..20_u64, 1..90_u64)
            .prop_map(|(max_age_minutes, lifetime_minutes)| Step::Restart { max_age_minutes, lifetime_minutes }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    /// Never two active keys, never none; no key is gone while a token of it may live; none signs that somebody cannot know;
    /// states only go forward: whatever the clock does within an hour.
    #[test]
    fn nobody_meets_a_token_without_its_key(ahead in prop::bool::ANY, steps in vec(step(), 1..60)) {
        let mut world = World::new();
        for step in steps {
            match step {
                Step::Pass { seconds } => world.pass(Duration::from_secs(seconds)),
                Step::SetClock { minutes } => {
                    world.wrong_by = if ahead { minutes } else { -minutes } * 60_000;
                    // The server looks four times a second.
                    world.look();
                    world.check();
                }
                Step::Advance { confirmed } => world.advance(confirmed),
                Step::Announce => drop(world.announce("EdDSA")),
                Step::Adopt { algorithm } => world.adopt(algorithm),
                Step::GiveUp => world.give_up(),
                Step::Restart { max_age_minutes, lifetime_minutes } => {
                    world.restart(Duration::from_mins(max_age_minutes), Duration::from_mins(lifetime_minutes));
                }
            }
        }
    }
}

#[test]
fn a_key_walks_through_its_life() {
    let mut world = World::new();
    let first = world.active().clone();
    assert_eq!(first.state_since, world.now());
    world.pass(HOUR);
    assert_eq!(world.announce("EdDSA"), Announced::Upcoming);
    let next = world.view().upcoming().unwrap().clone();
    assert_eq!(next.announced, Some(world.feed.position), "its own entry");
    assert_eq!(activates_at(&world.view(), &TERMS), Some(world.now().plus(6 * MINUTE)));
    let another = Announced::AnotherIsUpcoming { kid: next.kid.clone() };
    assert_eq!(world.announce("EdDSA"), another);

    world.pass(short_of(6 * MINUTE));
    world.advance(true);
    assert_eq!(world.state_of(&next.kid), KeyState::Upcoming, "a copy of the keys may be as old");
    world.pass(Duration::from_millis(1));
    world.advance(false);
    assert_eq!(world.state_of(&next.kid), KeyState::Upcoming, "somebody has not said that it has it");
    world.advance(true);
    assert_eq!((world.active().kid.as_str(), world.state_of(&first.kid)), (next.kid.as_str(), KeyState::Retiring));

    let last_token = Duration::from_mins(30 + 2 + 1 + 60);
    world.pass(short_of(last_token));
    world.advance(true);
    assert_eq!(world.state_of(&first.kid), KeyState::Retiring);
    world.pass(Duration::from_millis(1));
    world.advance(true);
    let retired = world.keys.iter().find(|key| key.kid == first.kid).unwrap();
    assert!(retired.state == KeyState::Retired && retired.sealed.is_empty(), "its secret is gone");
    assert_eq!(retired.sealed_public, first.sealed_public, "whose an ended token was can still be told");
    let told: Vec<_> = world.entries.iter().map(|entry| &entry.revocation).collect();
    assert!(told.iter().all(|entry| matches!(entry, Revocation::Keys { .. })) && told.len() == 3, "{told:?}");
}

#[test]
fn one_verifier_that_never_says_so_cannot_keep_everybody_from_changing_keys() {
    let mut world = World::new();
    world.announce("EdDSA");
    let next = world.view().upcoming().unwrap().kid.clone();
    world.pass(short_of(HOUR));
    world.advance(false);
    assert_eq!(world.state_of(&next), KeyState::Upcoming);
    world.pass(Duration::from_millis(1));
    world.advance(false);
    assert_eq!(world.state_of(&next), KeyState::Active);
}

#[test]
fn a_confirmation_counts_from_the_place_of_the_announcement() {
    let mut world = World::new();
    let before = world.feed.position;
    world.announce("EdDSA");
    world.pass(10 * MINUTE);
    let steady_for = world.jumps.steady_for(world.passed);
    let at = |confirmed| {
        let look = Look { confirmed, steady_for };
        advance(&world.view(), &look, &TERMS, &world.occasion()).outcome.activated.is_some()
    };
    assert!(!at(Some(before)) && !at(None) && at(Some(world.feed.position)));
    assert!(at(Some(FeedPosition { epoch: Epoch(8), seq: 0 })), "a later life of the store");
}

#[test]
fn an_old_key_is_followed_by_itself() {
    let mut world = World::new();
    let day = TERMS.rotate_after.unwrap();
    let due = |world: &World, terms: &KeyTerms| rotation_is_due(&world.view(), terms, world.now());
    world.passed += short_of(day);
    assert!(!due(&world, &TERMS));
    world.passed += Duration::from_millis(1);
    assert!(due(&world, &TERMS) && !due(&world, &KeyTerms { rotate_after: None, ..TERMS }));
    world.announce("EdDSA");
    assert!(!due(&world, &TERMS), "the next one is on its way");
}

#[test]
fn a_key_of_a_release_that_wrote_nothing_down_is_given_the_whole_time() {
    let mut world = World::new();
    let old = StoredKey { state: KeyState::Retiring, ..signing_key("old", START) };
    world.keys.push(old);
    world.pass(48 * HOUR);
    world.advance(true);
    assert_eq!(world.state_of("old"), KeyState::Retiring);
    world.pass(92 * MINUTE);
    world.advance(true);
    assert_eq!(world.state_of("old"), KeyState::Retiring);
    world.pass(MINUTE);
    world.advance(true);
    assert_eq!(world.state_of("old"), KeyState::Retired);
}

#[test]
fn what_leaked_is_given_up_with_all_that_lay_beside_it() {
    let mut world = World::new();
    world.announce("EdDSA");
    world.pass(10 * MINUTE);
    world.advance(true);
    world.announce("EdDSA");
    let all: Vec<_> = world.keys.iter().map(|key| key.kid.clone()).collect();
    assert_eq!(all.len(), 3, "a retiring, an active and an upcoming one");
    let entries_before = world.entries.len();
    world.give_up();
    let told: Vec<_> = world.entries[entries_before..].iter().map(|entry| entry.revocation.clone()).collect();
    for (kid, entry) in all.iter().zip(&told) {
        let key = world.keys.iter().find(|key| key.kid == *kid).unwrap();
        assert!(key.state == KeyState::Retired && key.sealed.is_empty() && key.sealed_public.is_empty());
        let Revocation::Issuer { key, cutoff } = entry else { panic!("{entry:?}") };
        assert!(key == kid && *cutoff > world.now().plus(Duration::from_hours(24 * 365 * 1000)));
    }
    assert!(matches!(told[3], Revocation::Keys { .. }) && told.len() == 4);
    assert!(world.active().announced.is_none() && world.view().upcoming().is_none());
}

#[test]
fn another_algorithm_is_announced_first_and_a_shared_secret_is_not() {
    let mut world = World::new();
    let first = world.active().kid.clone();
    world.adopt("ES256");
    assert_eq!((world.active().kid.as_str(), world.view().upcoming().unwrap().algorithm.as_str()), (&*first, "ES256"));
    let upcoming = world.view().upcoming().unwrap().kid.clone();
    world.adopt("ES256");
    assert_eq!(world.view().upcoming().unwrap().kid, upcoming, "asked again: the same");
    world.adopt("EdDSA");
    assert_eq!(
        (world.active().kid.as_str(), world.state_of(&upcoming)),
        (&*first, KeyState::Retired),
        "thought better"
    );
    world.adopt("HS256");
    let shared = world.active().clone();
    assert!(shared.algorithm == "HS256" && world.state_of(&first) == KeyState::Retiring);
    world.adopt("ES256");
    assert_eq!((world.active().algorithm.as_str(), world.state_of(&shared.kid)), ("ES256", KeyState::Retired));
}

#[test]
fn a_secret_whose_file_is_put_back_signs_again() {
    let mut world = World::new();
    let take = |world: &mut World, kid: &str| {
        let secret = StoredKey { algorithm: "HS256".to_owned(), ..signing_key(kid, world.now()) };
        let ruling = adopt(&world.view(), &WantedKey::WithId(kid.to_owned()), Some(&secret), &TERMS, &world.occasion());
        for key in ruling.changes.keys {
            world.keys.retain(|other| other.kid != key.kid);
            world.keys.push(key);
        }
        assert_eq!(world.active().kid, kid);
        assert_eq!(world.view().signing(KeyState::Active).count(), 1);
    };
    for kid in ["one", "other", "one"] {
        take(&mut world, kid);
    }
    assert!(!world.active().sealed.is_empty() && world.state_of("other") == KeyState::Retired);
}

/// A token of twelve hours is out there when the server is restarted with shorter ones.
#[test]
fn a_shortened_lifetime_retires_no_key_before_the_longer_tokens_have_ended() {
    let mut world = World::new();
    let first = world.active().kid.clone();
    world.restart(5 * MINUTE, 12 * HOUR);
    world.restart(5 * MINUTE, 30 * MINUTE);
    world.announce("EdDSA");
    world.pass(6 * MINUTE);
    world.advance(true);
    assert_eq!(world.state_of(&first), KeyState::Retiring);
    world.pass(short_of(12 * HOUR + 63 * MINUTE));
    world.advance(true);
    assert_eq!(world.state_of(&first), KeyState::Retiring);
    world.pass(Duration::from_millis(1));
    world.advance(true);
    assert_eq!(world.state_of(&first), KeyState::Retired);
}
