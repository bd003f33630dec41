//! The thief: copies the stored token once, and uses it in the way that suits him.

use super::{
    random::Random,
    weather::{Millis, SECOND},
};
use crate::schemes::Token;
use counterfoil_domain::rotation::RotationRules;

/// How a thief goes about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Habit {
    /// Uses the copy before the client's next refresh, and goes on whenever his access token has expired.
    Early,
    /// Uses the copy at some time in the next three lifetimes of an access token, and goes on as above.
    Late,
    /// As late, but once only: he wants one access token.
    Once,
    /// Refreshes after each refresh of the client, as soon as the retry window is over.
    Lockstep,
    /// Refreshes after each refresh of the client, inside the same retry window.
    Shadow,
}

impl Habit {
    /// Every habit.
    pub const ALL: [Self; 5] = [Self::Early, Self::Late, Self::Once, Self::Lockstep, Self::Shadow];

    /// Its name in the report.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Early => "early",
            Self::Late => "late",
            Self::Once => "once",
            Self::Lockstep => "lockstep",
            Self::Shadow => "shadow",
        }
    }
}

/// The thief and what he has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Thief {
    /// How he goes about it.
    pub(super) habit: Habit,
    /// The client's grant after which he copies the stored token.
    copies_after: u32,
    /// The newest token he has.
    pub(super) token: Option<Token>,
    /// When he first presented one.
    pub(super) first_use: Option<Millis>,
    /// Times he was granted tokens.
    pub(super) grants: u32,
}

impl Thief {
    /// A thief who will copy a token some time.
    pub(super) fn new(habit: Habit, random: &mut Random) -> Self {
        let copies_after = u32::try_from(random.between(1, 4)).unwrap_or(1);
        Self { habit, copies_after, token: None, first_use: None, grants: 0 }
    }

    /// The client was granted tokens: the thief may copy now, and may want to act. When.
    pub(super) fn watch(
        &mut self,
        grants: u32,
        stored: Token,
        at: Millis,
        lifetime: Millis,
        random: &mut Random,
    ) -> Option<Millis> {
        let copies = self.token.is_none() && grants >= self.copies_after;
        if copies {
            self.token = Some(stored);
        }
        self.token?;
        let window = i64::try_from(RotationRules::default().retry_window.as_millis()).unwrap_or(0);
        match self.habit {
            Habit::Early => copies.then(|| at + random.between(1, lifetime * 8 / 10)),
            Habit::Late | Habit::Once => copies.then(|| at + random.between(1, 3 * lifetime)),
            Habit::Lockstep => (!copies).then(|| at + window + random.between(1, 10 * SECOND)),
            Habit::Shadow => (!copies).then(|| at + random.between(100, window - SECOND)),
        }
    }

    /// The thief was granted tokens: when he wants to act again, if the client's refreshes do not set his pace.
    pub(super) fn receive(&mut self, token: Token, at: Millis, lifetime: Millis) -> Option<Millis> {
        self.token = Some(token);
        self.grants += 1;
        matches!(self.habit, Habit::Early | Habit::Late).then_some(at + lifetime)
    }
}
