//! How many requests were answered, and how.

use crate::app::{Figure, FigureKind};
use axum::http::StatusCode;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// Counts answers by the class of their status: one addition a request, which is all that the short path can afford. (By
/// route it would be a look-up.)
#[derive(Clone, Default)]
pub(super) struct RequestCounts(Arc<[AtomicU64; CLASSES.len()]>);

impl RequestCounts {
    pub(super) fn add(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).saturating_sub(1);
        if let Some(count) = self.0.get(class) {
            count.fetch_add(1, Relaxed);
        }
    }

    pub(super) fn append_to(&self, figures: &mut Vec<Figure>) {
        figures.extend(CLASSES.into_iter().zip(&*self.0).map(|(class, count)| {
            #[expect(clippy::cast_precision_loss, reason = "nobody reads more than 15 digits off a graph")]
            let value = count.load(Relaxed) as f64;
            let (name, help) = ("counterfoil_requests_total", "Requests answered, by the class of their status.");
            Figure { name, help, kind: FigureKind::Counter, label: Some(("status", class)), value }
        }));
    }
}
