//! What can happen next in a state, and what it leads to.

use super::{
    properties::{self, Broken},
    scenario::{Adopt, Clock, Scenario},
    state::{HOURS, NOW, Offset, Request, Row, State, Store, TABS_MAX, Tab, Thief, instant, offset, serial},
};
use crate::rule::{Rule, after_clock_jump};
use counterfoil_domain::rotation::{Decision, LossWindow, Rotation, RotationRules, Verdict};

/// Something that happens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// An idle tab reads the stored token and sends it.
    Send,
    /// The server executes a request; its place in the list.
    Execute(usize),
    /// The reply reaches its tab.
    Receive(usize),
    /// A tab learns that its connection is gone; its request may still be executed.
    Break(usize),
    /// One tick of time passes. Losing a request or a reply is waiting until it is too late.
    Tick,
    /// Time passes until nothing is under way and every retry window is over.
    Pause,
    /// The standby stops following.
    Lag,
    /// The standby is promoted; the writes it lacks are gone.
    Promote,
    /// The clock is set.
    SetClock,
    /// The thief copies the stored token.
    Copy,
    /// The thief presents the token it copied.
    StealWithCopy,
    /// The thief presents the newest token it holds.
    StealWithNewest,
}

impl Scenario {
    /// Everything that can happen in a state, with what it leads to.
    pub(super) fn successors(
        &self,
        rule: &impl Rule,
        state: &State,
        mut found: impl FnMut(Action, Result<State, Broken>),
    ) {
        if state.revoked {
            return;
        }
        if let Some(next) = self.send(state) {
            found(Action::Send, Ok(next));
        }
        for (tab, waiting) in state.tabs.iter().enumerate() {
            if let Tab::Waiting { reply, .. } = waiting {
                found(Action::Break(tab), Ok(abandon(state.clone(), tab)));
                if let Some(reply) = *reply {
                    found(Action::Receive(tab), Ok(self.receive(state, tab, reply)));
                }
            }
        }
        for (place, request) in state.requests.iter().enumerate() {
            if let Some(request) = *request {
                found(Action::Execute(place), self.execute(rule, state, place, request));
            }
        }
        found(Action::Tick, Ok(self.tick(state)));
        found(Action::Pause, Ok(self.pause(state)));
        self.set_clock(state, &mut found);
        self.failover(state, &mut found);
        if self.thief {
            self.thief(rule, state, &mut found);
        }
    }

    /// Tabs are alike, so it is enough that one of the idle ones sends.
    fn send(&self, state: &State) -> Option<State> {
        let waiting = state.tabs.iter().filter(|tab| **tab != Tab::Idle).count();
        let under_way = state.requests.iter().flatten().count();
        if waiting >= self.tabs || under_way >= self.requests {
            return None;
        }
        let mut next = state.clone();
        let tab = next.tabs.iter().position(|tab| *tab == Tab::Idle)?;
        *next.tabs.get_mut(tab)? = Tab::Waiting { age: 0, reply: None };
        let request = Request { presented: state.stored, age: 0, tab: u8::try_from(tab).ok() };
        *next.requests.iter_mut().find(|place| place.is_none())? = Some(request);
        Some(next)
    }

    fn receive(&self, state: &State, tab: usize, reply: Offset) -> State {
        let mut next = abandon(state.clone(), tab);
        next.stored = match self.adopt {
            Adopt::Newest => state.stored.max(reply),
            Adopt::LastReceived => reply,
        };
        next
    }

    fn execute(&self, rule: &impl Rule, state: &State, place: usize, request: Request) -> Result<State, Broken> {
        let mut next = state.clone();
        if let Some(place) = next.requests.get_mut(place) {
            *place = None;
        }
        let decision = self.present(rule, state, &mut next, request.presented)?;
        if decision.verdict == Verdict::Theft && !state.thief_acted() {
            return Err(Broken::HonestSignOut);
        }
        if let Some(tab) = request.tab
            && let Some(Tab::Waiting { reply, .. }) = next.tabs.get_mut(usize::from(tab))
        {
            *reply = decision.reply.map(|reply| offset(reply.as_raw()));
        }
        Ok(next)
    }

    /// The server decides a presented serial and writes the row; every invariant is checked here.
    fn present(
        &self,
        rule: &impl Rule,
        state: &State,
        next: &mut State,
        presented: Offset,
    ) -> Result<Decision, Broken> {
        let rules = RotationRules { loss_window: state.loss_window(), ..self.rules };
        let decision = rule.decide(&Rotation::from(state.row), serial(presented), NOW, &rules);
        properties::check(self, rule, state, presented, &decision)?;
        if decision.verdict == Verdict::Theft {
            next.revoked = true;
        }
        if let Some(row) = decision.write {
            next.row = Row::from(row);
            if decision.verdict != Verdict::Same {
                next.handed_at = 0;
            }
            if let Store::Lagging { first_lost, .. } = &mut next.store {
                first_lost.get_or_insert(0);
            }
        }
        Ok(decision)
    }

    fn tick(&self, state: &State) -> State {
        let mut next = state.clone();
        next.each_offset(|offset| *offset -= self.tick_millis());
        for request in &mut next.requests {
            *request = request
                .map(|request| Request { age: request.age + 1, ..request })
                .filter(|request| request.age <= self.flight_ticks());
        }
        for tab in 0..TABS_MAX {
            if let Some(Tab::Waiting { age, .. }) = next.tabs.get_mut(tab) {
                *age += 1;
                if *age > self.timeout_ticks() {
                    next = abandon(next, tab);
                }
            }
        }
        next
    }

    fn pause(&self, state: &State) -> State {
        let mut next = state.clone();
        next.each_offset(|offset| *offset -= self.retry_window() + 1);
        next.requests = Default::default();
        next.tabs = [Tab::Idle; TABS_MAX];
        next
    }

    /// The clock is set once. Not while writes are being lost: a fault inside a fault.
    fn set_clock(&self, state: &State, found: &mut impl FnMut(Action, Result<State, Broken>)) {
        let losing = matches!(state.store, Store::Lagging { first_lost: Some(_), .. });
        if state.clock_was_set || losing {
            return;
        }
        let mut next = State { clock_was_set: true, ..state.clone() };
        match self.clock {
            Clock::Steady => return,
            Clock::GoesBack => next.each_offset(|offset| *offset = offset.saturating_add(HOURS)),
            Clock::JumpsAhead { noticed } => {
                // What is long ago already stays so; the jump itself is longer than any window.
                let jump = 2 * self.retry_window();
                next.each_offset(|offset| *offset = offset.saturating_sub(jump));
                if noticed {
                    let mut window = after_clock_jump(instant(-jump), NOW, self.rules.retry_window);
                    // A window that is there already is widened.
                    if let Store::Unsettled { from, .. } = next.store {
                        window.from = window.from.min(instant(from));
                    }
                    next.store = Store::unsettled(window, Offset::MIN);
                }
            }
        }
        found(Action::SetClock, Ok(next));
    }

    fn failover(&self, state: &State, found: &mut impl FnMut(Action, Result<State, Broken>)) {
        if !self.failover {
            return;
        }
        match state.store {
            Store::Healthy => {
                let store = Store::Lagging { kept: state.row, first_lost: None };
                found(Action::Lag, Ok(State { store, ..state.clone() }));
            }
            Store::Lagging { kept, first_lost: Some(first_lost) } => {
                // The tightest window there can be: the last heartbeat that the standby has, less its second of grace,
                // was just before the first lost write. A primary whose clock is behind knows only the heartbeat.
                let newest_lost = state.row.child;
                let mut window =
                    LossWindow::after_promotion(instant(first_lost.max(newest_lost)), NOW, self.rules.retry_window);
                window.from = instant(first_lost);
                let store = Store::unsettled(window, newest_lost);
                found(Action::Promote, Ok(State { store, row: kept, handed_at: kept.given, ..state.clone() }));
            }
            Store::Lagging { .. } | Store::Unsettled { .. } => {}
        }
    }

    fn thief(&self, rule: &impl Rule, state: &State, found: &mut impl FnMut(Action, Result<State, Broken>)) {
        let Some(thief) = state.thief else {
            let thief = Thief { copied: state.stored, newest: state.stored, acted: false };
            found(Action::Copy, Ok(State { thief: Some(thief), ..state.clone() }));
            return;
        };
        let mut steal = |action, presented| {
            let mut next = state.clone();
            let outcome = self.present(rule, state, &mut next, presented).map(|decision| {
                let newest = decision.reply.map_or(thief.newest, |reply| offset(reply.as_raw()));
                next.thief = Some(Thief { newest, acted: true, ..thief });
                next
            });
            found(action, outcome);
        };
        steal(Action::StealWithNewest, thief.newest);
        if thief.copied != thief.newest {
            steal(Action::StealWithCopy, thief.copied);
        }
    }
}

/// The tab stops waiting; its request stays under way, but nobody will see the reply.
fn abandon(mut state: State, tab: usize) -> State {
    if let Some(place) = state.tabs.get_mut(tab) {
        *place = Tab::Idle;
    }
    for request in state.requests.iter_mut().flatten() {
        request.tab = request.tab.filter(|waiting| usize::from(*waiting) != tab);
    }
    state
}
