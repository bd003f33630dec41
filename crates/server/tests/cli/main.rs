//! The command line as a person or a script meets it: the real binary, its exit status, and both of its streams.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this whole crate is a test: a panic is its report"
)]

mod account_changes;
mod accounts;
mod clients;
mod configuration;
mod keys;
mod tokens;
mod vectors;

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

/// How a run of the program ended.
pub(crate) struct Run {
    /// Its exit status.
    pub(crate) status: i32,
    /// What it wrote to standard output.
    pub(crate) out: String,
    /// What it wrote to standard error.
    pub(crate) err: String,
}

impl Run {
    /// Asserts the exit status, showing both streams if it is another, and hands the run on.
    pub(crate) fn expect(self, status: i32) -> Self {
        assert_eq!(self.status, status, "\nstdout: {}\nstderr: {}", self.out, self.err);
        self
    }

    /// The output as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }
}

/// Runs `counterfoil` in `folder`, so that no configuration of the machine is found, with `input` on its standard input.
pub(crate) fn run(folder: &Path, arguments: &[&str], input: &str) -> Run {
    run_in(&[], folder, arguments, input)
}

/// As [`run`], with these environment variables, and none of those that change how answers look or which options hold.
pub(crate) fn run_in(environment: &[(&str, &str)], folder: &Path, arguments: &[&str], input: &str) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_counterfoil"));
    for (name, _) in std::env::vars_os() {
        let changes_answers = |name: &str| {
            ["COUNTERFOIL_", "LC_", "CLICOLOR"].iter().any(|prefix| name.starts_with(prefix))
                || ["LANG", "NO_COLOR", "TZ"].contains(&name)
        };
        if name.to_str().is_some_and(changes_answers) {
            command.env_remove(&name);
        }
    }
    let mut child = command
        .envs(environment.iter().copied())
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // From a thread of its own: a program that answers while it reads would wait for its answers to be taken. One that
    // refuses before it reads closes the pipe, which is no failure of the test.
    let (mut stdin, input) = (child.stdin.take().unwrap(), input.to_owned());
    let writer = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { status: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}
