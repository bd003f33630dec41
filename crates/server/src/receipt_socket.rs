//! Where the command line asks a running server for the receipt of a sign-out: a socket in the data folder.
//!
//! The command writes the sign-out into the store by itself, and knows of no verifier; the server does, since they poll it.
//! Whoever may write to the data folder holds everything anyway, so that is who may ask: no secret and no port are needed.
//! One line of JSON is the question, one the answer.

use crate::app::{App, SignOutOf};
use counterfoil_domain::revocation::{Epoch, FeedPosition};
use counterfoil_wire::Receipt;
use rustix::process::geteuid;
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    io::{BufRead, BufReader, Write},
    os::unix::{fs::PermissionsExt, net::UnixStream as BlockingStream},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
    sync::Semaphore,
    task::JoinHandle,
    time::timeout,
};

/// The socket's name in the data folder.
const SOCKET_FILE: &str = "counterfoil.sock";
/// The longest question, in bytes.
const QUESTION_BYTES_MAX: u64 = 1_024;
/// How long the question may take to come, and the answer to be taken.
const LINE_TIMEOUT: Duration = Duration::from_secs(2);
/// The most that are answered at a time.
const ANSWERED_MAX: usize = 4;

/// Which sign-out, and how long to wait for it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct ReceiptQuestion {
    pub(crate) epoch: i64,
    pub(crate) seq: i64,
    /// How long ago it was written.
    pub(crate) written_ms_ago: u64,
    pub(crate) wait_ms: u64,
    pub(crate) of: AskedOf,
}

/// What was ended.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AskedOf {
    Session(counterfoil_domain::id::SessionId),
    Account(counterfoil_domain::id::AccountId),
    Everybody,
}

/// The server's end; dropping it takes the socket away.
pub(crate) struct ReceiptSocket {
    path: PathBuf,
    serving: JoinHandle<()>,
}

impl ReceiptSocket {
    /// Opens the socket in the data folder, which this process holds: what is there is left from one that has ended. Where it
    /// cannot be opened (a path may have some hundred bytes), the server does without.
    pub(crate) fn open(folder: &Path, app: App) -> Option<Self> {
        let path = folder.join(SOCKET_FILE);
        drop(fs::remove_file(&path));
        match UnixListener::bind(&path) {
            // The folder is its owner's alone already, and so is every other file in it.
            Ok(listener) if fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).is_err() => {
                drop(listener);
                None
            }
            Ok(listener) => Some(Self { path, serving: tokio::spawn(serve(listener, app)) }),
            Err(error) => {
                tracing::warn!(%error, path = %path.display(), "no socket for receipts: `session end --wait` cannot ask this server");
                None
            }
        }
    }
}

impl Drop for ReceiptSocket {
    fn drop(&mut self) {
        self.serving.abort();
        drop(fs::remove_file(&self.path));
    }
}

async fn serve(listener: UnixListener, app: App) {
    let places = Arc::new(Semaphore::new(ANSWERED_MAX));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let app = app.clone();
        tokio::spawn(async move {
            if let Err(error) = answer(stream, &app).await {
                tracing::debug!(%error, "a question for a receipt was not answered");
            }
            drop(place);
        });
    }
}

async fn answer(stream: UnixStream, app: &App) -> io::Result<()> {
    let (user, asker) = (geteuid().as_raw(), stream.peer_cred()?.uid());
    if asker != user && asker != 0 {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let (reading, mut writing) = stream.into_split();
    let mut line = String::new();
    let mut reading = tokio::io::BufReader::new(reading.take(QUESTION_BYTES_MAX));
    timeout(LINE_TIMEOUT, reading.read_line(&mut line)).await??;
    let question: ReceiptQuestion = serde_json::from_str(&line)?;
    let receipt = receipt(app, &question).await;
    let mut text = serde_json::to_vec(&receipt)?;
    text.push(b'\n');
    timeout(LINE_TIMEOUT, writing.write_all(&text)).await?
}

async fn receipt(app: &App, question: &ReceiptQuestion) -> Receipt {
    let position = FeedPosition { epoch: Epoch(question.epoch), seq: question.seq };
    let of = match question.of {
        AskedOf::Session(session) => SignOutOf::Session(session),
        AskedOf::Account(account) => SignOutOf::Account(account),
        AskedOf::Everybody => SignOutOf::Everybody,
    };
    let written_ago = Duration::from_millis(question.written_ms_ago);
    app.receipt_of_other_process(of, position, written_ago, Duration::from_millis(question.wait_ms)).await
}

/// The command's end: asks the server that runs on this data folder.
///
/// # Errors
/// None runs, or it does not answer.
pub(crate) fn ask(folder: &Path, question: &ReceiptQuestion) -> io::Result<Receipt> {
    let mut stream = BlockingStream::connect(folder.join(SOCKET_FILE))?;
    stream.set_write_timeout(Some(LINE_TIMEOUT))?;
    stream.set_read_timeout(Some(Duration::from_millis(question.wait_ms) + 2 * LINE_TIMEOUT))?;
    let mut text = serde_json::to_vec(question)?;
    text.push(b'\n');
    stream.write_all(&text)?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    Ok(serde_json::from_str(&line)?)
}
