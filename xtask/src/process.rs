//! Children that cannot outlive us or hang us: each runs in a process group of its own, under a time limit.
//!
//! A test run starts compilers, test binaries and servers, several levels deep. Killing only the direct child would
//! leave the rest behind, holding ports and pipes; so the group is what is waited for, and what is killed.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};
use signal_hook::consts::{SIGINT, SIGTERM};

/// How often a waiting loop looks up: for the child's end, the deadline, and Ctrl-C.
const POLL: Duration = Duration::from_millis(25);
/// After the group has ended, how long output may still trickle out of pipes held by somebody who left the group.
const DRAIN: Duration = Duration::from_secs(2);

static INTERRUPTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// From now on Ctrl-C and SIGTERM do not end us directly: the waiting loops notice, and take the children along.
/// (Our children are in groups of their own, so the terminal's Ctrl-C reaches only us.)
pub(crate) fn listen_for_interrupts() -> anyhow::Result<()> {
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&INTERRUPTED)).context("listening for Ctrl-C")?;
    }
    Ok(())
}

/// Whether somebody asked us to stop.
pub(crate) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// The monotonic clock, for deadlines and for telling how long a step took.
#[allow(clippy::disallowed_methods, reason = "the errands' only clock; no rule of the product depends on it")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// A running child and everything it started; dropping it kills what is left of them.
pub(crate) struct Group {
    child: Child,
    reaped: Option<ExitStatus>,
}

impl Group {
    /// Starts `command` at the head of a new process group.
    pub(crate) fn spawn(command: &mut Command) -> anyhow::Result<Self> {
        let child = command
            .process_group(0)
            .spawn()
            .with_context(|| format!("starting {}", command.get_program().to_string_lossy()))?;
        Ok(Self { child, reaped: None })
    }

    /// The child, to take its pipes.
    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// The exit status once the child has ended; whatever it left running is killed then.
    pub(crate) fn try_wait(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        if self.reaped.is_none() {
            // NOWAIT leaves the zombie in place, which keeps its id, and so the group's, from being given to
            // somebody else before we have cleared the group.
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            if rustix::process::waitid(WaitId::Pid(self.pid()), options)?.is_none() {
                return Ok(None);
            }
            self.reap()?;
        }
        Ok(self.reaped)
    }

    /// Waits for the end, at most until `deadline`; fails on timeout and on Ctrl-C.
    pub(crate) fn wait_until(&mut self, deadline: Instant) -> anyhow::Result<ExitStatus> {
        loop {
            if let Some(status) = self.try_wait()? {
                return Ok(status);
            }
            give_up_at(deadline)?;
            thread::sleep(POLL);
        }
    }

    /// Asks the child to end, as an operator would.
    pub(crate) fn terminate(&self) {
        if self.reaped.is_none() {
            _ = rustix::process::kill_process(self.pid(), Signal::TERM);
        }
    }

    /// Stops the child without its noticing, or lets it go on.
    pub(crate) fn set_frozen(&self, is_frozen: bool) {
        if self.reaped.is_none() {
            _ = rustix::process::kill_process(self.pid(), if is_frozen { Signal::STOP } else { Signal::CONT });
        }
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    fn reap(&mut self) -> anyhow::Result<()> {
        _ = rustix::process::kill_process_group(self.pid(), Signal::KILL); // fails only when nobody is left
        self.reaped = Some(self.child.wait()?);
        Ok(())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if self.reaped.is_none() {
            _ = self.reap();
        }
    }
}

/// Fails when the deadline has passed or somebody pressed Ctrl-C.
pub(crate) fn give_up_at(deadline: Instant) -> anyhow::Result<()> {
    if interrupted() {
        bail!("interrupted");
    }
    if now() >= deadline {
        bail!("took longer than its limit and was stopped");
    }
    Ok(())
}

/// Runs `command` to its end, showing its output line by line as it comes.
pub(crate) fn run(command: &mut Command, limit: Duration) -> anyhow::Result<ExitStatus> {
    run_with(command, limit, |line| println!("{line}"))
}

/// Runs `command` to its end and gives every line of its output, standard output and error in their true order.
pub(crate) fn run_with(
    command: &mut Command,
    limit: Duration,
    mut on_line: impl FnMut(&str),
) -> anyhow::Result<ExitStatus> {
    let deadline = now() + limit;
    let (reader, writer) = io::pipe()?;
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    let mut group = Group::spawn(command)?;
    // `command` still owns our ends of the pipe; without letting go of them the reader would never see its end.
    command.stdout(Stdio::null()).stderr(Stdio::null());

    let lines = lines_of(reader);
    let mut deadline_drain = None;
    loop {
        match lines.recv_timeout(POLL) {
            Ok(line) => on_line(&line),
            Err(RecvTimeoutError::Disconnected) => return group.wait_until(deadline),
            Err(RecvTimeoutError::Timeout) => {}
        }
        let ended = group.try_wait()?;
        if let Some(status) = ended {
            if now() >= *deadline_drain.get_or_insert_with(|| now() + DRAIN) {
                return Ok(status);
            }
        } else {
            give_up_at(deadline)?;
        }
    }
}

/// Reads lines on a thread of its own, so that whoever waits for them can also watch a clock.
pub(crate) fn lines_of(source: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(source).split(b'\n') {
            let Ok(line) = line else { break };
            if sender.send(String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned()).is_err() {
                break;
            }
        }
    });
    receiver
}

/// What a short-lived helper said.
pub(crate) struct Said {
    /// How it ended.
    pub(crate) status: ExitStatus,
    /// Its standard output.
    pub(crate) stdout: String,
    /// Its standard error.
    pub(crate) stderr: String,
}

/// Runs a helper that reads `input` and answers in a few lines.
pub(crate) fn ask(command: &mut Command, input: &str, limit: Duration) -> anyhow::Result<Said> {
    let deadline = now() + limit;
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut group = Group::spawn(command)?;
    let (mut stdin, stdout, stderr) = {
        let child = group.child();
        (
            child.stdin.take().context("stdin")?,
            child.stdout.take().context("stdout")?,
            child.stderr.take().context("stderr")?,
        )
    };
    let (stdout, stderr) = (lines_of(stdout), lines_of(stderr));
    // A token fits into the pipe's buffer, so this cannot block; a helper that ends without reading it is no error here.
    _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let status = group.wait_until(deadline)?;
    Ok(Said { status, stdout: rest_of(&stdout), stderr: rest_of(&stderr) })
}

fn rest_of(lines: &mpsc::Receiver<String>) -> String {
    let deadline = now() + DRAIN;
    let mut text = String::new();
    while let Ok(line) = lines.recv_timeout(deadline.saturating_duration_since(now())) {
        text.push_str(&line);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENOUGH: Duration = Duration::from_secs(20);

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn output_and_errors_arrive_in_their_true_order() {
        let mut lines = Vec::new();
        let script = "echo one; echo two >&2; echo three; exit 3";
        let status = run_with(&mut shell(script), ENOUGH, |line| lines.push(line.to_owned())).unwrap();
        assert_eq!(status.code(), Some(3));
        assert_eq!(lines, ["one", "two", "three"]);
    }

    #[test]
    fn a_hanging_child_is_stopped_together_with_its_children() {
        let started = now();
        let mut grandchild = String::new();
        let error = run_with(&mut shell("sleep 600 & echo $!; wait"), Duration::from_millis(400), |line| {
            line.clone_into(&mut grandchild);
        })
        .unwrap_err();
        assert!(error.to_string().contains("limit"), "{error}");
        assert!(started.elapsed() < ENOUGH);
        assert_gone(&grandchild);
    }

    #[test]
    fn what_a_child_leaves_running_ends_with_it() {
        let mut grandchild = String::new();
        let status = run_with(&mut shell("sleep 600 & echo $!"), ENOUGH, |line| line.clone_into(&mut grandchild));
        assert!(status.unwrap().success());
        assert_gone(&grandchild);
    }

    #[test]
    fn a_helper_is_asked_and_answers() {
        let said = ask(&mut shell("read word; echo got $word; echo but >&2; exit 1"), "tea", ENOUGH).unwrap();
        assert_eq!((said.status.code(), said.stdout.as_str(), said.stderr.as_str()), (Some(1), "got tea\n", "but\n"));
    }

    /// Killed processes linger until their new parent reaps them: a zombie counts as gone.
    fn assert_gone(pid: &str) {
        let deadline = now() + ENOUGH;
        let probe = format!("ps -o stat= -p {pid} | grep -qv '^Z'");
        while shell(&probe).status().unwrap().success() {
            assert!(now() < deadline, "process {pid} is still there");
            thread::sleep(POLL);
        }
    }
}
