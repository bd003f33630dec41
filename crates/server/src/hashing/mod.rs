//! Password hashing on its own few threads, so that a storm of sign-ins slows nothing else down.
//!
//! Argon2id with m = 19 MiB, t = 2, p = 1 (OWASP Password Storage). A permit is held by the hash, not by the request: a
//! thread works on one password at a time in memory that it keeps, gives that memory back when it has been idle, and
//! runs at lower priority than the threads that answer requests.
//!
//! What waits is bounded, and served in turns ([`Asker`]): whoever asks most neither goes first nor keeps others out.
//! When too many wait, the newest of whoever holds the most is told so at once, and the answer is 503.

mod argon;
mod asker;
mod turns;

pub use asker::Asker;

use argon2::Block;
use counterfoil_domain::{account::PasswordHash, entropy::Entropy, password::NormalizedPassword};
use parking_lot::{Condvar, Mutex, MutexGuard};
use std::{hash::RandomState, io, sync::Arc, time::Duration};
use tokio::sync::oneshot;
use turns::Turns;

/// A thread that has had nothing to do for this long gives its 19 MiB back.
const KEEP_MEMORY_FOR: Duration = Duration::from_secs(2);
/// mimalloc keeps freed memory for a second, in case it is wanted again, and returns it to the system when something
/// else is freed after that. In a server that has become quiet there may be nothing for long.
const ALLOCATOR_KEEPS_FOR: Duration = Duration::from_millis(1_200);
/// Large enough that the allocator frees it as a whole; never touched, so it costs no memory.
const NUDGE_BYTES: usize = 1024 * 1024;
/// How much nicer than the rest of the process a hashing thread is (`nice`): requests go first.
const NICENESS: i32 = 10;

/// Why a password was not hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HashingError {
    /// Too many are waiting, and this one was the newest of whoever has the most waiting.
    #[error("too many passwords are waiting to be checked")]
    Overloaded,
    /// The pool has stopped, or a stored hash cannot be read.
    #[error("a password could not be hashed")]
    Failed,
}

enum Job {
    Hash { password: NormalizedPassword, reply: oneshot::Sender<Result<PasswordHash, HashingError>> },
    Verify { password: NormalizedPassword, hash: PasswordHash, reply: oneshot::Sender<Result<bool, HashingError>> },
}

/// The pool. Dropping it ends the threads once they have finished what was asked.
pub struct PasswordHasher {
    queue: Arc<Queue>,
    decoy: PasswordHash,
    /// Keys the numbers of parties.
    keyed: RandomState,
}

impl PasswordHasher {
    /// Starts `threads` hashing threads with room for `queue_max` waiting passwords.
    ///
    /// # Errors
    /// The system's, when a thread cannot be started.
    pub fn start(threads: usize, queue_max: usize, entropy: &Arc<dyn Entropy>) -> io::Result<Self> {
        let decoy =
            argon::decoy_hash(&**entropy).ok_or_else(|| io::Error::other("Argon2 refuses its own parameters"))?;
        let queue =
            Arc::new(Queue { waiting: Mutex::default(), arrived: Condvar::new(), waiting_max: queue_max.max(1) });
        // Made first: if a thread does not start, dropping this ends those that did.
        let pool = Self { queue: Arc::clone(&queue), decoy, keyed: RandomState::new() };
        for number in 0..threads.max(1) {
            let (queue, entropy) = (Arc::clone(&queue), Arc::clone(entropy));
            let thread = std::thread::Builder::new().name(format!("hash-{number}"));
            thread.spawn(move || work(&queue, &*entropy))?;
        }
        Ok(pool)
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// [`HashingError`].
    pub async fn hash(&self, password: NormalizedPassword, asker: &Asker<'_>) -> Result<PasswordHash, HashingError> {
        let (reply, answer) = oneshot::channel();
        self.submit(Job::Hash { password, reply }, asker);
        answer.await.map_err(|_| HashingError::Failed)?
    }

    /// Whether `password` is the one behind `hash`. Without a hash (no such account, or one without a password) the
    /// same work is done on a decoy and the answer is no, so that the time tells nothing (ASVS 6.3.8).
    ///
    /// # Errors
    /// [`HashingError`].
    pub async fn verify(
        &self,
        password: NormalizedPassword,
        hash: Option<PasswordHash>,
        asker: &Asker<'_>,
    ) -> Result<bool, HashingError> {
        let (reply, answer) = oneshot::channel();
        let is_decoy = hash.is_none();
        let hash = hash.unwrap_or_else(|| self.decoy.clone());
        self.submit(Job::Verify { password, hash, reply }, asker);
        let matches = answer.await.map_err(|_| HashingError::Failed)??;
        Ok(matches && !is_decoy)
    }

    fn submit(&self, job: Job, asker: &Asker<'_>) {
        self.queue.line_up(&asker.parties(&self.keyed), job);
    }
}

impl Drop for PasswordHasher {
    fn drop(&mut self) {
        self.queue.waiting.lock().closed = true;
        self.queue.arrived.notify_all();
    }
}

/// What waits for the threads.
struct Queue {
    waiting: Mutex<Waiting>,
    /// Told when a job has come, or none will any more.
    arrived: Condvar,
    waiting_max: usize,
}

#[derive(Default)]
struct Waiting {
    turns: Turns<Job>,
    closed: bool,
}

impl Queue {
    /// Lines up a job. If that is one too many, somebody has to go, and hears of it now.
    fn line_up(&self, parties: &[u64], job: Job) {
        let mut waiting = self.waiting.lock();
        waiting.turns.line_up(parties, job);
        let too_many = waiting.turns.len() > self.waiting_max;
        let refused = if too_many { waiting.turns.take_out_of_the_largest() } else { None };
        drop(waiting);
        self.arrived.notify_one();
        if let Some(refused) = refused {
            refused.refuse(HashingError::Overloaded);
        }
    }

    /// Waits for the next job, giving `memory` back meanwhile; then it sleeps without a timer. `None` when the pool has
    /// gone.
    fn next_job(&self, memory: &mut Vec<Block>) -> Option<Job> {
        let give_back: fn(&mut Vec<Block>) = |memory| *memory = Vec::new();
        let mut meanwhile = [(KEEP_MEMORY_FOR, give_back), (ALLOCATOR_KEEPS_FOR, |_| nudge_allocator())].into_iter();
        let mut next = meanwhile.next();
        let mut waiting = self.waiting.lock();
        loop {
            if let Some(job) = waiting.turns.take_next() {
                return Some(job);
            }
            if waiting.closed {
                return None;
            }
            let Some((pause, then)) = next else {
                self.arrived.wait(&mut waiting);
                continue;
            };
            if self.arrived.wait_for(&mut waiting, pause).timed_out() {
                MutexGuard::unlocked(&mut waiting, || then(memory));
                next = meanwhile.next();
            }
        }
    }
}

impl Job {
    /// Whether whoever asked has gone.
    fn is_abandoned(&self) -> bool {
        match self {
            Self::Hash { reply, .. } => reply.is_closed(),
            Self::Verify { reply, .. } => reply.is_closed(),
        }
    }

    fn refuse(self, error: HashingError) {
        match self {
            Self::Hash { reply, .. } => _ = reply.send(Err(error)),
            Self::Verify { reply, .. } => _ = reply.send(Err(error)),
        }
    }

    fn perform(self, memory: &mut Vec<Block>, entropy: &dyn Entropy) {
        match self {
            Self::Hash { password, reply } => {
                let _ = reply.send(argon::hash(&password, memory, entropy).ok_or(HashingError::Failed));
            }
            Self::Verify { password, hash, reply } => {
                let _ = reply.send(argon::verify(&password, &hash, memory).ok_or(HashingError::Failed));
            }
        }
    }
}

fn work(queue: &Queue, entropy: &dyn Entropy) {
    be_nice();
    let mut memory = Vec::new();
    while let Some(job) = queue.next_job(&mut memory) {
        // A flood of abandoned requests costs nothing.
        if !job.is_abandoned() {
            job.perform(&mut memory, entropy);
        }
    }
}

/// Makes the allocator return what was freed a while ago: it looks for that whenever a large block is freed.
fn nudge_allocator() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(NUDGE_BYTES)));
}

/// Lowers the priority of the calling thread. On Linux a thread's niceness is its own; elsewhere it is the process's,
/// so nothing is done there.
fn be_nice() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICENESS) {
        tracing::warn!(%error, "hashing threads run at normal priority");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::OsEntropy;
    use counterfoil_domain::secret::PasswordText;

    fn entropy() -> Arc<dyn Entropy> {
        Arc::new(OsEntropy)
    }

    type Answer = oneshot::Receiver<Result<PasswordHash, HashingError>>;

    fn password(text: &str) -> NormalizedPassword {
        NormalizedPassword::for_sign_in(&PasswordText::new(text.to_owned())).unwrap()
    }

    #[tokio::test]
    async fn hashes_verify_and_others_do_not() {
        let hasher = PasswordHasher::start(1, 4, &entropy()).unwrap();
        let nobody = Asker::default();
        let hash = hasher.hash(password("correct horse"), &nobody).await.unwrap();
        assert!(hash.expose().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.expose());
        assert_eq!(hasher.verify(password("correct horse"), Some(hash.clone()), &nobody).await, Ok(true));
        assert_eq!(hasher.verify(password("correct horsf"), Some(hash), &nobody).await, Ok(false));
        assert_eq!(hasher.verify(password("correct horse"), None, &nobody).await, Ok(false));
    }

    #[tokio::test]
    async fn hashes_of_the_library_itself_are_understood() {
        use argon2::PasswordHasher as _;
        let nobody = Asker::default();
        let phc = argon2::Argon2::default().hash_password(b"from elsewhere").unwrap().to_string();
        let hasher = PasswordHasher::start(1, 4, &entropy()).unwrap();
        assert_eq!(
            hasher.verify(password("from elsewhere"), Some(PasswordHash::from_phc(phc)), &nobody).await,
            Ok(true)
        );
        for unreadable in ["", "$argon2id$", "$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA", "plain"] {
            let hash = PasswordHash::from_phc(unreadable.to_owned());
            assert_eq!(
                hasher.verify(password("x"), Some(hash), &nobody).await,
                Err(HashingError::Failed),
                "{unreadable}"
            );
        }
    }

    #[tokio::test]
    async fn past_the_queue_it_says_so_at_once() {
        let hasher = PasswordHasher::start(1, 2, &entropy()).unwrap();
        let mut asked = Vec::new();
        for _ in 0..8 {
            let (reply, answer) = oneshot::channel();
            hasher.submit(Job::Hash { password: password("x"), reply }, &Asker::default());
            asked.push(answer);
        }
        let is_refused = |answer: &mut Answer| matches!(answer.try_recv(), Ok(Err(HashingError::Overloaded)));
        let refused = asked.iter_mut().map(is_refused).filter(|refused| *refused).count();
        assert!((5..=6).contains(&refused), "one at work at most and two waiting, {refused} refused");
    }

    /// However much one network asks, another's single password is taken and soon looked at.
    #[tokio::test]
    async fn a_flood_from_one_network_neither_keeps_others_out_nor_waiting() {
        let hasher = PasswordHasher::start(1, 8, &entropy()).unwrap();
        let flood = || {
            let asker = Asker { ip: Some([203, 0, 113, 9].into()), account: "guessed@example.com" };
            let (reply, answer) = oneshot::channel();
            hasher.submit(Job::Hash { password: password("x"), reply }, &asker);
            answer
        };
        let mut floods: Vec<_> = (0..50).map(|_| flood()).collect();
        let owner = Asker { ip: Some([192, 0, 2, 1].into()), account: "guessed@example.com" };
        let (reply, owners_answer) = oneshot::channel();
        hasher.submit(Job::Hash { password: password("mine"), reply }, &owner);
        floods.extend((0..50).map(|_| flood()));
        assert!(owners_answer.await.unwrap().is_ok(), "kept out");
        let is_begun = |answer: &mut Answer| matches!(answer.try_recv(), Ok(Ok(_)));
        let begun = floods.iter_mut().map(is_begun).filter(|begun| *begun).count();
        assert!(begun < 7, "it waited for {begun} of a queue of 8");
    }

    #[tokio::test]
    async fn what_was_asked_before_the_end_is_answered() {
        let hasher = PasswordHasher::start(1, 4, &entropy()).unwrap();
        let (reply, answer) = oneshot::channel();
        hasher.submit(Job::Hash { password: password("x"), reply }, &Asker::default());
        drop(hasher);
        assert!(answer.await.unwrap().is_ok());
    }
}
