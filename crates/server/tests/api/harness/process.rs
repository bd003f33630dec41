//! The real binary, as an operator starts it.

use super::{Client, eventually};
use std::{
    env,
    future::ready,
    io::Read,
    ops::Deref,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::Duration,
};

/// Only a hang takes as long.
const LIMIT: Duration = Duration::from_secs(30);

const FREE_PORT: &str = "127.0.0.1:0";

/// A running binary; dropping it kills it.
pub(crate) struct Process {
    child: Child,
    client: Client,
    words: Output,
    errors: Output,
    readers: Vec<JoinHandle<()>>,
}

/// What a process has written so far.
#[derive(Default)]
struct Output(Arc<Mutex<String>>);

impl Deref for Process {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Process {
    /// Starts `counterfoil serve` on a data folder under `folder` and waits for its address.
    pub(crate) async fn start(folder: &Path, options: &[(&str, &str)]) -> Self {
        let mut started = Self::spawn(folder, FREE_PORT, options);
        wait_for("an address", || started.address().is_some() || started.has_ended()).await;
        let address = started.address().unwrap_or_else(|| panic!("it did not start: {}", started.errors()));
        started.client = Client::new(&address);
        started
    }

    /// Starts it where it must refuse; what it exited with, and what it said.
    pub(crate) async fn start_refused(folder: &Path, options: &[(&str, &str)]) -> (Option<i32>, String) {
        Self::spawn(folder, FREE_PORT, options).refused().await
    }

    /// The same at this address.
    pub(crate) async fn start_refused_at(folder: &Path, address: &str) -> (Option<i32>, String) {
        Self::spawn(folder, address, &[]).refused().await
    }

    async fn refused(mut self) -> (Option<i32>, String) {
        let status = self.exited().await;
        (status.code(), self.errors())
    }

    fn spawn(folder: &Path, address: &str, options: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_counterfoil"));
        command.args(["serve", "--listen", address, "--data"]).arg(folder.join("data")).current_dir(folder);
        // A developer's own settings are not what is tested here.
        for (name, _) in env::vars().filter(|(name, _)| name.starts_with("COUNTERFOIL_")) {
            command.env_remove(name);
        }
        command.envs(options.iter().copied());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (words, errors) = (Output::default(), Output::default());
        let readers = vec![words.collect(child.stdout.take().unwrap()), errors.collect(child.stderr.take().unwrap())];
        Self { child, client: Client::new(""), words, errors, readers }
    }

    /// The address in the welcome.
    fn address(&self) -> Option<String> {
        let words = self.words();
        let (welcome, _) = words.split_once("API")?;
        let (_, address) = welcome.split_once("address")?;
        Some(address.split_whitespace().next()?.to_owned())
    }

    /// Asks it to stop.
    pub(crate) fn terminate(&self) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
    }

    fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for its end, and for the last that it said.
    pub(crate) async fn exited(&mut self) -> ExitStatus {
        wait_for("the end of the process", || self.has_ended()).await;
        self.readers.drain(..).for_each(|reader| reader.join().unwrap());
        self.child.wait().unwrap()
    }

    /// Stops it in an orderly way.
    pub(crate) async fn stop(mut self) -> ExitStatus {
        self.terminate();
        self.exited().await
    }

    /// What it has written to stderr: its log.
    pub(crate) fn errors(&self) -> String {
        self.errors.0.lock().unwrap().clone()
    }

    /// What it has written to stdout.
    pub(crate) fn words(&self) -> String {
        self.words.0.lock().unwrap().clone()
    }
}

impl Output {
    fn collect(&self, mut from: impl Read + Send + 'static) -> JoinHandle<()> {
        let output = Arc::clone(&self.0);
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(bytes @ 1..) = from.read(&mut buffer) {
                output.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..bytes]));
            }
        })
    }
}

async fn wait_for(what: &str, mut ask: impl FnMut() -> bool) {
    eventually(what, LIMIT, || ready(ask())).await;
}
