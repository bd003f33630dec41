//! The server against a bare handler on the same machine, in the same run.
//!
//! `cargo bench -p counterfoil` runs everything (some six minutes); `cargo bench -p counterfoil -- refresh --seconds 5`
//! one part of it, and `-- --help` tells the rest. Without `--bench`, as `cargo test --benches` calls it, everything runs
//! once and briefly, to see that it still works.
//!
//! The server is the release binary as a child process on a data folder on a real disk, and the load comes from this
//! process over keep-alive connections. Where there are two processors, the server has one and the load the other, so
//! that a figure says what one processor of server gives and not how two programs share. What is compared is measured
//! in turns (A B A B …), and the ratios are of neighbours.

#[path = "../driver/mod.rs"]
mod driver;
#[path = "../driver/guarded.rs"]
mod guarded;

mod ceiling;
mod live_entries;
mod load;
mod machine;
mod options;
mod pool;
mod refresh;
mod report;
mod sessions;
mod sign_out;
mod start_up;
mod statistics;
mod storm;
mod verification;

use clap::Parser;
use options::{Options, Part};
use report::Report;
use std::{fs, path::Path};

/// The same as the server's, so that the bare handler has no handicap.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    if let Some(kind) = options.ceiling {
        return ceiling::serve(kind);
    }
    if options.guarded {
        return guarded::serve();
    }
    let options = options.with_defaults();
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let mut report = Report::new(&options, folder.path())?;
    report.print_machine();
    for part in options.parts() {
        println!("\n{part}");
        run(part, &options, &folder.path().join(part.to_string()), &mut report)?;
    }
    println!("\n{}", report.table());
    if let Some(file) = &options.json {
        fs::write(file, report.json()?)?;
    }
    Ok(())
}

fn run(part: Part, options: &Options, folder: &Path, report: &mut Report) -> anyhow::Result<()> {
    fs::create_dir(folder)?;
    let data = folder.join("data");
    match part {
        Part::Verification => verification::run(options, &data, report),
        Part::Refresh => refresh::run(options, &data, report),
        Part::StartUp => start_up::run(options, &data, report),
        Part::Storm => storm::run(options, &data, report),
        Part::SignOut => sign_out::run(options, &data, report),
        Part::LiveEntries => live_entries::run(options, &data, report),
    }
}
