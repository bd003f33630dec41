//! The receipt of a sign-out: who has heard of it.

use super::poll::millis;
use crate::app::{App, EndedSessions, RequestOrigin};
use counterfoil_domain::{
    entropy::Entropy,
    event::{Event, EventKind, Occasion},
    id::{AccountId, SessionId},
    revocation::FeedPosition,
    session::{AccountView, Changes, Ruling, SessionView},
    store::StoreError,
    time::UnixMillis,
};
use counterfoil_wire::Receipt;
use std::{net::IpAddr, sync::Arc, time::Duration};
use tokio::time::sleep;

/// The longest that a sign-out waits for its receipt.
pub const RECEIPT_WAIT_MAX: Duration = Duration::from_secs(10);
/// So long what verifiers say is gathered before it is counted anew: a thousand answer at once.
const GATHERED_FOR: Duration = Duration::from_millis(2);

/// What was ended, for the audit log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SignOutOf {
    /// One session.
    Session(SessionId),
    /// Sessions of an account.
    Account(AccountId),
    /// Every session there is.
    Everybody,
}

impl App {
    /// Waits until every verifier that could still accept a token has applied what `ended` left in the feed, or `wait` is
    /// over; keeps in the audit log how many had.
    pub async fn confirm(
        &self,
        of: SignOutOf,
        ended: EndedSessions,
        wait: Duration,
        origin: &RequestOrigin,
    ) -> Receipt {
        let receipt = self.receipt(ended.feed, self.0.parts.clock.monotonic(), wait).await;
        if ended.revoked > 0 {
            self.keep_receipt(of, &receipt, origin.ip).await;
        }
        receipt
    }

    /// As [`App::confirm`], for what another process wrote `written_ago`.
    pub async fn receipt_of_other_process(
        &self,
        of: SignOutOf,
        position: FeedPosition,
        written_ago: Duration,
        wait: Duration,
    ) -> Receipt {
        self.wake_follower();
        let committed_at = self.0.parts.clock.monotonic().saturating_sub(written_ago);
        let receipt = self.receipt(position, committed_at, wait).await;
        self.keep_receipt(of, &receipt, None).await;
        receipt
    }

    /// Waits until every living verifier has applied `position`, or `wait` is over. `committed_at` is when that was written,
    /// by the clock that nobody can set.
    pub async fn receipt(&self, position: FeedPosition, committed_at: Duration, wait: Duration) -> Receipt {
        let verifiers = &self.0.feed.verifiers;
        let tally_now = || verifiers.tally(position, self.0.parts.clock.monotonic());
        let wait = sleep(wait.min(RECEIPT_WAIT_MAX));
        tokio::pin!(wait);
        let tally = loop {
            let seen = verifiers.count();
            let tally = tally_now();
            if tally.missing.is_empty() {
                break tally;
            }
            tokio::select! {
                () = &mut wait => break tally_now(),
                _ = verifiers.changed_since(seen) => sleep(GATHERED_FOR).await,
            }
        };
        let figures = &self.0.feed.figures;
        if tally.missing.is_empty() {
            figures.receipts.add();
        } else {
            figures.receipts_incomplete.add();
        }
        Receipt {
            verifiers: tally.live,
            confirmed: tally.confirmed,
            slowest_ms: tally.last_at.map(|at| millis(at.saturating_sub(committed_at))),
            missing: tally.missing,
        }
    }

    /// The sign-out counts whether or not this can be written down.
    pub(crate) async fn keep_receipt(&self, of: SignOutOf, receipt: &Receipt, ip: Option<IpAddr>) {
        let kept = match of {
            SignOutOf::Session(session) => {
                let line = Line::of(receipt, ip, &self.0.parts.entropy);
                let rule = move |view: Option<&SessionView>, now| match view {
                    Some(view) => line.ruling(view.session.account, Some(session), now),
                    None => Ruling::unchanged(()),
                };
                self.store().decide_session(session, rule).await.map(drop)
            }
            SignOutOf::Account(account) => self.keep_receipt_of(account, receipt, ip).await,
            SignOutOf::Everybody => self.keep_receipt_of(AccountId::NOBODY, receipt, ip).await,
        };
        if let Err(error) = kept {
            tracing::warn!(%error, "the receipt of a sign-out could not be written down");
        }
    }

    async fn keep_receipt_of(
        &self,
        account: AccountId,
        receipt: &Receipt,
        ip: Option<IpAddr>,
    ) -> Result<(), StoreError> {
        let line = Line::of(receipt, ip, &self.0.parts.entropy);
        let rule = move |_: Option<&AccountView>, now| line.ruling(account, None, now);
        self.store().decide_account(account, rule).await.map(drop)
    }
}

/// The line for the audit log.
struct Line {
    kind: EventKind,
    detail: String,
    ip: Option<IpAddr>,
    entropy: Arc<dyn Entropy>,
}

impl Line {
    fn of(receipt: &Receipt, ip: Option<IpAddr>, entropy: &Arc<dyn Entropy>) -> Self {
        let Receipt { verifiers, confirmed, slowest_ms, missing } = receipt;
        let mut detail = format!("{confirmed} of {verifiers} verifiers");
        if let Some(slowest_ms) = slowest_ms {
            detail = format!("{detail}, the slowest after {slowest_ms} ms");
        }
        let is_complete = missing.is_empty();
        if !is_complete {
            detail = format!("{detail}; missing: {}", missing.join(" "));
        }
        let kind = if is_complete { EventKind::SignOutConfirmed } else { EventKind::SignOutUnconfirmed };
        Self { kind, detail, ip, entropy: Arc::clone(entropy) }
    }

    fn ruling(&self, account: AccountId, session: Option<SessionId>, now: UnixMillis) -> Ruling<()> {
        let occasion = Occasion { now, ip: self.ip, entropy: &*self.entropy };
        let event: Event = occasion.event_with(self.kind, account, session, self.detail.as_str());
        Ruling { changes: Changes { events: vec![event], ..Changes::default() }, outcome: () }
    }
}
