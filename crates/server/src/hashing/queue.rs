//! What waits for the hashing threads: bounded, and served in turns.

use super::{memory::Pause, turns::Turns};
use parking_lot::{Condvar, Mutex, MutexGuard};
use std::time::Duration;

/// Jobs that wait.
pub(super) struct Queue<J> {
    waiting: Mutex<Waiting<J>>,
    /// Told when a job has come, or none will any more.
    arrived: Condvar,
    /// Told the same; the thread that steps in when the others do not wakes more slowly.
    arrived_for_stalled: Condvar,
    waiting_max: usize,
}

struct Waiting<J> {
    turns: Turns<J>,
    /// How many have been taken up.
    taken: u64,
    closed: bool,
}

impl<J> Queue<J> {
    /// An empty one, with room for so many.
    pub(super) fn new(waiting_max: usize) -> Self {
        Self {
            waiting: Mutex::new(Waiting { turns: Turns::default(), taken: 0, closed: false }),
            arrived: Condvar::new(),
            arrived_for_stalled: Condvar::new(),
            waiting_max: waiting_max.max(1),
        }
    }

    /// Lines up a job. If that is one too many, somebody has to go, and is returned.
    pub(super) fn line_up(&self, parties: &[u64], job: J) -> Option<J> {
        let mut waiting = self.waiting.lock();
        waiting.turns.line_up(parties, job);
        let too_many = waiting.turns.len() > self.waiting_max;
        let refused = if too_many { waiting.turns.take_out_of_the_largest() } else { None };
        drop(waiting);
        self.arrived.notify_one();
        self.arrived_for_stalled.notify_one();
        refused
    }

    /// No more jobs will come; those that wait are still to be done.
    pub(super) fn close(&self) {
        self.waiting.lock().closed = true;
        self.arrived.notify_all();
        self.arrived_for_stalled.notify_all();
    }

    /// Waits for the next job, telling of the pauses meanwhile; then it sleeps without a timer. `None` when the queue is
    /// closed and empty.
    pub(super) fn next(&self, mut in_pause: impl FnMut(Pause)) -> Option<J> {
        let mut pause = Some(Pause::First);
        let mut waiting = self.waiting.lock();
        loop {
            if let Some(job) = waiting.take_next() {
                return Some(job);
            }
            if waiting.closed {
                return None;
            }
            let Some(now) = pause else {
                self.arrived.wait(&mut waiting);
                continue;
            };
            if self.arrived.wait_for(&mut waiting, now.length()).timed_out() {
                MutexGuard::unlocked(&mut waiting, || in_pause(now));
                pause = now.next();
            }
        }
    }

    /// Waits until some jobs wait and none has been taken up for so long; then takes one. `None` when the queue is closed
    /// and empty.
    pub(super) fn next_if_stalled(&self, stalled_after: Duration) -> Option<J> {
        let mut waiting = self.waiting.lock();
        loop {
            if waiting.turns.len() == 0 {
                if waiting.closed {
                    return None;
                }
                self.arrived_for_stalled.wait(&mut waiting);
                continue;
            }
            let taken = waiting.taken;
            // Arrivals wake this too: only time tells whether nobody takes them up.
            while !self.arrived_for_stalled.wait_for(&mut waiting, stalled_after).timed_out() {
                if waiting.taken != taken || waiting.closed {
                    break;
                }
            }
            if waiting.taken == taken
                && let Some(job) = waiting.take_next()
            {
                return Some(job);
            }
        }
    }
}

impl<J> Waiting<J> {
    fn take_next(&mut self) -> Option<J> {
        let job = self.turns.take_next()?;
        self.taken += 1;
        Some(job)
    }
}
