//! A state as one line of text, for traces.

use super::state::{Offset, State, Tab};
use std::fmt::Write;

impl State {
    /// One line: the row, the stored token, what is under way. Serials are named by their age in seconds.
    pub fn describe(&self) -> String {
        let row = self.row;
        let mut line = format!(
            "head {} at {} child {} given {} prev {}; stored {}",
            age(row.head),
            age(row.head_at),
            age(row.child),
            age(row.given),
            age(row.prev),
            age(self.stored)
        );
        for (tab, state) in self.tabs.iter().enumerate() {
            if let Tab::Waiting { age: waited, reply } = state {
                let reply = reply.map_or_else(String::new, |reply| format!(", reply {}", age(reply)));
                let _ = write!(line, "; tab {tab} waits {waited}{reply}");
            }
        }
        for request in self.requests.iter().flatten() {
            let _ = write!(line, "; request {} {}", age(request.presented), request.age);
        }
        if let Some(thief) = self.thief {
            let _ = write!(line, "; thief has {} and {}", age(thief.copied), age(thief.newest));
        }
        let _ = write!(line, "; {:?}", self.store);
        line
    }
}

fn age(offset: Offset) -> String {
    format!("{:+.3}", f64::from(offset) / 1000.0)
}
