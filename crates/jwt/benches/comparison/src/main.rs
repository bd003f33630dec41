//! The token core beside the libraries that people use instead, and the guard's cache of verified tokens.

mod cache;
mod contestants;
mod material;
mod plot;
mod race;
mod report;
mod worker;

use anyhow::{Context, bail};
use contestants::Operation;
use material::{ALGORITHMS, Material};
use report::{Comparison, Report};
use std::{env, path::PathBuf};

/// As the server has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const HELP: &str = "\
cargo bench -p counterfoil-jwt [-- OPTIONS]

  --rounds N        how often each contestant has its turn of 1.5 ms (default: 201)
  --only WORD       verify | sign | cache
  --write           put tables, figures (JSON) and plot (SVG) into docs/";

struct Options {
    rounds: usize,
    only: Option<String>,
    write: bool,
}

fn options() -> anyhow::Result<Options> {
    let mut options = Options { rounds: 201, only: None, write: false };
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--rounds" => options.rounds = arguments.next().context("--rounds needs a number")?.parse()?,
            "--only" => options.only = Some(arguments.next().context("--only needs a word")?),
            "--write" => options.write = true,
            _ => bail!("{HELP}"),
        }
    }
    Ok(options)
}

fn main() -> anyhow::Result<()> {
    if env::args().nth(1).as_deref() == Some(worker::ARGUMENT) {
        return worker::run();
    }
    let options = options()?;
    let wants = |word: &str| options.only.as_deref().is_none_or(|only| only == word);
    contestants::install_jsonwebtoken_backend(false)?;

    let mut report = Report::new(options.rounds);
    for operation in [Operation::Verify, Operation::Sign] {
        if !wants(operation.name()) {
            continue;
        }
        for algorithm in ALGORITHMS {
            let material = Material::new(algorithm)?;
            let outcomes = race::run(contestants::all(operation, &material)?, options.rounds)?;
            let comparison = Comparison { operation, algorithm: algorithm.name(), outcomes };
            println!("{}", comparison.to_text());
            report.comparisons.push(comparison);
        }
    }
    if wants("cache") {
        report.cache = cache::race(options.rounds)?;
        println!("{}", report.cache_to_text());
    }
    if options.write {
        let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../.."));
        report.write(&root.join("docs"))?;
    }
    Ok(())
}
