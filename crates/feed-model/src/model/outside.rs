//! What happens to the store, and the passing of time.

use super::{
    clock::Age,
    history::{Letter, Letters, Place},
    properties::Broken,
    scenario::{Pace, WakeUps},
    state::{Ask, Change, Copy, Line, State, Verifier},
    world::{Action, World},
};
use crate::rule::Rule;

/// What happens to the store, once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failure {
    /// Nothing.
    None,
    /// A standby that has everything takes over, in a new epoch.
    Synchronous,
    /// A standby takes over that lacks any part of what was not yet acknowledged, in a new epoch.
    LosesTail,
    /// An old backup is put in the store's place, and nobody tells it to begin a new epoch. It begins one when it is asked
    /// from a place that it never came to.
    OldBackup,
    /// Like [`Failure::LosesTail`], and the old primary goes on answering with what it has.
    TwoPrimaries,
}

impl Failure {
    /// Every one that there is.
    pub const ALL: [Self; 4] = [Self::Synchronous, Self::LosesTail, Self::OldBackup, Self::TwoPrimaries];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::None => "no failure",
            Self::Synchronous => "synchronous failover",
            Self::LosesTail => "failover that loses what was not acknowledged",
            Self::OldBackup => "old backup, noticed later",
            Self::TwoPrimaries => "failover, the old primary goes on answering",
        }
    }

    pub(super) const fn leaves_two(self) -> bool {
        matches!(self, Self::TwoPrimaries)
    }

    pub(super) const fn keeps_all_written(self) -> bool {
        matches!(self, Self::None | Self::Synchronous)
    }

    pub(super) const fn leaves_backup(self) -> bool {
        matches!(self, Self::OldBackup)
    }
}

fn acknowledged(state: &State) -> State {
    State { acknowledged: true, since: state.since.or(Some(0)), ..state.clone() }
}

impl<R: Rule> World<'_, R> {
    pub(super) fn happens_outside(&self, state: &State, found: &mut impl FnMut(Action, Result<State, Broken>)) {
        for letter in [Letter::Other, Letter::Another, Letter::SignOut] {
            if let Some(head) = self.histories.write(state.head, letter) {
                let next = State { head, ..state.clone() };
                // Where nothing that is written is lost, the earliest acknowledgement is the one that promises most.
                let is_answered = letter == Letter::SignOut && self.scenario.failure.keeps_all_written();
                found(Action::Write(letter), Ok(if is_answered { acknowledged(&next) } else { next }));
            }
        }
        if !state.acknowledged && self.histories.letters(state.head).contains(Letter::SignOut) {
            found(Action::Acknowledge, Ok(acknowledged(state)));
        }
        if !state.forgotten.contains(Letter::Other) {
            let forgotten = state.forgotten.with(Letter::Other);
            found(Action::Forget, Ok(State { forgotten, ..state.clone() }));
        }
        if state.copy.is_some() && !self.scenario.failure.leaves_two() {
            let copy = Some(Copy { head: state.head, read: 0 });
            found(Action::NodeReads, Ok(State { copy, ..state.clone() }));
        }
        self.fail(state, found);
        self.time(state, found);
    }

    fn fail(&self, state: &State, found: &mut impl FnMut(Action, Result<State, Broken>)) {
        match state.change {
            Change::None => {
                for (lost, kept) in self.histories.back_from(state.head).enumerate() {
                    if let Some(next) = self.failed(state, lost, kept) {
                        found(Action::Fail(lost), Ok(next));
                    }
                }
            }
            Change::Restored { noticed: true } => {
                if let Some(begun) = self.histories.begin_epoch(state.head) {
                    found(Action::BeginEpoch, Ok(self.begin_epoch_after_backup(state, begun)));
                }
            }
            Change::Restored { noticed: false } | Change::Over => {}
        }
    }

    /// What is left when everything after `kept`, so many places, is gone.
    fn failed(&self, state: &State, lost: usize, kept: Place) -> Option<State> {
        let keeps_acknowledged = !state.acknowledged || self.histories.letters(kept).contains(Letter::SignOut);
        match self.scenario.failure {
            Failure::None => None,
            Failure::Synchronous if lost > 0 => None,
            Failure::LosesTail | Failure::TwoPrimaries if !keeps_acknowledged => None,
            Failure::OldBackup if lost == 0 => None,
            Failure::OldBackup => {
                Some(State { change: Change::Restored { noticed: false }, ..self.cut_back(state, kept) })
            }
            Failure::Synchronous | Failure::LosesTail | Failure::TwoPrimaries => {
                let head = self.histories.begin_epoch(kept)?;
                let deposed = Copy { head: state.head, read: 0 };
                let copy = if self.scenario.failure.leaves_two() { Some(deposed) } else { state.copy };
                Some(State { head, copy, change: Change::Over, ..self.cut_back(state, kept) })
            }
        }
    }

    /// The store without what it has lost. Nothing is promised of it any more; but who holds it goes on refusing.
    fn cut_back(&self, state: &State, kept: Place) -> State {
        let mut next = State { head: kept, ..state.clone() };
        if !self.histories.letters(kept).contains(Letter::SignOut) {
            next.acknowledged = false;
            next.since = None;
            for verifier in &mut next.verifiers {
                let keeps = verifier.loaded || self.scenario.holds_over_restarts;
                verifier.refused &= keeps;
                verifier.confirmed &= keeps;
            }
        }
        next
    }

    /// The cutoff is written in the same step as the epoch begins: nobody reads the one without the other. It is owed from
    /// then, whether it is written or not.
    fn begin_epoch_after_backup(&self, state: &State, begun: Place) -> State {
        let with_cutoff = self.histories.write(begun, Letter::Cutoff).filter(|_| self.practice.cutoff_after_backup);
        let head = with_cutoff.unwrap_or(begun);
        State { head, since: state.since.or(Some(0)), change: Change::Over, ..state.clone() }
    }

    /// Whether every ledger that has read the feed up to here refuses the watched token.
    pub(super) fn is_refused_by_all(&self, head: Place) -> bool {
        self.ledgers.refuse(Letters(self.histories.letters(head).0))
    }

    fn time(&self, state: &State, found: &mut impl FnMut(Action, Result<State, Broken>)) {
        let verifiers = || state.verifiers.iter().take(self.scenario.verifiers);
        if verifiers().any(|verifier| !self.may_wait(state, verifier)) {
            return;
        }
        found(Action::Tick, Ok(self.tick(state, None)));
        if !self.practice.clock_counts_pauses {
            for stopped in 0..self.scenario.verifiers {
                found(Action::TickUnseenBy(stopped), Ok(self.tick(state, Some(stopped))));
            }
        }
    }

    /// Whether time may pass before something else happens: where everything goes on promptly, it must.
    fn may_wait(&self, state: &State, verifier: &Verifier) -> bool {
        let Pace::Prompt { leg, hold, wake_ups } = self.scenario.pace else { return true };
        let Some(line) = verifier.lines.first() else { return true };
        match *line {
            Line::Idle | Line::Measured { .. } | Line::Unmeasured { .. } => false,
            Line::Asked { sent, .. } => sent < self.clock.ticks(leg),
            Line::Held { ask, received, .. } => {
                let is_woken = wake_ups == WakeUps::Kept && ask != Ask::Poll(Some(state.head));
                received < self.clock.ticks(hold) && !is_woken
            }
            Line::Answered { read, .. } => read < self.clock.ticks(leg),
        }
    }

    /// One tick later. A verifier whose clock stands still while it is stopped does not see it pass.
    pub(super) fn tick(&self, state: &State, unseen_by: Option<usize>) -> State {
        let mut next = state.clone();
        let bound = self.clock.ticks(self.scenario.bound);
        next.since = next.since.map(|since| since.saturating_add(1).min(bound + 1));
        if let Some(copy) = &mut next.copy {
            copy.read = copy.read.saturating_add(1).min(self.clock.copy_max());
        }
        for (number, verifier) in next.verifiers.iter_mut().enumerate().take(self.scenario.verifiers) {
            verifier.doubts = verifier.doubts.saturating_sub(1);
            if verifier.loaded {
                verifier.read = self.clock.older(verifier.read);
            }
            let its_clock_goes = unseen_by != Some(number);
            if its_clock_goes && let Some(_) = verifier.standing.applied {
                let standing = &mut verifier.standing;
                standing.proof = self.clock.older(standing.proof);
                standing.reached = standing.reached.saturating_add(1).min(self.reached_max());
                standing.contested = standing.contested.saturating_sub(1);
            }
            for line in &mut verifier.lines {
                *line = self.line_later(*line, its_clock_goes);
            }
        }
        next
    }

    /// How long it is told that a question is held. The proof counts it from the asking, however long it was; so where
    /// nothing else asks, held or not held is enough.
    fn held_max(&self) -> Age {
        match self.scenario.pace {
            Pace::Prompt { hold, .. } => self.clock.ticks(hold),
            Pace::Any if self.scenario.crossing => self.clock.age_max(),
            Pace::Any => 1,
        }
    }

    /// A question one tick later. Where answers cross, one that is too old to be told from older ones is given up.
    fn line_later(&self, line: Line, its_clock_goes: bool) -> Line {
        let older = |age: Age| self.clock.older(age);
        let longer = |held: Age| held.saturating_add(1).min(self.held_max());
        let seen = |age: Age| if its_clock_goes { older(age) } else { age };
        let later = match line {
            Line::Idle => Line::Idle,
            Line::Asked { ask, sent } => Line::Asked { ask, sent: seen(sent) },
            Line::Held { ask, transit, received } => Line::Held { ask, transit, received: longer(received) },
            Line::Measured { ask, proof, held } => Line::Measured { ask, proof: seen(proof), held },
            Line::Unmeasured { transit, received, read, reply } => {
                Line::Unmeasured { transit, received: longer(received), read: older(read), reply }
            }
            Line::Answered { proof, held, read, reply } => {
                Line::Answered { proof: seen(proof), held, read: older(read), reply }
            }
        };
        let asked_ago = match later {
            Line::Asked { sent: ago, .. } | Line::Measured { proof: ago, .. } | Line::Answered { proof: ago, .. } => {
                ago
            }
            Line::Held { transit, received, .. } | Line::Unmeasured { transit, received, .. } => transit + received,
            Line::Idle => 0,
        };
        if self.scenario.crossing && asked_ago >= self.clock.age_max() { Line::Idle } else { later }
    }
}
