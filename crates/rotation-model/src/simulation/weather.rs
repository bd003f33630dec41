//! What one trace goes through: how bad its network is, what its people do, which faults strike.

use super::random::Random;

/// Milliseconds.
pub(super) type Millis = i64;

/// A second.
pub(super) const SECOND: Millis = 1_000;
/// A minute.
pub(super) const MINUTE: Millis = 60 * SECOND;
/// An hour.
pub(super) const HOUR: Millis = 60 * MINUTE;
/// A day.
pub(super) const DAY: Millis = 24 * HOUR;

/// Which faults a run may have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Climate {
    /// Fewest requests, and fewest replies, that are lost, in percent; every trace draws its own share.
    pub loss_percent_min: i64,
    /// Most of them.
    pub loss_percent_max: i64,
    /// Whether servers restart and the store fails over and loses writes.
    pub store_faults: bool,
    /// What happens to the clock.
    pub clock: ClockFaults,
    /// Whether people kill browsers and close the lid for hours and days.
    pub sleep: bool,
    /// Whether messages may be slow, servers busy and tabs hasty, on top of all else.
    pub rough: bool,
}

/// What happens to the server's clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClockFaults {
    /// Nothing.
    None,
    /// It jumps by up to an hour, either way, and the store notices.
    Noticed,
    /// It jumps by up to an hour, either way, and nobody notices.
    Unnoticed,
}

impl Climate {
    /// Everything at once: what the claim "no honest sign-out" is checked in.
    pub const WORST: Self = Self {
        loss_percent_min: 0,
        loss_percent_max: 40,
        store_faults: true,
        clock: ClockFaults::Noticed,
        sleep: true,
        rough: true,
    };

    /// Ordinary clients with this much loss, for comparing schemes with one another.
    pub const fn only_loss(percent: i64) -> Self {
        Self {
            loss_percent_min: percent,
            loss_percent_max: percent,
            store_faults: false,
            clock: ClockFaults::None,
            sleep: true,
            rough: false,
        }
    }

    /// A client that is there every day and loses up to a tenth of its messages: what thieves are counted in.
    pub const ACTIVE_CLIENT: Self = Self { sleep: false, loss_percent_min: 0, ..Self::only_loss(10) };
}

/// What one trace goes through.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weather {
    /// Tabs that share the stored token.
    pub(super) tabs: usize,
    /// Percent of requests lost.
    pub(super) request_loss: i64,
    /// Percent of replies lost.
    pub(super) reply_loss: i64,
    /// Percent of messages that are slow.
    pub(super) slow: i64,
    /// Percent of accepted requests that wait long in the server.
    pub(super) queued: i64,
    /// How long an access token is good.
    pub(super) access_lifetime: Millis,
    /// Whether tabs refresh every few seconds, needed or not, as pages do that are loaded again and again.
    pub(super) hasty: bool,
    /// Percent of sends after which the client dies or sleeps before the reply is there.
    pub(super) interrupted: i64,
    /// How many refreshes the client sends before the trace ends.
    pub(super) refreshes_max: u32,
    /// The faults; each strikes a little after some refresh.
    pub(super) faults: [Option<Fault>; 3],
}

/// A fault that strikes soon after the client's refresh with this number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    /// Which refresh.
    pub(super) after_refresh: i64,
    /// How long after it was sent.
    pub(super) delay: Millis,
    /// What happens.
    pub(super) kind: FaultKind,
}

/// What can happen to the server.
#[derive(Clone, Copy, Debug)]
pub(super) enum FaultKind {
    /// The process restarts; requests that it had accepted are gone.
    Restart {
        /// How long it is away.
        down: Millis,
    },
    /// The standby is promoted.
    Failover {
        /// How far behind it was: writes younger than this are gone.
        lag: Millis,
        /// How long the store is away.
        down: Millis,
        /// How far its clock is from the old primary's.
        skew: Millis,
    },
    /// The clock jumps.
    ClockJump {
        /// By this much.
        by: Millis,
        /// Whether the store notices.
        noticed: bool,
    },
}

impl Weather {
    /// Draws what a trace goes through.
    pub(super) fn draw(climate: Climate, random: &mut Random) -> Self {
        let loss = |random: &mut Random| random.between(climate.loss_percent_min, climate.loss_percent_max);
        let refreshes_max = 40;
        let fault = |random: &mut Random, kind| Fault {
            after_refresh: random.between(1, refreshes_max),
            delay: random.between(0, 12 * SECOND),
            kind,
        };
        let mut faults = [None; 3];
        let [restart, failover, jump] = &mut faults;
        if climate.store_faults && random.percent(30) {
            let down = random.between(200, 3 * SECOND);
            *restart = Some(fault(random, FaultKind::Restart { down }));
        }
        if climate.store_faults && random.percent(50) {
            let skew =
                if random.percent(30) { random.between(-120 * SECOND, 120 * SECOND) } else { random.between(-50, 50) };
            let (lag, down) = (random.between(0, 8 * SECOND), random.between(1, 5 * SECOND));
            *failover = Some(fault(random, FaultKind::Failover { lag, down, skew }));
        }
        if climate.clock != ClockFaults::None && random.percent(30) {
            let by = random.between(-HOUR, HOUR);
            *jump = Some(fault(random, FaultKind::ClockJump { by, noticed: climate.clock == ClockFaults::Noticed }));
        }
        let up_to =
            |random: &mut Random, calm: i64, rough: i64| random.between(0, if climate.rough { rough } else { calm });
        Self {
            tabs: usize::try_from(random.between(1, 6)).unwrap_or(1),
            request_loss: loss(random),
            reply_loss: loss(random),
            slow: up_to(random, 5, 60),
            queued: up_to(random, 0, 40),
            // Short ones make refreshes follow one another closely, which is where it gets difficult.
            access_lifetime: if climate.rough && random.percent(50) {
                random.between(5 * SECOND, 5 * MINUTE)
            } else {
                random.between(5 * MINUTE, HOUR)
            },
            hasty: climate.rough && random.percent(50),
            interrupted: if climate.sleep { up_to(random, 2, 10) } else { 0 },
            refreshes_max: u32::try_from(refreshes_max).unwrap_or(0),
            faults,
        }
    }
}
