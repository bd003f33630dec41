//! One state of the model, and its canonical form.
//!
//! Every instant and every serial is kept as an offset from "now", so that two states that differ only in when they
//! happen are one state. What is older than the retry window matters only by its order, so [`State::canonical`] replaces
//! such offsets by ranks. Together with the bounds on requests in flight this makes the set of states finite.

use counterfoil_domain::{
    rotation::{LossWindow, Rotation, Serial},
    time::UnixMillis,
};

/// Milliseconds from now; the past is negative.
pub type Offset = i32;

/// Where "now" is put when production code is called. Far enough from zero that no offset reaches it.
const NOW_MILLIS: i64 = 1_000_000_000;

/// More than the age of anything that is not "long ago".
pub const HOURS: Offset = 1_000_000_000;

/// "Now", as production code sees it.
pub const NOW: UnixMillis = UnixMillis::from_millis(NOW_MILLIS);

/// An offset as an instant.
pub fn instant(offset: Offset) -> UnixMillis {
    UnixMillis::from_millis(NOW_MILLIS + i64::from(offset))
}

/// An offset as a serial.
pub fn serial(offset: Offset) -> Serial {
    Serial::from_raw(NOW_MILLIS + i64::from(offset))
}

/// A serial or an instant of production code as an offset.
pub fn offset(raw: i64) -> Offset {
    // Nothing real is further away than the two fixed values of a fresh row, 0 and -1; both stay "long ago".
    Offset::try_from(raw - NOW_MILLIS).unwrap_or(Offset::MIN)
}

/// The row, in offsets.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Row {
    /// See [`Rotation::head`].
    pub head: Offset,
    /// See [`Rotation::head_at`].
    pub head_at: Offset,
    /// See [`Rotation::child`].
    pub child: Offset,
    /// See [`Rotation::given`].
    pub given: Offset,
    /// See [`Rotation::prev`].
    pub prev: Offset,
}

impl From<Rotation> for Row {
    fn from(row: Rotation) -> Self {
        Self {
            head: offset(row.head.as_raw()),
            head_at: offset(row.head_at.as_raw()),
            child: offset(row.child.as_raw()),
            given: offset(row.given.as_millis()),
            prev: offset(row.prev.as_raw()),
        }
    }
}

impl From<Row> for Rotation {
    fn from(row: Row) -> Self {
        Self {
            head: serial(row.head),
            head_at: serial(row.head_at),
            child: serial(row.child),
            given: instant(row.given),
            prev: serial(row.prev),
        }
    }
}

/// A refresh on its way to the server.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Request {
    /// The serial it presents.
    pub presented: Offset,
    /// Ticks since it was sent.
    pub age: u8,
    /// The tab that still waits for its reply; `None` when that tab has given up.
    pub tab: Option<u8>,
}

/// A tab of the honest client. All tabs share the stored token.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Tab {
    /// It waits for nothing.
    Idle,
    /// It has sent a refresh and waits.
    Waiting {
        /// Ticks since it was sent.
        age: u8,
        /// The serial on its way back, once the server has answered.
        reply: Option<Offset>,
    },
}

/// What the thief has.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Thief {
    /// The token it copied.
    pub copied: Offset,
    /// The newest it holds.
    pub newest: Offset,
    /// Whether it has ever presented one.
    pub acted: bool,
}

/// How far the one failover has come.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Store {
    /// Nothing has happened to the store.
    Healthy,
    /// The standby has stopped following: it will be promoted with this row.
    Lagging {
        /// The row as the standby has it.
        kept: Row,
        /// When the first write that it lacks happened.
        first_lost: Option<Offset>,
    },
    /// The standby has been promoted, or the clock was found to have jumped; these are the bounds of the loss window.
    Unsettled {
        /// First instant whose writes may be missing.
        from: Offset,
        /// Last instant at which a client may come with a token from a lost write.
        until: Offset,
        /// The newest serial that was lost.
        newest_lost: Offset,
    },
}

impl Store {
    /// The state with this loss window.
    pub fn unsettled(window: LossWindow, newest_lost: Offset) -> Self {
        let (from, until) = (offset(window.from.as_millis()), offset(window.until.as_millis()));
        Self::Unsettled { from, until, newest_lost }
    }
}

/// Most tabs a scenario can have.
pub const TABS_MAX: usize = 3;
/// Most requests that can be under way at once.
pub const REQUESTS_MAX: usize = 4;

/// One state: the server's row, the network, the client, the thief.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct State {
    /// The row.
    pub row: Row,
    /// Whether theft was found: the session is over.
    pub revoked: bool,
    /// When the row's child was last handed out to a holder of its head. Not known to the rule: kept to check I2.
    pub handed_at: Offset,
    /// The store behind the row.
    pub store: Store,
    /// Whether the clock has been set.
    pub clock_was_set: bool,
    /// The token that the tabs share.
    pub stored: Offset,
    /// The tabs.
    pub tabs: [Tab; TABS_MAX],
    /// Requests on their way to the server.
    pub requests: [Option<Request>; REQUESTS_MAX],
    /// The thief; `None` until it has copied a token.
    pub thief: Option<Thief>,
}

impl State {
    /// A session just opened: its first token is in the client's store.
    pub fn initial() -> Self {
        let row = Row::from(Rotation::open(NOW));
        Self {
            row,
            revoked: false,
            handed_at: row.given,
            store: Store::Healthy,
            clock_was_set: false,
            stored: row.child,
            tabs: [Tab::Idle; TABS_MAX],
            requests: [None; REQUESTS_MAX],
            thief: None,
        }
    }

    /// The loss window, if the store has failed over.
    pub fn loss_window(&self) -> Option<LossWindow> {
        match self.store {
            Store::Unsettled { from, until, .. } => Some(LossWindow { from: instant(from), until: instant(until) }),
            Store::Healthy | Store::Lagging { .. } => None,
        }
    }

    /// Whether the thief has ever presented a token.
    pub fn thief_acted(&self) -> bool {
        self.thief.is_some_and(|thief| thief.acted)
    }

    /// Visits every serial and instant.
    pub fn each_offset(&mut self, mut visit: impl FnMut(&mut Offset)) {
        let mut each_of_row = |row: &mut Row| {
            for offset in [&mut row.head, &mut row.head_at, &mut row.child, &mut row.given, &mut row.prev] {
                visit(offset);
            }
        };
        each_of_row(&mut self.row);
        match &mut self.store {
            Store::Healthy => {}
            Store::Lagging { kept, first_lost } => {
                each_of_row(kept);
                first_lost.iter_mut().for_each(&mut visit);
            }
            Store::Unsettled { from, until, newest_lost } => {
                [from, until, newest_lost].into_iter().for_each(&mut visit);
            }
        }
        visit(&mut self.handed_at);
        visit(&mut self.stored);
        for tab in &mut self.tabs {
            if let Tab::Waiting { reply: Some(reply), .. } = tab {
                visit(reply);
            }
        }
        for request in self.requests.iter_mut().flatten() {
            visit(&mut request.presented);
        }
        if let Some(thief) = &mut self.thief {
            visit(&mut thief.copied);
            visit(&mut thief.newest);
        }
    }
}
