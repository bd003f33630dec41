//! What verifiers do.

use super::{
    clock::{Age, NOW},
    history::{Letter, Letters, Place},
    properties::Broken,
    scenario::Pace,
    state::{Ask, Change, Line, Reply, State, Verifier},
    world::{Action, World},
};
use crate::rule::Rule;
use counterfoil_domain::{
    revocation::{FeedEntry, Next},
    store::FeedPage,
};
use std::cmp::Ordering;

impl<R: Rule> World<'_, R> {
    /// What a verifier does besides asking.
    pub(super) fn happens_at(
        &self,
        state: &State,
        number: usize,
        verifier: &Verifier,
        found: &mut impl FnMut(Action, Result<State, Broken>),
    ) {
        if self.scenario.pace == Pace::Any && !self.scenario.warm && *verifier != Verifier::COLD {
            found(Action::Restart(number), Ok(with(state, number, |old| *old = self.restarted(state, old))));
        }
        if state.forgotten.contains(Letter::Other) && self.ledgers.pruned(verifier.ledger) != verifier.ledger {
            let prune = |verifier: &mut Verifier| verifier.ledger = self.ledgers.pruned(verifier.ledger);
            found(Action::Prune(number), Ok(with(state, number, prune)));
        }
        if verifier.unapplied != Letters::default() {
            found(Action::Apply(number), Ok(with(state, number, apply_late)));
        }
        if self.scenario.slow_requests {
            self.request(state, number, verifier, found);
        }
    }

    /// A request takes two looks, and between the two anything may happen. Which comes first matters.
    fn request(
        &self,
        state: &State,
        number: usize,
        verifier: &Verifier,
        found: &mut impl FnMut(Action, Result<State, Broken>),
    ) {
        let freshness_first = self.practice.freshness_before_ledger;
        let passes = |is_first: bool| {
            if is_first == freshness_first { self.claims(verifier) } else { !self.refuses(verifier) }
        };
        let set = |request| with(state, number, |verifier| verifier.request = request);
        match verifier.request {
            None if verifier.loaded && passes(true) => found(Action::Begin(number), Ok(set(Some(self.is_late(state))))),
            Some(true) if passes(false) => found(Action::End(number), Err(Broken::AcceptedTooLate)),
            Some(_) => found(Action::End(number), Ok(set(None))),
            None => {}
        }
    }

    /// A process that starts has nothing of what it knew. What was said of its refusals goes on only if it can learn of
    /// them again.
    fn restarted(&self, state: &State, old: &Verifier) -> Verifier {
        let is_behind = self.scenario.node || self.scenario.failure.leaves_two();
        let can_learn = (self.is_refused_by_all(state.head) && !is_behind) || self.scenario.holds_over_restarts;
        Verifier { refused: old.refused && can_learn, confirmed: old.confirmed && can_learn, ..Verifier::COLD }
    }

    /// One question after the other: the next is asked when the one before is answered or given up. A verifier that lets
    /// them cross has no such order.
    pub(super) fn ask(
        &self,
        state: &State,
        number: usize,
        line: usize,
        found: &mut impl FnMut(Action, Result<State, Broken>),
    ) {
        let Some(verifier) = state.verifiers.get(number) else { return };
        let ask = if verifier.wants_snapshot { Ask::Snapshot } else { Ask::Poll(verifier.standing.applied) };
        let send = |ask| with_line(state, number, line, Line::Asked { ask, sent: 0 });
        found(Action::Ask(number, line), Ok(send(ask)));
        if self.practice.acknowledges_what_is_applied {
            return;
        }
        for other in verifier.lines {
            if let Line::Answered { reply: Reply { ask: Ask::Poll(_), head, .. }, .. } = other {
                found(Action::AskAhead(number, line), Ok(send(Ask::Poll(Some(head)))));
            }
        }
    }

    /// The verifier judges an answer.
    pub(super) fn receive(&self, state: &State, number: usize, line: usize) -> Result<State, Broken> {
        let mut next = state.clone();
        let Some(verifier) = next.verifiers.get_mut(number) else { return Ok(next) };
        let Some(Line::Answered { proof, held, read, reply }) = verifier.lines.get(line).copied() else {
            return Ok(next);
        };
        if let Some(line) = verifier.lines.get_mut(line) {
            *line = Line::Idle;
        }
        apply_late(verifier);
        let duration = |ticks| self.clock.duration(ticks);
        let sent_at = NOW.saturating_sub(duration(proof)).saturating_sub(duration(held));
        let proven_until = self.rule.proven_until(sent_at, NOW, duration(held), duration(reply.node_age));
        self.doubt(verifier, reply, proof.saturating_add(reply.node_age));
        let mut follower = self.follower(verifier.standing);
        let was_cold = verifier.standing.applied.is_none();
        let knows_all = match reply.ask {
            Ask::Poll(after) => {
                let page = self.page(after, reply);
                self.apply(verifier, page.entries.iter());
                let judged = self.rule.read(&mut follower, &page, proven_until, NOW);
                if let Next::LoadSnapshot(anomaly) = judged
                    && anomaly.is_contradiction()
                    && !matches!(state.change, Change::Restored { .. })
                    && !self.scenario.failure.leaves_backup()
                {
                    return Err(Broken::HonestFeedContested);
                }
                verifier.wants_snapshot = matches!(judged, Next::LoadSnapshot(_));
                judged == Next::Wait
            }
            Ask::Snapshot => {
                let entries = self.histories.entries(reply.head, reply.forgotten);
                if !self.practice.snapshot_is_added {
                    verifier.ledger = Letters::default();
                }
                self.apply(verifier, entries.iter());
                let head = self.histories.head(reply.head);
                let taken = self.rule.take_snapshot(&mut follower, head, proven_until, NOW);
                verifier.wants_snapshot = false;
                verifier.loaded |= taken;
                taken
            }
        };
        verifier.standing = self.standing(&follower);
        let age = read.saturating_add(reply.node_age).min(self.clock.age_max());
        if knows_all && (age < verifier.read || was_cold) {
            verifier.read = age;
        }
        Ok(next)
    }

    /// The page that answers a question from `after`.
    fn page(&self, after: Option<Place>, reply: Reply) -> FeedPage {
        let head = self.histories.head(reply.head);
        let mut entries = match after {
            Some(after) if self.histories.epoch(after) == self.histories.epoch(reply.head) => {
                let mut entries = self.histories.entries(reply.head, reply.forgotten);
                let seq = self.histories.seq(after);
                entries.retain(|entry| entry.head.position.seq > seq);
                entries
            }
            _ => Vec::new(),
        };
        entries.truncate(self.scenario.page_entries_max);
        FeedPage { entries, head }
    }

    fn apply<'e>(&self, verifier: &mut Verifier, entries: impl Iterator<Item = &'e FeedEntry>) {
        let letters = entries.filter_map(|entry| self.histories.letter(entry)).fold(Letters::default(), Letters::with);
        if self.practice.applies_before_judging {
            verifier.ledger = verifier.ledger.and(letters);
        } else {
            verifier.unapplied = verifier.unapplied.and(letters);
        }
    }

    /// Whether an answer contradicts what the verifier has read, and shows it: it tells of an instant after the one at which
    /// that was known, and has less; or it has something else in the same place; or what follows does not follow.
    fn doubt(&self, verifier: &mut Verifier, reply: Reply, proof: Age) {
        let Some(applied) = verifier.standing.applied else { return };
        if self.histories.epoch(applied) != self.histories.epoch(reply.head)
            || self.histories.leads_to(applied, reply.head)
        {
            return;
        }
        let (held, newest) = (self.histories.seq(applied), self.histories.seq(reply.head));
        let shows = match newest.cmp(&held) {
            Ordering::Less => proof < verifier.standing.reached,
            Ordering::Equal => true,
            Ordering::Greater => {
                let Ask::Poll(after) = reply.ask else { return };
                let page = self.page(after, reply);
                page.entries.first().is_some_and(|entry| entry.head.position.seq == held + 1)
            }
        };
        if shows {
            verifier.doubts = self.clock.contested_for();
        }
    }
}

fn apply_late(verifier: &mut Verifier) {
    verifier.ledger = verifier.ledger.and(verifier.unapplied);
    verifier.unapplied = Letters::default();
}

/// The state with another verifier in the place of one.
pub(super) fn with(state: &State, number: usize, change: impl FnOnce(&mut Verifier)) -> State {
    let mut next = state.clone();
    if let Some(verifier) = next.verifiers.get_mut(number) {
        change(verifier);
    }
    next
}

/// The state with another question in the place of one.
pub(super) fn with_line(state: &State, number: usize, line: usize, changed: Line) -> State {
    with(state, number, |verifier| {
        if let Some(line) = verifier.lines.get_mut(line) {
            *line = changed;
        }
    })
}
