//! What may happen in a run of the model.

use super::state::Offset;
use counterfoil_domain::{rotation::RotationRules, session::REFRESH_DEADLINE};
use std::time::Duration;

/// Which of two tokens a client keeps when a reply arrives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Adopt {
    /// The one minted last: what our clients do.
    Newest,
    /// The one received last: what a client does that looks at nothing.
    LastReceived,
}

/// What the server's clock does besides going on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Clock {
    /// Nothing.
    Steady,
    /// It goes back once, by more than the age of anything.
    GoesBack,
    /// It jumps ahead once, by more than the retry window.
    JumpsAhead {
        /// Whether the store notices (against a clock that cannot be set) and opens a loss window.
        noticed: bool,
    },
}

/// What may happen, and the bounds on it.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name in the report.
    pub name: &'static str,
    /// Tabs that share one stored token; at most [`super::state::TABS_MAX`].
    pub tabs: usize,
    /// Requests under way at once; at most [`super::state::REQUESTS_MAX`].
    pub requests: usize,
    /// The retry window is taken from here; the loss window comes from the failover.
    pub rules: RotationRules,
    /// The step of time.
    pub tick: Duration,
    /// How long a tab waits for its reply.
    pub client_timeout: Duration,
    /// How long after accepting it a server may still execute a refresh.
    pub deadline: Duration,
    /// Which token a client keeps.
    pub adopt: Adopt,
    /// Whether a thief copies the stored token once.
    pub thief: bool,
    /// Whether the store fails over once and loses writes.
    pub failover: bool,
    /// What the clock does.
    pub clock: Clock,
}

/// The step of time: it divides everything that the rule is told in seconds.
const TICK: Duration = Duration::from_secs(5);

/// How long an honest client may wait for its reply: half of what the retry window leaves over when a server executes
/// a refresh as late as its deadline allows. A token may have been handed out one such wait ago when a tab still sends
/// its predecessor; that one is waited for again, and executed at the deadline: all of it inside one retry window.
pub fn client_timeout_max(retry_window: Duration) -> Duration {
    retry_window.saturating_sub(REFRESH_DEADLINE) / 2
}

impl Scenario {
    /// Two tabs that lose whatever can be lost, with the production rule's defaults; nothing else goes wrong.
    pub fn honest() -> Self {
        let rules = RotationRules::default();
        let ticks = client_timeout_max(rules.retry_window).as_secs() / TICK.as_secs();
        Self {
            name: "two tabs, any loss",
            tabs: 2,
            requests: 3,
            rules,
            tick: TICK,
            client_timeout: TICK * u32::try_from(ticks).unwrap_or(u32::MAX),
            deadline: REFRESH_DEADLINE,
            adopt: Adopt::Newest,
            thief: false,
            failover: false,
            clock: Clock::Steady,
        }
    }

    /// Every scenario in which all properties hold. What has no limit named in it is enumerated whole.
    pub fn all() -> Vec<Self> {
        let honest = Self::honest();
        let named = |name, scenario: Self| Self { name, ..scenario };
        let few = Self { requests: 2, ..honest.clone() };
        vec![
            honest.clone(),
            named("three tabs, four requests under way", Self { tabs: 3, requests: 4, ..honest.clone() }),
            named("failover", Self { failover: true, ..honest.clone() }),
            named("clock goes back", Self { clock: Clock::GoesBack, ..honest.clone() }),
            named("clock jumps ahead, noticed", Self { clock: Clock::JumpsAhead { noticed: true }, ..honest.clone() }),
            named("failover, clock goes back", Self { failover: true, clock: Clock::GoesBack, ..few.clone() }),
            named(
                "failover, clock jumps ahead",
                Self { failover: true, clock: Clock::JumpsAhead { noticed: true }, ..few.clone() },
            ),
            named("thief", Self { thief: true, ..honest.clone() }),
            named("thief, clock goes back", Self { thief: true, clock: Clock::GoesBack, ..few.clone() }),
            named("thief, failover", Self { thief: true, failover: true, ..few }),
        ]
    }

    /// Scenarios just outside what the rule promises. The search must find the sign-out in each: they show that the
    /// bounds are needed, and that the search would see a fault.
    pub fn beyond() -> Vec<Self> {
        let honest = Self::honest();
        let failover = Self { failover: true, requests: 2, ..honest.clone() };
        let patient = honest.client_timeout * 2;
        vec![
            Self { name: "clients wait twice as long", client_timeout: patient, ..honest.clone() },
            Self { name: "clock jumps ahead, unnoticed", clock: Clock::JumpsAhead { noticed: false }, ..honest },
            Self { name: "failover, client keeps the last received", adopt: Adopt::LastReceived, ..failover },
        ]
    }

    /// The retry window in milliseconds.
    pub(super) fn retry_window(&self) -> Offset {
        millis(self.rules.retry_window)
    }

    /// The step of time in milliseconds.
    pub(super) fn tick_millis(&self) -> Offset {
        millis(self.tick)
    }

    /// Ticks that a tab waits.
    pub(super) fn timeout_ticks(&self) -> u8 {
        ticks(self.client_timeout, self.tick)
    }

    /// Ticks after which a request that was not executed never will be. The server may accept it as late as its client
    /// waits for it, and execute it as late as its own deadline allows.
    pub(super) fn flight_ticks(&self) -> u8 {
        ticks(self.client_timeout + self.deadline, self.tick)
    }
}

fn millis(duration: Duration) -> Offset {
    Offset::try_from(duration.as_millis()).unwrap_or(Offset::MAX)
}

fn ticks(duration: Duration, tick: Duration) -> u8 {
    u8::try_from(duration.as_millis() / tick.as_millis().max(1)).unwrap_or(u8::MAX)
}
