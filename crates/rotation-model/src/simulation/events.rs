//! What is going to happen, in order of time.

use super::weather::{FaultKind, Millis};
use crate::schemes::Token;
use std::{cmp::Reverse, collections::BinaryHeap};

/// Something that happens.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    /// A tab looks whether it needs a refresh.
    Look {
        /// Which.
        tab: usize,
    },
    /// The server executes a refresh.
    Execute {
        /// The tab that sent it.
        tab: usize,
        /// Its number.
        refresh: u32,
        /// What it presents.
        token: Token,
        /// When the server accepted it.
        accepted_at: Millis,
    },
    /// An answer reaches its tab; `None` is an error that says nothing about the token.
    Receive {
        /// The tab that sent it.
        tab: usize,
        /// Its number.
        refresh: u32,
        /// The refresh token in it.
        token: Option<Token>,
    },
    /// The client dies or sleeps until then.
    Interrupt {
        /// When it is back.
        back_at: Millis,
    },
    /// Something strikes the server.
    Strike(FaultKind),
    /// The thief presents his token.
    Steal,
}

struct Scheduled {
    at: Millis,
    order: u32,
    event: Event,
}

impl PartialEq for Scheduled {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}
impl Eq for Scheduled {}
impl PartialOrd for Scheduled {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Scheduled {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

/// Events to come, the soonest first; those of one instant in the order they were added.
#[derive(Default)]
pub(super) struct Agenda {
    events: BinaryHeap<Reverse<Scheduled>>,
    added: u32,
}

impl Agenda {
    /// Adds an event.
    pub(super) fn add(&mut self, at: Millis, event: Event) {
        self.added += 1;
        self.events.push(Reverse(Scheduled { at, order: self.added, event }));
    }

    /// Takes the next one.
    pub(super) fn next(&mut self) -> Option<(Millis, Event)> {
        self.events.pop().map(|Reverse(scheduled)| (scheduled.at, scheduled.event))
    }
}
