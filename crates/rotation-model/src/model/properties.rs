//! What must hold in every state.

use super::{
    scenario::Scenario,
    state::{NOW, Offset, Row, State, Store, offset, serial},
};
use crate::rule::Rule;
use counterfoil_domain::{
    rotation::{Decision, Rotation, RotationRules, Verdict},
    time::UnixMillis,
};
use std::time::Duration;

/// A property that does not hold.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Broken {
    /// An honest client was taken for a thief although no thief had acted.
    HonestSignOut,
    /// I1: after the head moved on, another child of the old head is still accepted.
    TwoLiveChildren,
    /// I2: two different children of one head were handed out within one retry window.
    HandedOutTooSoon,
    /// I3: the head moved on twice within one retry window.
    RotatedTooSoon,
    /// I4: a serial was minted that is not above every earlier one.
    SerialDidNotRise,
    /// I5: theft was found, but a token was handed out or the row written as if the session went on.
    TheftNotFinal,
    /// Both sides went on for long enough, and the theft was not found.
    ThiefNotFound,
}

/// Refreshes that each side can make, from any state, before the theft is found.
pub const REFRESHES_UNTIL_FOUND: u8 = 2;

/// Checks I1 to I5 on one decision.
pub(super) fn check(
    scenario: &Scenario,
    rule: &impl Rule,
    state: &State,
    presented: Offset,
    decision: &Decision,
) -> Result<(), Broken> {
    if decision.verdict == Verdict::Theft {
        let final_verdict = decision.reply.is_none() && decision.write.is_none();
        return if final_verdict { Ok(()) } else { Err(Broken::TheftNotFinal) };
    }
    let Some(next) = decision.write.map(Row::from) else {
        return Ok(());
    };
    let window = scenario.retry_window();
    let before = state.row;
    let lost_writes = matches!(state.store, Store::Unsettled { .. });

    if next.child != before.child {
        let above_all = next.child > before.child && next.child > before.head_at && next.child > presented;
        if !above_all || rises_above_lost(state, next.child) == Some(false) {
            return Err(Broken::SerialDidNotRise);
        }
        let same_head = next.head == before.head;
        if same_head && !lost_writes && -state.handed_at <= window {
            return Err(Broken::HandedOutTooSoon);
        }
    }
    if next.head != before.head && !lost_writes {
        if !state.clock_was_set && next.head_at - before.head_at <= window {
            return Err(Broken::RotatedTooSoon);
        }
        check_one_live_child(scenario, rule, before, next)?;
    }
    Ok(())
}

/// A serial minted after a failover must be above the lost ones too, or an old token would come to life again. Not asked
/// where a failover took no time at all, which only a model can do, nor where the new primary's clock is behind.
fn rises_above_lost(state: &State, minted: Offset) -> Option<bool> {
    match state.store {
        Store::Unsettled { newest_lost, .. } if newest_lost < 0 => Some(minted > newest_lost),
        _ => None,
    }
}

/// Presents every other child that the old head may have had, now and when every window is over.
fn check_one_live_child(scenario: &Scenario, rule: &impl Rule, before: Row, next: Row) -> Result<(), Broken> {
    let rules = RotationRules { loss_window: None, ..scenario.rules };
    for other in [before.head_at, before.child, next.head - 1, next.head + 1, next.head_at - 1] {
        let is_child_of_old_head = before.head_at <= other && other < next.head_at;
        for now in [NOW, NOW.plus(scenario.rules.retry_window + Duration::from_millis(1))] {
            if is_child_of_old_head
                && other != next.head
                && rule.decide(&Rotation::from(next), serial(other), now, &rules).verdict != Verdict::Theft
            {
                return Err(Broken::TwoLiveChildren);
            }
        }
    }
    Ok(())
}

/// The liveness property, from this very state: whatever was lost is gone, and from now on client and thief refresh,
/// each more than one retry window after the other, in any order. Before both have refreshed more than
/// [`REFRESHES_UNTIL_FOUND`] times, the theft is found.
pub(super) fn check_theft_is_found(scenario: &Scenario, rule: &impl Rule, state: &State) -> Result<(), Broken> {
    let Some(thief) = state.thief.filter(|_| !state.revoked && !state.clock_was_set) else {
        return Ok(());
    };
    let rules = RotationRules { loss_window: state.loss_window(), ..scenario.rules };
    let pause = scenario.rules.retry_window + Duration::from_millis(100);
    let race = Race { rule, rules, pause };
    let sides = Sides { client: state.stored, thief: thief.newest, client_refreshes: 0, thief_refreshes: 0 };
    race.run(state.row, NOW.plus(pause), sides)
}

struct Race<'a, R> {
    rule: &'a R,
    rules: RotationRules,
    pause: Duration,
}

#[derive(Clone, Copy)]
struct Sides {
    client: Offset,
    thief: Offset,
    client_refreshes: u8,
    thief_refreshes: u8,
}

impl<R: Rule> Race<'_, R> {
    fn run(&self, row: Row, now: UnixMillis, sides: Sides) -> Result<(), Broken> {
        if sides.client_refreshes.min(sides.thief_refreshes) >= REFRESHES_UNTIL_FOUND {
            return Err(Broken::ThiefNotFound);
        }
        // A side that goes on alone longer than this changes nothing any more.
        let alone_max = REFRESHES_UNTIL_FOUND + 1;
        if sides.client_refreshes < alone_max
            && let Some((row, reply)) = self.refresh(row, sides.client, now)
        {
            let client = sides.client.max(reply);
            let client_refreshes = sides.client_refreshes + 1;
            self.run(row, now.plus(self.pause), Sides { client, client_refreshes, ..sides })?;
        }
        if sides.thief_refreshes < alone_max
            && let Some((row, thief)) = self.refresh(row, sides.thief, now)
        {
            let thief_refreshes = sides.thief_refreshes + 1;
            self.run(row, now.plus(self.pause), Sides { thief, thief_refreshes, ..sides })?;
        }
        Ok(())
    }

    /// The row after a refresh and the serial handed out; `None` when theft was found.
    fn refresh(&self, row: Row, presented: Offset, now: UnixMillis) -> Option<(Row, Offset)> {
        let decision = self.rule.decide(&Rotation::from(row), serial(presented), now, &self.rules);
        let reply = decision.reply.filter(|_| decision.verdict != Verdict::Theft)?;
        Some((decision.write.map_or(row, Row::from), offset(reply.as_raw())))
    }
}
