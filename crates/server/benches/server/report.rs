//! The figures: collected, and shown beside their targets.

use crate::{
    machine::{self, Pins},
    options::{Options, Part},
    statistics::{median, number, span},
};
use comfy_table::{CellAlignment, Table, presets::ASCII_MARKDOWN};
use serde_json::{Value, json};
use std::{path::Path, rc::Rc};

/// What is asked of a figure.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    None,
    AtLeast(f64),
    AtMost(f64),
}

/// What a figure is counted in.
#[derive(Clone, Copy)]
pub(crate) enum Unit {
    PerSecond,
    Ratio,
    Milliseconds,
    Microseconds,
    /// Of a million bytes.
    Megabytes,
    Count,
}

struct Figure {
    part: Part,
    name: String,
    unit: Unit,
    rounds: Vec<f64>,
    target: Target,
}

/// All figures of a run, and under what conditions they came about.
pub(crate) struct Report {
    figures: Vec<Figure>,
    pins: Rc<Pins>,
    machine: String,
    conditions: String,
}

impl Report {
    pub(crate) fn new(options: &Options, folder: &Path) -> anyhow::Result<Self> {
        let pins = Pins::choose(options.unpinned)?;
        let conditions = format!(
            "data on {}, {}, {} rounds of {:.1} s, {} sessions in the store",
            machine::file_system(folder),
            pins.describe(),
            options.rounds(),
            options.duration().as_secs_f64(),
            options.sessions(),
        );
        Ok(Self { figures: Vec::new(), pins: Rc::new(pins), machine: machine::describe(), conditions })
    }

    /// Who runs where.
    pub(crate) fn pins(&self) -> Rc<Pins> {
        Rc::clone(&self.pins)
    }

    /// Says where and how all this is measured.
    pub(crate) fn print_machine(&self) {
        println!("{}\n{}", self.machine, self.conditions);
    }

    /// Adds a figure: its value in each round.
    pub(crate) fn add(&mut self, part: Part, name: impl Into<String>, unit: Unit, rounds: &[f64], target: Target) {
        self.figures.push(Figure { part, name: name.into(), unit, rounds: rounds.to_vec(), target });
    }

    /// For people.
    pub(crate) fn table(&self) -> String {
        let mut table = Table::new();
        table.load_style(ASCII_MARKDOWN);
        table.set_header(["", "figure", "median", "least … most", "target", ""]);
        for figure in &self.figures {
            let value = median(&figure.rounds);
            let (least, most) = span(&figure.rounds);
            let range = if figure.rounds.len() > 1 {
                format!("{} … {}", figure.unit.show(least), figure.unit.show(most))
            } else {
                String::new()
            };
            table.add_row([
                figure.part.to_string(),
                figure.name.clone(),
                figure.unit.show_with_name(value),
                range,
                figure.target.show(figure.unit),
                figure.target.verdict(value).unwrap_or_default().to_owned(),
            ]);
        }
        for column in 2..=3 {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table.to_string()
    }

    /// For programs.
    pub(crate) fn json(&self) -> anyhow::Result<String> {
        let figures: Vec<Value> = self
            .figures
            .iter()
            .map(|figure| {
                let value = median(&figure.rounds);
                json!({
                    "part": figure.part.to_string(),
                    "figure": figure.name,
                    "unit": figure.unit.name(),
                    "median": value,
                    "rounds": figure.rounds,
                    "target": figure.target.show(figure.unit),
                    "met": figure.target.verdict(value).map(|verdict| verdict == MET),
                })
            })
            .collect();
        let all = json!({ "machine": self.machine, "conditions": self.conditions, "figures": figures });
        Ok(serde_json::to_string_pretty(&all)?)
    }
}

const MET: &str = "met";

impl Target {
    fn show(self, unit: Unit) -> String {
        match self {
            Self::None => String::new(),
            Self::AtLeast(bound) => format!("≥ {}", unit.show(bound)),
            Self::AtMost(bound) => format!("≤ {}", unit.show(bound)),
        }
    }

    fn verdict(self, value: f64) -> Option<&'static str> {
        let met = match self {
            Self::None => return None,
            Self::AtLeast(bound) => value >= bound,
            Self::AtMost(bound) => value <= bound,
        };
        Some(if met { MET } else { "missed" })
    }
}

impl Unit {
    const fn name(self) -> &'static str {
        match self {
            Self::PerSecond => "/s",
            Self::Ratio | Self::Count => "",
            Self::Milliseconds => "ms",
            Self::Microseconds => "µs",
            Self::Megabytes => "MB",
        }
    }

    fn show(self, value: f64) -> String {
        match self {
            Self::PerSecond if value < 1_000.0 => format!("{value:.1}"),
            Self::PerSecond | Self::Count => format!("{value:.0}"),
            Self::Ratio => format!("{value:.3}"),
            Self::Milliseconds => format!("{value:.2}"),
            Self::Megabytes | Self::Microseconds => format!("{value:.1}"),
        }
    }

    fn show_with_name(self, value: f64) -> String {
        format!("{} {}", self.show(value), self.name()).trim_end().to_owned()
    }
}

/// So many bytes in millions.
pub(crate) fn megabytes(bytes: u64) -> f64 {
    number(bytes) / 1e6
}
