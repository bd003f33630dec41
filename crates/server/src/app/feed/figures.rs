//! What is counted, for graphs.

use counterfoil_domain::revocation::Anomaly;
use parking_lot::Mutex;
use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// An anomaly is told in the log at most so often; all of them are counted.
const BETWEEN_LINES: Duration = Duration::from_secs(10);

/// Whether a figure only rises.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FigureKind {
    /// It counts since the process began.
    Counter,
    /// It is as it is now.
    Gauge,
}

/// One figure, as Prometheus names things.
#[derive(Clone, PartialEq, Debug)]
pub struct Figure {
    /// Its name; figures of one name stand together.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub help: &'static str,
    /// Whether it only rises.
    pub kind: FigureKind,
    /// What tells it from others of its name.
    pub label: Option<(&'static str, &'static str)>,
    /// How much.
    pub value: f64,
}

/// Counts up.
#[derive(Default)]
pub(in crate::app) struct Count(AtomicU64);

impl Count {
    pub(in crate::app) fn add(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    fn value(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "nobody reads more than 15 digits off a graph")]
        let value = self.0.load(Relaxed) as f64;
        value
    }
}

/// Counts how many there are now.
#[derive(Default)]
pub(super) struct Level(Count);

/// One of them, as long as it lives.
pub(super) struct Entered<'l>(&'l Level);

impl Level {
    pub(super) fn enter(&self) -> Entered<'_> {
        self.0.add();
        Entered(self)
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.0.0.0.fetch_sub(1, Relaxed);
    }
}

/// One count for each anomaly.
#[derive(Default)]
pub(super) struct ByAnomaly([Count; Anomaly::ALL.len()]);

impl ByAnomaly {
    pub(super) fn add(&self, anomaly: Anomaly) {
        if let Some((_, count)) = Anomaly::ALL.iter().zip(&self.0).find(|(one, _)| **one == anomaly) {
            count.add();
        }
    }
}

/// When each anomaly was last told.
#[derive(Default)]
pub(super) struct Told(Mutex<Vec<(Anomaly, Duration)>>);

impl Told {
    /// Whether the log may be told of it again.
    pub(super) fn may_tell(&self, anomaly: Anomaly, now: Duration) -> bool {
        let mut told = self.0.lock();
        if told.iter().any(|(one, at)| *one == anomaly && now.saturating_sub(*at) < BETWEEN_LINES) {
            return false;
        }
        told.retain(|(one, _)| *one != anomaly);
        told.push((anomaly, now));
        true
    }
}

/// The kinds of revocations, as they are counted.
const KINDS: [&str; 5] = ["session", "subject", "issuer", "token", "keys"];

/// What is counted about the feed.
#[derive(Default)]
pub(in crate::app) struct FeedFigures {
    pub(super) polls: Count,
    pub(super) held: Level,
    pub(super) resyncs: ByAnomaly,
    pub(super) anomalies: Told,
    pub(super) epochs: Count,
    pub(super) snapshots: Count,
    pub(super) snapshots_refused: Count,
    pub(super) receipts: Count,
    pub(super) receipts_incomplete: Count,
    pub(in crate::app) store_failures: Count,
    revocations: [Count; KINDS.len()],
}

impl FeedFigures {
    /// Counts an entry that this process has written.
    pub(in crate::app) fn wrote(&self, kind: &str) {
        if let Some((_, count)) = KINDS.iter().zip(&self.revocations).find(|(one, _)| **one == kind) {
            count.add();
        }
    }

    pub(super) fn append_to(&self, figures: &mut Vec<Figure>) {
        let mut add = |name, help, kind, label, value| figures.push(Figure { name, help, kind, label, value });
        let (counter, gauge) = (FigureKind::Counter, FigureKind::Gauge);
        add("counterfoil_polls_held", "Polls that wait for something new.", gauge, None, self.held.0.value());
        add("counterfoil_polls_total", "Polls answered.", counter, None, self.polls.value());
        for (anomaly, count) in Anomaly::ALL.iter().zip(&self.resyncs.0) {
            let label = Some(("reason", anomaly.as_str()));
            add(
                "counterfoil_resyncs_total",
                "Polls from a place after which no entries can be given.",
                counter,
                label,
                count.value(),
            );
        }
        for (kind, count) in KINDS.iter().zip(&self.revocations) {
            let help = "Entries of the feed written by this process.";
            add("counterfoil_revocations_total", help, counter, Some(("kind", *kind)), count.value());
        }
        for (outcome, count) in [("complete", &self.receipts), ("incomplete", &self.receipts_incomplete)] {
            let help = "Sign-outs whose verifiers were waited for.";
            add("counterfoil_receipts_total", help, counter, Some(("outcome", outcome)), count.value());
        }
        for (outcome, count) in [("begun", &self.snapshots), ("refused", &self.snapshots_refused)] {
            let help = "Snapshots asked for.";
            add("counterfoil_snapshots_total", help, counter, Some(("outcome", outcome)), count.value());
        }
        let help = "New epochs begun because the store had been put back.";
        add("counterfoil_epochs_begun_total", help, counter, None, self.epochs.value());
        let help = "Readings of the feed and other upkeep that the store did not answer.";
        add("counterfoil_store_failures_total", help, counter, None, self.store_failures.value());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_entry_and_of_anomaly_has_its_count() {
        let figures = FeedFigures::default();
        for kind in KINDS {
            figures.wrote(kind);
        }
        for anomaly in Anomaly::ALL {
            figures.resyncs.add(anomaly);
        }
        drop(figures.held.enter());
        let mut all = Vec::new();
        figures.append_to(&mut all);
        let of =
            |name: &str| all.iter().filter(|figure| figure.name == name).map(|figure| figure.value).collect::<Vec<_>>();
        assert_eq!(of("counterfoil_revocations_total"), [1.0; 5]);
        assert_eq!(of("counterfoil_resyncs_total"), [1.0; Anomaly::ALL.len()]);
        assert_eq!(of("counterfoil_polls_held"), [0.0]);
    }

    #[test]
    fn each_anomaly_is_told_once_in_a_while() {
        let told = Told::default();
        let second = Duration::from_secs(1);
        assert!(told.may_tell(Anomaly::Fork, second));
        assert!(!told.may_tell(Anomaly::Fork, 10 * second) && told.may_tell(Anomaly::Rewound, 10 * second));
        assert!(told.may_tell(Anomaly::Fork, 11 * second));
    }
}
