//! Hashing gives way to everything else.
//!
//! Niceness shares time out unevenly, but a nice thread that runs is left to finish its slice, some milliseconds, while a
//! request waits for the processor: the p99 of requests grew five-fold during a storm of sign-ins. A thread of the idle
//! class (`SCHED_IDLE`, sched(7)) is taken off the processor the moment anything else wants it.

#[cfg(target_os = "linux")]
pub(super) use linux::{behind_the_rest, only_when_nothing_else_runs};

#[cfg(target_os = "linux")]
mod linux {
    use thread_priority::{
        NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy, set_thread_priority_and_policy,
        thread_native_id,
    };

    /// How much nicer than the rest of the process: a tenth of its share.
    const NICENESS: i32 = 10;

    /// The calling thread runs only while nothing else wants its processor, or next to: Linux leaves the idle class a
    /// few thousandths.
    pub(in super::super) fn only_when_nothing_else_runs() {
        let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
        if let Err(error) = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, idle) {
            tracing::warn!(?error, "hashing threads do not give way at once");
            behind_the_rest();
        }
    }

    /// The calling thread gets less time than others.
    pub(in super::super) fn behind_the_rest() {
        // On Linux a thread's niceness is its own.
        if let Err(error) = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICENESS) {
            tracing::warn!(%error, "hashing threads run at normal priority");
        }
    }
}

/// Elsewhere niceness is the whole process's, and there is no idle class.
#[cfg(not(target_os = "linux"))]
pub(super) const fn only_when_nothing_else_runs() {}

/// See [`only_when_nothing_else_runs`].
#[cfg(not(target_os = "linux"))]
pub(super) const fn behind_the_rest() {}
