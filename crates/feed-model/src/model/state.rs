//! One state of the model.

use super::{
    clock::Age,
    history::{Histories, Letters, Place},
};

/// What a question asks for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Ask {
    /// What comes after a place; without one, where the feed stands.
    Poll(Option<Place>),
    /// Every living entry.
    Snapshot,
}

/// What an answer says: where the feed stood when it was read, and what had been forgotten of it by then.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Reply {
    /// What was asked.
    pub ask: Ask,
    /// The head that was read.
    pub head: Place,
    /// Entries that the store had forgotten.
    pub forgotten: Letters,
    /// How old it was when it was read: a node answers with what it last read of the primary.
    pub node_age: Age,
}

/// A question and its answer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Line {
    /// Nothing is under way.
    Idle,
    /// The question is on its way.
    Asked {
        /// What it asks for.
        ask: Ask,
        /// When it was sent.
        sent: Age,
    },
    /// The server holds it until there is something to say.
    Held {
        /// What it asks for.
        ask: Ask,
        /// How long it had been on its way.
        transit: Age,
        /// When it came.
        received: Age,
    },
    /// The server has measured how long it held it, and is about to read.
    Measured {
        /// What it asks for.
        ask: Ask,
        /// The instant that the verifier will compute: when it asked, and as much later as it was held.
        proof: Age,
        /// How long it was held.
        held: Age,
    },
    /// A server that measures too late: it has read, and is about to measure.
    Unmeasured {
        /// How long the question had been on its way.
        transit: Age,
        /// When it came.
        received: Age,
        /// When the feed was read.
        read: Age,
        /// What was read.
        reply: Reply,
    },
    /// The answer is on its way, or lies unread at a verifier that is stopped.
    Answered {
        /// See [`Line::Measured`].
        proof: Age,
        /// How long the question was held, as the answer says.
        held: Age,
        /// When the feed was read of which it tells.
        read: Age,
        /// What it says.
        reply: Reply,
    },
}

/// How far a verifier has followed: what [`counterfoil_domain::revocation::Follower`] keeps, in ages.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct Standing {
    /// How far the feed was applied; none while cold.
    pub applied: Option<Place>,
    /// Until when everything is known.
    pub proof: Age,
    /// When the place was reached.
    pub reached: Age,
    /// How many ticks longer the history is contested.
    pub contested: Age,
}

/// A verifier. What is said to be for the model alone no verifier knows: it is there to check.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "most are what the model remembers to check by")]
pub struct Verifier {
    /// How far it has followed.
    pub standing: Standing,
    /// The entries in its ledger.
    pub ledger: Letters,
    /// Entries judged and not applied yet, where that is the broken order.
    pub unapplied: Letters,
    /// Whether it asks for a snapshot next.
    pub wants_snapshot: bool,
    /// Its questions.
    pub lines: [Line; 2],
    /// A request that has passed the first of its two looks; whether it came after the watched token had to be refused.
    pub request: Option<bool>,
    /// For the model alone: whether it has taken a snapshot since it started.
    pub loaded: bool,
    /// For the model alone: when the feed was read of which it knows everything.
    pub read: Age,
    /// For the model alone: whether it has refused the watched token for revocation.
    pub refused: bool,
    /// For the model alone: whether a receipt names it.
    pub confirmed: bool,
    /// For the model alone: for how many ticks more it should believe nothing, because it was shown two histories.
    pub doubts: Age,
    /// For the model alone: whether it has heard of the second epoch.
    pub heard: bool,
}

impl Verifier {
    /// One that has just started.
    pub(super) const COLD: Self = Self {
        standing: Standing { applied: None, proof: 0, reached: 0, contested: 0 },
        ledger: Letters(0),
        unapplied: Letters(0),
        wants_snapshot: false,
        lines: [Line::Idle; 2],
        request: None,
        loaded: false,
        read: 0,
        refused: false,
        confirmed: false,
        doubts: 0,
        heard: false,
    };
}

/// How far the one change of the store has come.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Change {
    /// Nothing has happened to the store.
    None,
    /// An old backup was restored, and nobody knows.
    Restored {
        /// Whether a verifier was seen that has read more than there is.
        noticed: bool,
    },
    /// A new epoch has begun.
    Over,
}

/// What answers beside the store's own server: a node that is behind, or a primary that was deposed and does not know.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Copy {
    /// Where the feed stood when it was read.
    pub head: Place,
    /// When that was.
    pub read: Age,
}

/// One state: the store, what answers beside it, the verifiers.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct State {
    /// Where the feed stands.
    pub head: Place,
    /// Entries whose time is over: the store has forgotten them, verifiers may.
    pub forgotten: Letters,
    /// Whether the watched sign-out, as it stands in the feed, has been answered.
    pub acknowledged: bool,
    /// When the watched token had to be refused from: since the sign-out was answered, or since a cutoff was written.
    /// None where nothing is promised.
    pub since: Option<Age>,
    /// What has happened to the store.
    pub change: Change,
    /// Who answers beside it.
    pub copy: Option<Copy>,
    /// The verifiers. Those that a scenario has not are cold and do nothing.
    pub verifiers: [Verifier; 2],
}

impl State {
    /// An empty feed and cold verifiers.
    pub(super) fn initial(has_node: bool) -> Self {
        Self {
            head: Histories::START,
            forgotten: Letters::default(),
            acknowledged: false,
            since: None,
            change: Change::None,
            copy: has_node.then_some(Copy { head: Histories::START, read: 0 }),
            verifiers: [Verifier::COLD; 2],
        }
    }
}
