//! `cargo xtask fuzz`: the fuzz targets under libFuzzer, on the stable toolchain.
//!
//! What `cargo fuzz` does with a nightly compiler is done here with the compiler we have: LLVM's coverage pass is switched on
//! by plain codegen options. The sanitizers are missing then; there is no `unsafe` of ours that they could watch, and what
//! we look for are panics, overflows and accepted forgeries, which the targets notice by themselves.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::process;
use crate::workspace::Workspace;

/// The targets, each with the dictionary that suits it.
const TARGETS: [(&str, &str); 6] = [
    ("compact", "json.dict"),
    ("header", "json.dict"),
    ("claims", "json.dict"),
    ("jwk", "json.dict"),
    ("pem", "pem.dict"),
    ("verify", "json.dict"),
];

const EXECUTIONS: u64 = 1_000_000;
const INPUT_BYTES_MAX: u32 = 2048;
const INPUT_SECONDS_MAX: u32 = 20;
const MEMORY_MB_MAX: u32 = 1024;
const BUILD_LIMIT: Duration = Duration::from_hours(1);
/// A long run may take a weekend; Ctrl-C ends it sooner.
const RUN_LIMIT: Duration = Duration::from_hours(72);

/// What cargo-fuzz passes as well: counters at every edge, and what is compared with what.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 --cfg fuzzing";

/// What the command line asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    targets: Vec<(&'static str, &'static str)>,
    executions: u64,
}

impl Options {
    /// Reads the arguments after `fuzz`.
    pub(crate) fn parse(arguments: &[String]) -> anyhow::Result<Self> {
        let mut options = Self { targets: Vec::new(), executions: EXECUTIONS };
        let mut arguments = arguments.iter().map(String::as_str);
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().with_context(|| format!("`{argument}` needs a value"));
            match argument {
                "--target" => options.targets.push(known(value()?)?),
                "--executions" => {
                    let number = value()?;
                    options.executions = number.parse().with_context(|| format!("`{number}` is not a number"))?;
                }
                _ => bail!("`fuzz` knows --target and --executions, not `{argument}`"),
            }
        }
        if options.targets.is_empty() {
            options.targets.extend(TARGETS);
        }
        Ok(options)
    }
}

fn known(name: &str) -> anyhow::Result<(&'static str, &'static str)> {
    let names = || TARGETS.map(|(name, _)| name).join(", ");
    let target = TARGETS.into_iter().find(|(target, _)| *target == name);
    target.with_context(|| format!("no target is called `{name}`; there are {}", names()))
}

/// Builds the targets and runs one after the other; `Ok(true)` when none found anything.
pub(crate) fn run(options: &Options) -> anyhow::Result<bool> {
    let workspace = Workspace::find()?;
    let (folder, triple) = (workspace.root.join("fuzz"), host(&workspace)?);
    let target_folder = workspace.target.join("fuzz");
    let mut build = workspace.cargo();
    // With a target named, the options go to the code for it and not to build scripts, which have no libFuzzer in them.
    build.current_dir(&folder).args(["build", "--release", "--target", &triple, "--target-dir"]);
    build.arg(&target_folder).env("RUSTFLAGS", COVERAGE);
    if !process::run(&mut build, BUILD_LIMIT)?.success() {
        bail!("the targets do not build; libFuzzer needs a C++ compiler");
    }

    let (mut executions, mut all_well) = (0, true);
    for (name, dictionary) in &options.targets {
        println!("\n━━ {name}");
        let (learnt, artifacts) = (target_folder.join("corpus").join(name), folder.join("artifacts").join(name));
        fs::create_dir_all(&learnt)?;
        fs::create_dir_all(&artifacts)?;
        let mut command = Command::new(target_folder.join(&triple).join("release").join(name));
        // What is learnt goes into the first folder; the inputs that we keep are only read.
        command.arg(&learnt).arg(folder.join("corpus").join(name));
        command.arg(format!("-dict={}", folder.join(dictionary).display()));
        command.arg(format!("-artifact_prefix={}/", artifacts.display()));
        command.args([
            format!("-runs={}", options.executions),
            format!("-max_len={INPUT_BYTES_MAX}"),
            format!("-timeout={INPUT_SECONDS_MAX}"),
            format!("-rss_limit_mb={MEMORY_MB_MAX}"),
            "-print_final_stats=1".to_owned(),
        ]);
        let status = process::run_with(&mut command, RUN_LIMIT, |line| {
            executions += executed(line).unwrap_or(0);
            if is_worth_showing(line) {
                println!("{line}");
            }
        })?;
        if !status.success() {
            all_well = false;
            println!("{name} found something: make a vector of the input in {}", artifacts.display());
        }
    }
    println!("\n{executions} executions");
    Ok(all_well)
}

/// The count in libFuzzer's last words.
fn executed(line: &str) -> Option<u64> {
    line.strip_prefix("stat::number_of_executed_units:")?.trim().parse().ok()
}

/// Not the thousands of lines about new inputs, nor the dictionary.
fn is_worth_showing(line: &str) -> bool {
    let is_step = line.starts_with('#') && !["pulse", "INITED", "DONE"].iter().any(|word| line.contains(word));
    let is_detail = ["ParseDictionaryFile", "stat::", "\tNEW_FUNC", "\"", "###### "];
    !is_step && !is_detail.iter().any(|start| line.starts_with(start))
}

/// The machine we are on, in the compiler's words.
fn host(workspace: &Workspace) -> anyhow::Result<String> {
    let mut command = Command::new("rustc");
    let said = process::ask(command.arg("-vV").current_dir(&workspace.root), "", Duration::from_mins(1))?;
    let host = said.stdout.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc does not say which machine it is for")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> anyhow::Result<Options> {
        Options::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn options_are_read() {
        assert_eq!(parse("").unwrap(), Options { targets: TARGETS.to_vec(), executions: EXECUTIONS });
        let some = Options { targets: vec![("pem", "pem.dict"), ("jwk", "json.dict")], executions: 7 };
        assert_eq!(parse("--target pem --executions 7 --target jwk").unwrap(), some);
        for line in ["--target", "--target planet", "--executions", "--executions many", "pem"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn libfuzzers_last_words_are_counted() {
        assert_eq!(executed("stat::number_of_executed_units: 4970369"), Some(4_970_369));
        assert_eq!(executed("stat::peak_rss_mb:              28"), None);
        assert!(is_worth_showing("#4194304\tpulse  cov: 704 ft: 1697"));
        assert!(!is_worth_showing("#4000\tREDUCE cov: 704 ft: 1697"));
        assert!(!is_worth_showing("\"\\000\\000\" # Uses: 55"));
        assert!(is_worth_showing("SUMMARY: libFuzzer: deadly signal"));
    }

    /// The folder says it twice, once to cargo and once to the short run.
    #[test]
    fn every_target_is_in_the_folder() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
        for (name, dictionary) in TARGETS {
            assert!(folder.join("fuzz_targets").join(name).with_extension("rs").is_file(), "{name}");
            assert!(folder.join("corpus").join(name).is_dir(), "{name}");
            assert!(folder.join(dictionary).is_file(), "{dictionary}");
        }
        let shared = fs::read_to_string(folder.join("src/lib.rs")).unwrap();
        assert!(TARGETS.iter().all(|(name, _)| shared.contains(&format!("(\"{name}\", "))));
    }
}
