//! `cargo run --release -p counterfoil-feed-model [-- --depth D --states M]`: runs the model with what production does and
//! prints the figures of `docs/feed-model.md`. Fails if a property does not hold.

use counterfoil_feed_model::report::{Options, run};
use std::{io::Write, process::ExitCode};

const USAGE: &str = "options: --depth D (most steps)  --states M (most states of a scenario)";

fn main() -> ExitCode {
    let mut errors = std::io::stderr();
    let options = match parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(problem) => {
            let _ = writeln!(errors, "{problem}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(options, &mut std::io::stdout().lock()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            let _ = writeln!(errors, "a property does not hold: see above");
            ExitCode::FAILURE
        }
        Err(error) => {
            let _ = writeln!(errors, "cannot write: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options::default();
    while let Some(name) = arguments.next() {
        let value = arguments
            .next()
            .and_then(|value| value.replace('_', "").parse().ok())
            .ok_or_else(|| format!("{name} needs a whole number"))?;
        match name.as_str() {
            "--depth" => options.depth = value,
            "--states" => options.states = value,
            _ => return Err(format!("unknown option {name}")),
        }
    }
    Ok(options)
}
