//! Giving memory back in the pauses between passwords.

use argon2::Block;
use std::time::Duration;

/// A thread that has had nothing to do for this long gives its 19 MiB back.
const KEEP_MEMORY_FOR: Duration = Duration::from_secs(2);
/// mimalloc keeps freed memory for a second, in case it is wanted again, and returns it to the system when something
/// else is freed after that. In a server that has become quiet there may be nothing for long.
const ALLOCATOR_KEEPS_FOR: Duration = Duration::from_millis(1_200);
/// Large enough that the allocator frees it as a whole; never touched, so it costs no memory.
const NUDGE_BYTES: usize = 1024 * 1024;

/// A pause in the work, and what it is good for once it has lasted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Pause {
    /// The thread's own memory is given back to the allocator.
    First,
    /// The allocator is made to give it back to the system.
    Second,
}

impl Pause {
    /// How long it must last.
    pub(super) const fn length(self) -> Duration {
        match self {
            Self::First => KEEP_MEMORY_FOR,
            Self::Second => ALLOCATOR_KEEPS_FOR,
        }
    }

    /// The pause after this one; `None` when there is nothing left to give back.
    pub(super) const fn next(self) -> Option<Self> {
        match self {
            Self::First => Some(Self::Second),
            Self::Second => None,
        }
    }

    /// Gives back what it is time for.
    pub(super) fn give_back(self, memory: &mut Vec<Block>) {
        match self {
            Self::First => *memory = Vec::new(),
            // The allocator looks for what was freed a while ago whenever a large block is freed.
            Self::Second => drop(std::hint::black_box(Vec::<u8>::with_capacity(NUDGE_BYTES))),
        }
    }
}
