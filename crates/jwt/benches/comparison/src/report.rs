//! What is printed, and what is written into the documentation.

use crate::{contestants::Operation, plot, race::Outcome};
use anyhow::Context;
use serde::Serialize;
use std::{fmt::Write, fs, path::Path};

/// One operation under one algorithm.
#[derive(Serialize)]
pub struct Comparison {
    pub operation: Operation,
    pub algorithm: &'static str,
    pub outcomes: Vec<Outcome>,
}

/// A whole run.
#[derive(Serialize)]
pub struct Report {
    pub processor: String,
    pub rounds: usize,
    pub comparisons: Vec<Comparison>,
    pub cache: Vec<Outcome>,
}

const BEGIN: &str = "<!-- token core: written by the benchmark -->";
const END: &str = "<!-- token core: end -->";

impl Report {
    pub fn new(rounds: usize) -> Self {
        Self { processor: processor(), rounds, comparisons: Vec::new(), cache: Vec::new() }
    }

    /// Writes `benchmarks/token-core.{json,svg}`, and the tables between their marks in `performance.md`.
    pub fn write(&self, docs: &Path) -> anyhow::Result<()> {
        let folder = docs.join("benchmarks");
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("token-core.json"), serde_json::to_string_pretty(self)? + "\n")?;
        fs::write(folder.join("token-core.svg"), plot::svg(&self.comparisons))?;
        let page = docs.join("performance.md");
        let text = fs::read_to_string(&page)?;
        let marks = || format!("{} has no `{BEGIN}` … `{END}`", page.display());
        let (before, rest) = text.split_once(BEGIN).with_context(marks)?;
        let (_, after) = rest.split_once(END).with_context(marks)?;
        fs::write(&page, format!("{before}{BEGIN}\n\n{}\n{END}{after}", self.to_markdown()))?;
        println!("written: {} and {}", page.display(), folder.join("token-core.{json,svg}").display());
        Ok(())
    }

    fn to_markdown(&self) -> String {
        let mut text = format!("Processor: {}. Rounds: {}.\n", self.processor, self.rounds);
        for operation in [Operation::Verify, Operation::Sign] {
            let comparisons: Vec<_> = self.comparisons.iter().filter(|one| one.operation == operation).collect();
            let Some(first) = comparisons.first() else { continue };
            _ = write!(text, "\n| {}: ns (÷ primitive) |", operation.name());
            for comparison in &comparisons {
                _ = write!(text, " {} |", comparison.algorithm);
            }
            _ = write!(text, "\n|---|{}\n", "--:|".repeat(comparisons.len()));
            for (row, outcome) in first.outcomes.iter().enumerate() {
                _ = write!(text, "| {} |", outcome.name);
                for comparison in &comparisons {
                    let outcome = &comparison.outcomes[row];
                    _ = write!(text, " {} ({:.2}) |", grouped(outcome.median_ns), outcome.ratio);
                }
                text.push('\n');
            }
        }
        if !self.cache.is_empty() {
            text.push_str("\n| the guard, EdDSA | ns | of 20 rounds, 18 between |\n|---|--:|--:|\n");
            for outcome in &self.cache {
                let (low, high) = (grouped(outcome.p05_ns), grouped(outcome.p95_ns));
                _ = writeln!(text, "| {} | {} | {low} and {high} |", outcome.name, grouped(outcome.median_ns));
            }
        }
        text
    }

    pub fn cache_to_text(&self) -> String {
        table("guard: a token that was verified before", &self.cache)
    }
}

impl Comparison {
    pub fn to_text(&self) -> String {
        table(&format!("{} {}", self.operation.name(), self.algorithm), &self.outcomes)
    }
}

fn table(title: &str, outcomes: &[Outcome]) -> String {
    let mut text =
        format!("{title:<52} {:>10} {:>21} {:>8} {:>9}\n", "median ns", "18 of 20 rounds", "÷ first", "− first");
    for Outcome { name, median_ns, p05_ns, p95_ns, ratio, difference_ns } in outcomes {
        let between = format!("{} – {}", grouped(*p05_ns), grouped(*p95_ns));
        let (median, difference) = (grouped(*median_ns), grouped(*difference_ns));
        _ = writeln!(text, "  {name:<50} {median:>10} {between:>21} {ratio:>8.3} {difference:>9}");
    }
    text
}

/// With commas between thousands.
fn grouped(number: f64) -> String {
    let digits = format!("{:.0}", number.abs());
    let mut text = String::from(if number <= -0.5 { "−" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn processor() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    model.map_or_else(|| "unknown".to_owned(), |(_, model)| format!("{count} × {}", model.trim()))
}
