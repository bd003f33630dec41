//! What the benchmark is asked to do.

use clap::{Parser, ValueEnum};
use std::{fmt, path::PathBuf, time::Duration};

/// Measures the server against a bare handler on the same machine.
#[derive(Parser)]
pub(crate) struct Options {
    /// What to measure; everything if nothing is named.
    #[arg(value_name = "PART")]
    parts: Vec<Part>,
    /// Seconds that each measurement of a round takes.
    #[arg(long)]
    seconds: Option<f64>,
    /// How often everything is measured; medians are reported.
    #[arg(long)]
    rounds: Option<usize>,
    /// How many sessions the store holds.
    #[arg(long)]
    sessions: Option<usize>,
    /// Leave it to the system which processor the server and the load run on.
    #[arg(long)]
    pub(crate) unpinned: bool,
    /// Write the figures to this file as well.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Be the bare handler (how this program calls itself).
    #[arg(long, hide = true)]
    pub(crate) ceiling: Option<CeilingKind>,
    /// Be a service behind a guard (how this program calls itself).
    #[arg(long, hide = true)]
    pub(crate) guarded: bool,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

/// One part of the benchmark.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Requests that carry an access token, against a handler that returns a constant.
    Verification,
    /// Durable refreshes.
    Refresh,
    /// Start-up time, idle memory, size of the binary.
    StartUp,
    /// What a storm of sign-ins does to everybody else.
    Storm,
    /// From a sign-out to its refusal by every guard.
    SignOut,
    /// What a million revocations cost a guard.
    LiveEntries,
}

/// How the bare handler is served.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CeilingKind {
    /// By the server's own connection loop.
    Counterfoil,
    /// By `axum::serve`.
    Axum,
}

impl Options {
    /// Fills in what was not said: long enough to be worth something under `cargo bench`, brief otherwise.
    pub(crate) fn with_defaults(mut self) -> Self {
        let (seconds, rounds, sessions) = if self.bench { (2.0, 5, 50_000) } else { (0.2, 1, 1_000) };
        self.seconds.get_or_insert(seconds);
        self.rounds.get_or_insert(rounds);
        self.sessions.get_or_insert(sessions);
        self
    }

    /// How long one measurement takes.
    pub(crate) fn duration(&self) -> Duration {
        Duration::from_secs_f64(self.seconds.unwrap_or(1.0).clamp(0.05, 600.0))
    }

    /// How often everything is measured.
    pub(crate) fn rounds(&self) -> usize {
        self.rounds.unwrap_or(1).max(1)
    }

    /// How many sessions the store holds.
    pub(crate) fn sessions(&self) -> usize {
        self.sessions.unwrap_or(1_000).max(512)
    }

    /// Whether this is only to see that it works.
    pub(crate) const fn is_brief(&self) -> bool {
        !self.bench
    }

    /// What to measure.
    pub(crate) fn parts(&self) -> Vec<Part> {
        if self.parts.is_empty() { Part::value_variants().to_vec() } else { self.parts.clone() }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Verification => "verification",
            Self::Refresh => "refresh",
            Self::StartUp => "start-up",
            Self::Storm => "storm",
            Self::SignOut => "sign-out",
            Self::LiveEntries => "live-entries",
        })
    }
}
