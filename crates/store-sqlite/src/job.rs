//! A call on its way to a store thread and its answer on the way back.

use crate::fault::Fault;
use counterfoil_domain::store::StoreError;
use flume::{Sender, TrySendError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use tokio::sync::oneshot;

/// What became of the transaction a call ran in.
#[derive(Clone, Debug)]
pub(crate) enum Fate {
    /// It is durable (or had nothing to write).
    Committed,
    /// It certainly left nothing behind; why.
    NotWritten(String),
    /// It may or may not be in the file; why.
    Unknown(String),
}

/// A call that runs on something of type `C` (a batch's transaction, a reader's connection) and is answered afterwards.
pub(crate) trait Job<C: ?Sized>: Send {
    /// Runs the call and keeps its result.
    fn run(&mut self, on: &mut C);

    /// Answers the caller. A caller who has gone is no matter: what was asked for was done all the same. (A sign-out
    /// counts although the tab was closed; a refresh nobody waits for is a retry to come, and gets the same successor.)
    fn answer(self: Box<Self>, fate: &Fate);
}

/// The one kind of [`Job`].
struct Call<T, W> {
    work: Option<W>,
    /// `None` until it has run.
    result: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<C: ?Sized, T: Send, W: FnOnce(&mut C) -> Result<T, Fault> + Send> Job<C> for Call<T, W> {
    fn run(&mut self, on: &mut C) {
        let Some(work) = self.work.take() else { return };
        // A savepoint that is open when a rule panics is rolled back by its own drop, so what is shared stays in order.
        let outcome = catch_unwind(AssertUnwindSafe(|| work(on))).unwrap_or(Err(Fault::Panicked));
        self.result = Some(outcome.map_err(StoreError::from));
    }

    fn answer(self: Box<Self>, fate: &Fate) {
        let unavailable = |reason: &str| Err(StoreError::Unavailable(reason.into()));
        let answer = match (self.result, fate) {
            (Some(Ok(value)), Fate::Committed) => Ok(value),
            (Some(Ok(_)), Fate::Unknown(reason)) => Err(StoreError::Indeterminate(reason.as_str().into())),
            // Its own failure was rolled back before, whatever became of the others.
            (Some(Err(failure)), _) => Err(failure),
            // It left nothing, or was never run.
            (Some(Ok(_)) | None, Fate::NotWritten(reason)) | (None, Fate::Unknown(reason)) => unavailable(reason),
            (None, Fate::Committed) => unavailable("the call was never run"),
        };
        drop(self.reply.send(answer));
    }
}

/// Puts a call into a bounded queue and waits for its answer.
pub(crate) async fn submit<C: ?Sized + 'static, T: Send + 'static>(
    queue: Option<&Sender<Box<dyn Job<C>>>>,
    work: impl FnOnce(&mut C) -> Result<T, Fault> + Send + 'static,
) -> Result<T, StoreError> {
    let stopped = || StoreError::Unavailable("the store's thread has stopped".into());
    let (reply, answer) = oneshot::channel();
    match queue.ok_or_else(stopped)?.try_send(Box::new(Call { work: Some(work), result: None, reply })) {
        Ok(()) => {}
        Err(TrySendError::Full(_)) => return Err(StoreError::Overloaded),
        Err(TrySendError::Disconnected(_)) => return Err(stopped()),
    }
    answer.await.unwrap_or_else(|_| Err(StoreError::Indeterminate("the store's thread ended during the call".into())))
}
