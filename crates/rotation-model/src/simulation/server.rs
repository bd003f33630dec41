//! The server side of a trace: the scheme's state, a standby that follows a little behind, and a clock that can be set.

use super::weather::{FaultKind, Millis, SECOND};
use crate::rule::after_clock_jump;
use crate::schemes::{Answer, Moment, RotationScheme, Token};
use counterfoil_domain::{
    rotation::{LossWindow, RotationRules},
    time::UnixMillis,
};
use std::collections::VecDeque;

/// How long old states are kept for the standby: longer than any lag.
const HISTORY: Millis = 20 * SECOND;
/// How often a heartbeat is written.
const HEARTBEAT: Millis = SECOND;

/// The servers and the store behind them.
pub(super) struct Server<S> {
    scheme: S,
    /// What the store held since when, oldest first; the newest is `scheme`.
    history: VecDeque<(Millis, S)>,
    /// What the store's clock shows, less the time that has really passed, and since when; oldest first.
    clock_offsets: Vec<(Millis, Millis)>,
    loss_window: Option<LossWindow>,
    last_fresh: Token,
    /// Until when the store is away.
    down_until: Millis,
    /// When the process last restarted.
    restarted_at: Millis,
    /// Where heartbeats fall within a second.
    heartbeat_phase: Millis,
}

impl<S: RotationScheme> Server<S> {
    /// A server with one session, opened at `at`; also its first token.
    pub(super) fn open(setup: &S::Setup, at: Millis, heartbeat_phase: Millis) -> (Self, Token) {
        let fresh = at;
        let moment = Moment { now: UnixMillis::from_millis(at), loss_window: None, fresh };
        let (scheme, token) = S::open(setup, &moment);
        let history = VecDeque::from([(at, scheme.clone())]);
        let server = Self {
            scheme,
            history,
            clock_offsets: vec![(at, 0)],
            loss_window: None,
            last_fresh: fresh,
            down_until: Millis::MIN,
            restarted_at: Millis::MIN,
            heartbeat_phase,
        };
        (server, token)
    }

    /// Executes a refresh that was accepted at `accepted_at`; `None` when no answer comes of it.
    pub(super) fn execute(&mut self, token: Token, accepted_at: Millis, at: Millis) -> Option<Answer> {
        if at < self.down_until || accepted_at <= self.restarted_at {
            return None;
        }
        let moment = self.moment(at);
        let answer = self.scheme.present(token, &moment);
        while self.history.get(1).is_some_and(|(since, _)| *since <= at - HISTORY) {
            self.history.pop_front();
        }
        self.history.push_back((at, self.scheme.clone()));
        Some(answer)
    }

    /// Strikes.
    pub(super) fn strike(&mut self, fault: FaultKind, at: Millis) {
        let retry_window = RotationRules::default().retry_window;
        match fault {
            FaultKind::Restart { down } => {
                self.restarted_at = at;
                self.down_until = at + down;
            }
            FaultKind::Failover { lag, down, skew } => {
                let newest_kept = at - lag;
                if let Some((_, kept)) = self.history.iter().rev().find(|(since, _)| *since <= newest_kept) {
                    self.scheme = kept.clone();
                }
                self.history = VecDeque::from([(at, self.scheme.clone())]);
                let beat = newest_kept - (newest_kept - self.heartbeat_phase).rem_euclid(HEARTBEAT);
                let last_heartbeat = self.clock(beat);
                self.set_clock(skew, at);
                self.down_until = at + down;
                let epoch_start = self.clock(at + down);
                self.widen(LossWindow::after_promotion(last_heartbeat, epoch_start, retry_window));
            }
            FaultKind::ClockJump { by, noticed } => {
                let before = self.clock(at - 1);
                self.set_clock(by, at);
                let after = self.clock(at);
                if noticed {
                    self.widen(after_clock_jump(before, after, retry_window));
                }
            }
        }
    }

    fn widen(&mut self, window: LossWindow) {
        self.loss_window =
            Some(self.loss_window.map_or(window, |old| LossWindow {
                from: old.from.min(window.from),
                until: old.until.max(window.until),
            }));
    }

    /// How many holders of these tokens could each refresh once more, one after another, before anybody is refused.
    pub(super) fn living_branches(&self, tokens: &[Token], at: Millis) -> u32 {
        let mut scheme = self.scheme.clone();
        let mut at = at;
        let mut living = 0;
        for (fresh, token) in (self.last_fresh + 1..).zip(tokens) {
            at += 60 * SECOND;
            let moment = Moment { now: self.clock(at), loss_window: self.loss_window, fresh };
            if scheme.present(*token, &moment) == Answer::Ended {
                break;
            }
            living += 1;
        }
        living
    }

    fn moment(&mut self, at: Millis) -> Moment {
        self.last_fresh = at.max(self.last_fresh + 1);
        Moment { now: self.clock(at), loss_window: self.loss_window, fresh: self.last_fresh }
    }

    fn set_clock(&mut self, by: Millis, at: Millis) {
        let offset = self.clock_offset(at) + by;
        self.clock_offsets.push((at, offset));
    }

    fn clock(&self, at: Millis) -> UnixMillis {
        UnixMillis::from_millis(at + self.clock_offset(at))
    }

    fn clock_offset(&self, at: Millis) -> Millis {
        self.clock_offsets.iter().rev().find(|(since, _)| *since <= at).map_or(0, |(_, offset)| *offset)
    }
}
