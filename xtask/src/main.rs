//! `cargo xtask …`: the project's own errands, in Rust so that the toolchain is all that a fresh machine needs.
//!
//! One match arm below per errand, one file per errand beside this one.

mod audit;
mod browser;
mod cases;
mod fuzz;
mod gateways;
mod install;
mod interop;
mod npm;
mod process;
mod server;
mod tally;
mod test;
mod tidy;
mod workspace;

use std::env;
use std::process::ExitCode;

use anyhow::bail;

const HELP: &str = "\
The project's own errands.

cargo xtask test [--only STEP]… [--server FILE]
    Everything that must hold before a change goes in. Runs all steps even when one fails;
    the last line says how many checks passed and failed.
    STEP: fmt | clippy | tests | doc | tidy | peers | interop | browser | gateways
    --server FILE    interop, browser, gateways: judge this counterfoil binary instead of building one

cargo xtask audit
    Licences, banned and duplicate crates, sources, and known vulnerabilities (cargo-deny, deny.toml).

cargo xtask fuzz [--target NAME]… [--executions N]
    The fuzz targets of the token core under libFuzzer (needs a C++ compiler), one after the other.
    NAME: compact | header | claims | jwk | pem | verify; N: for each target (default: 1000000)

cargo xtask help
    This text.";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match errand(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Runs the errand that the first argument names; `Ok(false)` when it ran and found fault.
fn errand(arguments: &[String]) -> anyhow::Result<bool> {
    process::listen_for_interrupts()?;
    match arguments.split_first().map(|(errand, rest)| (errand.as_str(), rest)) {
        Some(("test", rest)) => test::run(&test::Options::parse(rest)?),
        Some(("fuzz", rest)) => fuzz::run(&fuzz::Options::parse(rest)?),
        Some(("audit", [])) => audit::run(),
        Some(("audit", [surplus, ..])) => bail!("`audit` takes no arguments, found `{surplus}`"),
        None | Some(("help" | "--help" | "-h", _)) => {
            println!("{HELP}");
            Ok(true)
        }
        Some((unknown, _)) => bail!("no errand is called `{unknown}`\n\n{HELP}"),
    }
}
