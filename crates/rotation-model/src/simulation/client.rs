//! The honest client: tabs that share one stored token and one access token, as our clients do.
//!
//! A tab refreshes shortly before the access token expires, unless another tab already has. It reads the stored token
//! when it sends, gives up after a bounded wait, and tries again with whatever is stored by then, waiting longer each
//! time. A reply's token is stored if it is newer than the stored one.

use super::{
    random::Random,
    weather::{MINUTE, Millis, SECOND},
};
use crate::schemes::Token;

/// One tab.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tab {
    /// The refresh it waits for.
    pub(super) waiting_for: Option<u32>,
    /// Failures since the last success.
    failures: u32,
}

/// The client.
#[derive(Clone, Debug)]
pub(super) struct Client {
    /// The token that the tabs share.
    pub(super) stored: Token,
    /// Until when the shared access token is good.
    pub(super) access_until: Millis,
    /// The tabs.
    pub(super) tabs: Vec<Tab>,
    /// Refreshes sent.
    pub(super) sent: u32,
    /// Refreshes that brought tokens.
    pub(super) grants: u32,
}

impl Client {
    /// A client that has just signed in.
    pub(super) fn new(stored: Token, access_until: Millis, tabs: usize) -> Self {
        Self { stored, access_until, tabs: vec![Tab::default(); tabs], sent: 0, grants: 0 }
    }

    /// When a tab should look at the access token again: before it expires, with a jitter of its own.
    pub(super) fn next_look(&self, at: Millis, lifetime: Millis, random: &mut Random) -> Millis {
        let early = random.between(0, lifetime / 10);
        (self.access_until - early).max(at + 1)
    }

    /// Whether the access token has so long to go that nobody needs a refresh.
    pub(super) fn is_fresh(&self, at: Millis, lifetime: Millis) -> bool {
        at < self.access_until - lifetime / 10
    }

    /// A tab sends the stored token: the number of its refresh.
    pub(super) fn send(&mut self, tab: usize) -> u32 {
        self.sent += 1;
        if let Some(tab) = self.tabs.get_mut(tab) {
            tab.waiting_for = Some(self.sent);
        }
        self.sent
    }

    /// Whether a tab still waits for this refresh.
    pub(super) fn waits_for(&self, tab: usize, refresh: u32) -> bool {
        self.tabs.get(tab).is_some_and(|tab| tab.waiting_for == Some(refresh))
    }

    /// A reply with tokens has come.
    pub(super) fn receive(&mut self, tab: usize, token: Token, access_until: Millis) {
        if let Some(tab) = self.tabs.get_mut(tab) {
            *tab = Tab::default();
        }
        self.stored = self.stored.max(token);
        self.access_until = self.access_until.max(access_until);
        self.grants += 1;
    }

    /// A refresh has failed: how long to wait before the next try, doubling from half a second to a minute.
    pub(super) fn fail(&mut self, tab: usize, random: &mut Random) -> Millis {
        let failures = self.tabs.get_mut(tab).map_or(0, |tab| {
            tab.waiting_for = None;
            tab.failures += 1;
            tab.failures
        });
        let wait = (SECOND << failures.min(6)).min(MINUTE);
        random.between(wait / 4, wait)
    }

    /// The client dies, or its lid is closed: nothing is waited for any more, and what is stored stays.
    pub(super) fn interrupt(&mut self) {
        self.tabs.fill(Tab::default());
    }
}
