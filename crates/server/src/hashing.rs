//! Password hashing on its own few threads, so that a storm of sign-ins slows nothing else down.
//!
//! Argon2id with m = 19 MiB, t = 2, p = 1 (OWASP Password Storage). A permit is held by the hash, not by the request: a
//! thread works on one password at a time in memory that it keeps, gives that memory back when it has been idle, and
//! runs at lower priority than the threads that answer requests. What waits is bounded; past that the answer is 503.

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{Ident, Output, ParamsString, PasswordHash as Phc, Salt},
};
use counterfoil_domain::{
    account::PasswordHash,
    entropy::{Entropy, random_bytes},
    password::NormalizedPassword,
};
use std::{io, sync::Arc, time::Duration};
use tokio::sync::oneshot;

/// A thread that has had nothing to do for this long gives its 19 MiB back.
const KEEP_MEMORY_FOR: Duration = Duration::from_secs(2);
/// mimalloc keeps freed memory for a second, in case it is wanted again, and returns it to the system when something
/// else is freed after that. In a server that has become quiet there may be nothing for long.
const ALLOCATOR_KEEPS_FOR: Duration = Duration::from_millis(1_200);
/// Large enough that the allocator frees it as a whole; never touched, so it costs no memory.
const NUDGE_BYTES: usize = 1024 * 1024;
/// How much nicer than the rest of the process a hashing thread is (`nice`): requests go first.
const NICENESS: i32 = 10;
const SALT_BYTES: usize = 16;

/// Why a password was not hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HashingError {
    /// Too many are waiting.
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
    jobs: flume::Sender<Job>,
    decoy: PasswordHash,
}

impl PasswordHasher {
    /// Starts `threads` hashing threads with room for `queue_max` waiting passwords.
    ///
    /// # Errors
    /// The system's, when a thread cannot be started.
    pub fn start(threads: usize, queue_max: usize, entropy: &Arc<dyn Entropy>) -> io::Result<Self> {
        let (jobs, waiting) = flume::bounded(queue_max.max(1));
        let decoy = decoy_hash(&**entropy).ok_or_else(|| io::Error::other("Argon2 refuses its own parameters"))?;
        for number in 0..threads.max(1) {
            let (waiting, entropy) = (waiting.clone(), Arc::clone(entropy));
            let thread = std::thread::Builder::new().name(format!("hash-{number}"));
            thread.spawn(move || work(&waiting, &*entropy))?;
        }
        Ok(Self { jobs, decoy })
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// [`HashingError`].
    pub async fn hash(&self, password: NormalizedPassword) -> Result<PasswordHash, HashingError> {
        let (reply, answer) = oneshot::channel();
        self.submit(Job::Hash { password, reply })?;
        answer.await.map_err(|_| HashingError::Failed)?
    }

    /// Whether `password` is the one behind `hash`. Without a hash (no such account, or one without a password) the
    /// same work is done on a decoy and the answer is no, so that the time tells nothing (ASVS 6.3.8).
    ///
    /// # Errors
    /// [`HashingError`].
    pub async fn verify(&self, password: NormalizedPassword, hash: Option<PasswordHash>) -> Result<bool, HashingError> {
        let (reply, answer) = oneshot::channel();
        let is_decoy = hash.is_none();
        let hash = hash.unwrap_or_else(|| self.decoy.clone());
        self.submit(Job::Verify { password, hash, reply })?;
        let matches = answer.await.map_err(|_| HashingError::Failed)??;
        Ok(matches && !is_decoy)
    }

    fn submit(&self, job: Job) -> Result<(), HashingError> {
        self.jobs.try_send(job).map_err(|error| match error {
            flume::TrySendError::Full(_) => HashingError::Overloaded,
            flume::TrySendError::Disconnected(_) => HashingError::Failed,
        })
    }
}

fn work(waiting: &flume::Receiver<Job>, entropy: &dyn Entropy) {
    be_nice();
    let mut memory = Vec::new();
    while let Some(job) = next_job(waiting, &mut memory) {
        perform(job, &mut memory, entropy);
    }
}

/// Waits for the next job, giving `memory` back meanwhile; then it sleeps without a timer. `None` when the pool has gone.
fn next_job(waiting: &flume::Receiver<Job>, memory: &mut Vec<Block>) -> Option<Job> {
    match waiting.recv_timeout(KEEP_MEMORY_FOR) {
        Ok(job) => return Some(job),
        Err(flume::RecvTimeoutError::Disconnected) => return None,
        Err(flume::RecvTimeoutError::Timeout) => *memory = Vec::new(),
    }
    match waiting.recv_timeout(ALLOCATOR_KEEPS_FOR) {
        Ok(job) => return Some(job),
        Err(flume::RecvTimeoutError::Disconnected) => return None,
        Err(flume::RecvTimeoutError::Timeout) => nudge_allocator(),
    }
    waiting.recv().ok()
}

/// Makes the allocator return what was freed a while ago: it looks for that whenever a large block is freed.
fn nudge_allocator() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(NUDGE_BYTES)));
}

fn perform(job: Job, memory: &mut Vec<Block>, entropy: &dyn Entropy) {
    match job {
        // Whoever asked has gone: a flood of abandoned requests costs nothing.
        Job::Hash { reply, .. } if reply.is_closed() => {}
        Job::Verify { reply, .. } if reply.is_closed() => {}
        Job::Hash { password, reply } => {
            let salt = random_bytes::<SALT_BYTES>(entropy);
            let hash = hash_with_memory(&password, &salt, &Params::DEFAULT, memory).map(|output| to_phc(&salt, output));
            let _ = reply.send(hash.flatten().ok_or(HashingError::Failed));
        }
        Job::Verify { password, hash, reply } => {
            let _ = reply.send(verify_with_memory(&password, &hash, memory).ok_or(HashingError::Failed));
        }
    }
}

fn hash_with_memory(
    password: &NormalizedPassword,
    salt: &[u8],
    params: &Params,
    memory: &mut Vec<Block>,
) -> Option<Output> {
    let blocks = params.block_count();
    if memory.len() < blocks {
        memory.resize(blocks, Block::default());
    }
    let memory = memory.get_mut(..blocks)?;
    let output_bytes = params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    let mut output = vec![0; output_bytes];
    argon2.hash_password_into_with_memory(password.expose().as_bytes(), salt, &mut output, memory).ok()?;
    Output::new(&output).ok()
}

fn verify_with_memory(password: &NormalizedPassword, hash: &PasswordHash, memory: &mut Vec<Block>) -> Option<bool> {
    let phc = Phc::new(hash.expose()).ok()?;
    let (salt, expected) = (phc.salt?, phc.hash?);
    if phc.algorithm != Algorithm::Argon2id.ident() || phc.version != Some(Version::V0x13.into()) {
        return None;
    }
    let params = Params::try_from(&phc).ok()?;
    let output = hash_with_memory(password, &salt, &params, memory)?;
    // `Output` compares in constant time.
    Some(output == expected)
}

fn to_phc(salt: &[u8], output: Output) -> Option<PasswordHash> {
    let phc = Phc {
        algorithm: Ident::from(Algorithm::Argon2id),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&Params::DEFAULT).ok()?,
        salt: Some(Salt::new(salt).ok()?),
        hash: Some(output),
    };
    Some(PasswordHash::from_phc(phc.to_string()))
}

/// A hash that no password has: random bytes in the place of Argon2's output.
fn decoy_hash(entropy: &dyn Entropy) -> Option<PasswordHash> {
    let output = Output::new(&random_bytes::<{ Params::DEFAULT_OUTPUT_LEN }>(entropy)).ok()?;
    to_phc(&random_bytes::<SALT_BYTES>(entropy), output)
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

    fn password(text: &str) -> NormalizedPassword {
        NormalizedPassword::for_sign_in(&PasswordText::new(text.to_owned())).unwrap()
    }

    #[tokio::test]
    async fn hashes_verify_and_others_do_not() {
        let hasher = PasswordHasher::start(1, 4, &entropy()).unwrap();
        let hash = hasher.hash(password("correct horse")).await.unwrap();
        assert!(hash.expose().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.expose());
        assert_eq!(hasher.verify(password("correct horse"), Some(hash.clone())).await, Ok(true));
        assert_eq!(hasher.verify(password("correct horsf"), Some(hash)).await, Ok(false));
        assert_eq!(hasher.verify(password("correct horse"), None).await, Ok(false));
    }

    #[tokio::test]
    async fn hashes_of_the_library_itself_are_understood() {
        use argon2::PasswordHasher as _;
        let phc = Argon2::default().hash_password(b"from elsewhere").unwrap().to_string();
        let hasher = PasswordHasher::start(1, 4, &entropy()).unwrap();
        assert_eq!(hasher.verify(password("from elsewhere"), Some(PasswordHash::from_phc(phc))).await, Ok(true));
        for unreadable in ["", "$argon2id$", "$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA", "plain"] {
            let hash = PasswordHash::from_phc(unreadable.to_owned());
            assert_eq!(hasher.verify(password("x"), Some(hash)).await, Err(HashingError::Failed), "{unreadable}");
        }
    }

    #[tokio::test]
    async fn past_the_queue_it_says_so_at_once() {
        let hasher = PasswordHasher::start(1, 2, &entropy()).unwrap();
        let mut asked = Vec::new();
        for _ in 0..8 {
            let (reply, answer) = oneshot::channel();
            asked.push((hasher.submit(Job::Hash { password: password("x"), reply }), answer));
        }
        let refused = asked.iter().filter(|(submitted, _)| *submitted == Err(HashingError::Overloaded)).count();
        assert!((5..=6).contains(&refused), "one at work at most and two waiting, {refused} refused");
    }
}
