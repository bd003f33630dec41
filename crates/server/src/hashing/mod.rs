//! Password hashing on its own few threads, so that a storm of sign-ins slows nothing else down.
//!
//! Argon2id with m = 19 MiB, t = 2, p = 1 (OWASP Password Storage). A permit is held by the hash, not by the request: a
//! thread works on one password at a time in memory that it keeps, gives that memory back when it has been idle, and
//! gives way at once to the threads that answer requests.
//!
//! What waits is bounded, and served in turns ([`Asker`]): whoever asks most neither goes first nor keeps others out.
//! When too many wait, the newest of whoever holds the most is told so at once, and the answer is 503.

mod argon;
mod asker;
mod memory;
mod priority;
mod queue;
mod turns;

pub use asker::Asker;

use argon2::Block;
use counterfoil_domain::{account::PasswordHash, entropy::Entropy, password::NormalizedPassword};
use queue::Queue;
use std::{hash::RandomState, io, sync::Arc, time::Duration};
use tokio::sync::oneshot;

/// When no password has been taken up for this long although some wait, the threads get no time.
const STALLED_AFTER: Duration = Duration::from_secs(2);

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
    queue: Arc<Queue<Job>>,
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
        let queue = Arc::new(Queue::new(queue_max));
        // Made first: if a thread does not start, dropping this ends those that did.
        let pool = Self { queue: Arc::clone(&queue), decoy, keyed: RandomState::new() };
        let start = |name: String, work: fn(&Queue<Job>, &dyn Entropy)| {
            let (queue, entropy) = (Arc::clone(&queue), Arc::clone(entropy));
            std::thread::Builder::new().name(name).spawn(move || work(&queue, &*entropy))
        };
        for number in 0..threads.max(1) {
            start(format!("hash-{number}"), work)?;
        }
        start("hash-stalled".to_owned(), work_when_stalled)?;
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
        if let Some(refused) = self.queue.line_up(&asker.parties(&self.keyed), job) {
            refused.refuse(HashingError::Overloaded);
        }
    }
}

impl Drop for PasswordHasher {
    fn drop(&mut self) {
        self.queue.close();
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

/// A hashing thread: works only when nothing else wants to.
fn work(queue: &Queue<Job>, entropy: &dyn Entropy) {
    priority::only_when_nothing_else_runs();
    let mut memory = Vec::new();
    while let Some(job) = queue.next(|pause| pause.give_back(&mut memory)) {
        perform(job, &mut memory, entropy);
    }
}

/// The one thread that steps in when the others get no time at all, because everything else is too busy: somebody who
/// signs in waits longer then, and not without end. It keeps no memory.
fn work_when_stalled(queue: &Queue<Job>, entropy: &dyn Entropy) {
    priority::behind_the_rest();
    while let Some(job) = queue.next_if_stalled(STALLED_AFTER) {
        perform(job, &mut Vec::new(), entropy);
    }
}

/// A request that was abandoned costs nothing, as far as that is seen: a connection with more to read behind the request
/// does not show its end.
fn perform(job: Job, memory: &mut Vec<Block>, entropy: &dyn Entropy) {
    if !job.is_abandoned() {
        job.perform(memory, entropy);
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

    #[test]
    fn when_nobody_takes_up_what_waits_somebody_steps_in() {
        let queue = Queue::new(4);
        assert!(queue.line_up(&[1], 'a').is_none());
        std::thread::scope(|scope| {
            let stalled = scope.spawn(|| queue.next_if_stalled(Duration::from_millis(50)));
            assert_eq!(stalled.join().unwrap(), Some('a'));
            queue.close();
            assert_eq!(queue.next_if_stalled(Duration::from_millis(50)), None);
        });
    }

    #[test]
    fn nobody_steps_in_while_work_goes_on() {
        let queue = Queue::new(64);
        std::thread::scope(|scope| {
            let stalled = scope.spawn(|| queue.next_if_stalled(Duration::from_secs(5)));
            for number in 0..20 {
                queue.line_up(&[1], number);
                assert_eq!(queue.next(|_| {}), Some(number));
            }
            queue.close();
            assert_eq!(stalled.join().unwrap(), None);
        });
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
