//! `cargo bench -p counterfoil-jwt [-- OPTIONS]`: the token core beside its peers, and the guard's cache.
//!
//! Builds and runs `benches/comparison`, which is a workspace of its own (its `Cargo.toml` says why). Options are handed
//! on; `-- --help` lists them.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    // `cargo bench` says `--bench` to every benchmark. `cargo test --benches` does not, and gets nothing measured.
    if !env::args().any(|argument| argument == "--bench") {
        println!("nothing is measured without `cargo bench`");
        return ExitCode::SUCCESS;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["run", "--release", "--quiet", "--manifest-path"]);
    command.arg(root.join("benches/comparison/Cargo.toml"));
    // Beside our own artefacts, and not among them: another lock file, other features.
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("../../target"), PathBuf::from);
    command.arg("--target-dir").arg(target.join("comparison"));
    command.arg("--").args(env::args_os().skip(1).filter(|argument| argument != "--bench"));
    match command.current_dir(root.join("../..")).status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(status) => {
            eprintln!("the comparison ended with {status}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("cargo does not start: {error}");
            ExitCode::FAILURE
        }
    }
}
