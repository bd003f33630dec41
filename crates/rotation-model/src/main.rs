//! `cargo run --release -p counterfoil-rotation-model [-- --traces N --seed S --depth D --states M]`: runs the model and
//! the simulation with the production rule and prints the figures of `docs/rotation.md`. Fails if a claim does not hold.

use counterfoil_rotation_model::report::{Options, run};
use std::{io::Write, process::ExitCode};

const USAGE: &str =
    "options: --traces N  --seed S  --depth D (most steps of the model)  --states M (most states of it)";

fn main() -> ExitCode {
    let mut errors = std::io::stderr();
    let options = match parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(problem) => {
            let _ = writeln!(errors, "{problem}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(&options, &mut std::io::stdout().lock()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            let _ = writeln!(errors, "a claim does not hold: see above");
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
        let value: u64 = arguments
            .next()
            .and_then(|value| value.replace('_', "").parse().ok())
            .ok_or_else(|| format!("{name} needs a whole number"))?;
        let size = usize::try_from(value).unwrap_or(usize::MAX);
        match name.as_str() {
            "--traces" => options.traces = value,
            "--seed" => options.seed = value,
            "--depth" => options.depth = size,
            "--states" => options.states = size,
            _ => return Err(format!("unknown option {name}")),
        }
    }
    Ok(options)
}
