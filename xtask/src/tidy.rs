//! House rules that no linter knows. Each finding says what to do about it.
//!
//! The rules are plain functions over one file's path and text; `check` walks the files that git knows or could add.

mod dependencies;
mod links;

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Context;

use crate::process;

/// Longer files hold two ideas.
const SOURCE_LINES_MAX: usize = 500;

/// Words that mean "not finished". Spelt in halves, or this file would be its own first finding.
const LEFTOVERS: [&str; 6] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("unimple", "mented!"),
    concat!("to", "do!"),
    concat!("db", "g!"),
];

/// Where a developer's or a build machine's own folders begin.
const MACHINE_PATHS: [&str; 3] = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/Us", "ers/")];

/// Files whose words are not ours: the licence, and lists kept by tools.
const NOT_OUR_WORDS: [&str; 3] = ["LICENSE", "Cargo.lock", "package-lock.json"];

/// Where tools keep what they made; git ignores the same (`.gitignore`).
const GENERATED_FOLDERS: [&str; 6] = [".git", ".cache", "target", "node_modules", "__pycache__", "counterfoil-data"];

/// One broken rule at one place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    path: String,
    line: usize,
    advice: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.advice)
    }
}

/// Applies all rules to all files of the repository at `root`.
pub(crate) fn check(root: &Path) -> anyhow::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let paths = source_files(root)?;
    for path in &paths {
        // A file deleted but not yet committed, or one that is not text: nothing to read.
        let Ok(text) = fs::read_to_string(root.join(path)) else { continue };
        findings.extend(check_file(path, &text));
    }
    findings.extend(check_dependencies(root, &paths)?);
    findings.extend(check_links(root, &paths));
    println!("{} files read", paths.len());
    Ok(findings)
}

/// The files to read: what git tracks, and what it would offer to add, found before the commit rather than after.
/// Without git, or outside a checkout (an unpacked release, a slim container), all that looks like source.
fn source_files(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut command = Command::new("git");
    // The checkout may belong to somebody else than who runs this (a container, a CI mount): reading is harmless.
    command.arg("-c").arg("safe.directory=*").arg("-C").arg(root);
    command.args(["-c", "core.quotePath=false", "ls-files", "--cached", "--others", "--exclude-standard"]);
    match process::ask(&mut command, "", Duration::from_mins(1)) {
        Ok(said) if said.status.success() => Ok(said.stdout.lines().map(str::to_owned).collect()),
        _ => {
            println!("git does not know this folder: reading all of it");
            let mut files = Vec::new();
            walk(root, "", &mut files)?;
            Ok(files)
        }
    }
}

/// Collects the files below `root`/`folder`, as paths from `root` with slashes.
fn walk(root: &Path, folder: &str, files: &mut Vec<String>) -> anyhow::Result<()> {
    for entry in fs::read_dir(root.join(folder)).with_context(|| format!("reading folder {folder}"))? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        let kind = entry.file_type()?;
        if kind.is_file() {
            files.push(path);
        } else if kind.is_dir() && !GENERATED_FOLDERS.contains(&name.as_str()) {
            walk(root, &path, files)?;
        }
    }
    Ok(())
}

fn check_file(path: &str, text: &str) -> Vec<Finding> {
    let mut faults = Vec::new();
    if !NOT_OUR_WORDS.iter().any(|name| path.rsplit('/').next() == Some(name)) {
        faults.extend(leftovers(text));
    }
    faults.extend(machine_paths(text));
    if is_crate_source(path) {
        faults.extend(too_long(text));
    }
    if path == "Cargo.toml" {
        faults.extend(members_without_reason(text));
    } else if path.ends_with("/Cargo.toml") {
        faults.extend(lints_not_inherited(text));
    }
    if path.ends_with("package-lock.json") {
        faults.extend(registry_hosts(text));
    }
    findings_in(path, faults).collect()
}

/// Links between pages, which need all of them.
fn check_links(root: &Path, paths: &[String]) -> Vec<Finding> {
    let is_page = |path: &str| Path::new(path).extension().is_some_and(|extension| extension == "md");
    let text = |path: &str| if is_page(path) { fs::read_to_string(root.join(path)) } else { Ok(String::new()) };
    // A file that was deleted and not yet committed is no longer a place to link to.
    let there = paths.iter().filter(|path| root.join(path).exists());
    let files: HashMap<_, _> = there.map(|path| (path.clone(), text(path).unwrap_or_default())).collect();
    let mut pages: Vec<_> = files.iter().filter(|(path, _)| is_page(path)).collect();
    pages.sort();
    pages.into_iter().flat_map(|(path, text)| findings_in(path, links::broken(path, text, &files))).collect()
}

/// Dependencies, as three kinds of files tell of them.
fn check_dependencies(root: &Path, paths: &[String]) -> anyhow::Result<Vec<Finding>> {
    let read = |path: &str| fs::read_to_string(root.join(path)).with_context(|| format!("reading {path}"));
    let (manifest, page) = (read("Cargo.toml")?, read(dependencies::PAGE)?);
    let members: Vec<String> =
        paths.iter().filter(|path| path.ends_with("/Cargo.toml")).filter_map(|path| read(path).ok()).collect();
    let in_manifest = dependencies::in_manifest(&manifest, &page, &members);
    let on_page = dependencies::on_page(&page, &manifest);
    Ok(findings_in("Cargo.toml", in_manifest).chain(findings_in(dependencies::PAGE, on_page)).collect())
}

fn findings_in(path: &str, faults: Vec<Fault>) -> impl Iterator<Item = Finding> {
    faults.into_iter().map(move |(line, advice)| Finding { path: path.to_owned(), line, advice })
}

/// A line number and what to do about it.
type Fault = (usize, String);

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(index, line)| (index + 1, line))
}

/// Our sources in `crates/*/src`, without files that hold only tests.
fn is_crate_source(path: &str) -> bool {
    let mut parts = path.split('/');
    let in_source = parts.next() == Some("crates") && parts.next().is_some() && parts.next() == Some("src");
    let is_test = path.contains("/tests/") || path.ends_with("/tests.rs") || path.ends_with("_tests.rs");
    in_source && !is_test && Path::new(path).extension().is_some_and(|extension| extension == "rs")
}

/// Counts up to the unit tests at the end of the file.
fn too_long(text: &str) -> Option<Fault> {
    let code_lines = text.lines().take_while(|line| *line != "#[cfg(test)]").count();
    (code_lines > SOURCE_LINES_MAX).then(|| {
        let advice = format!(
            "{code_lines} lines before the tests, {SOURCE_LINES_MAX} at most: give each idea a file of its own"
        );
        (code_lines, advice)
    })
}

fn leftovers(text: &str) -> Vec<Fault> {
    numbered(text)
        .flat_map(|(number, line)| {
            let found = LEFTOVERS.into_iter().filter(move |word| contains_word(line, word));
            found.map(move |word| {
                (number, format!("`{word}`: finish it, or write an issue and say here what holds today"))
            })
        })
        .collect()
}

/// Whether `word` stands in `line` by itself, and not inside a longer word (or a base64 string).
fn contains_word(line: &str, word: &str) -> bool {
    let joins = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '+' | '/');
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let after = line.get(at + word.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(joins) && (word.ends_with('!') || !after.is_some_and(joins))
    })
}

fn machine_paths(text: &str) -> Vec<Fault> {
    let starts_a_path = |line: &str, at: usize| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '}' | '>'))
    };
    numbered(text)
        .flat_map(|(number, line)| {
            let found = MACHINE_PATHS
                .into_iter()
                .filter(move |path| line.match_indices(path).any(|(at, _)| starts_a_path(line, at)));
            found.map(move |path| (number, format!("`{path}…` exists on one machine only: make the path relative")))
        })
        .collect()
}

/// Every member in the root manifest is preceded by a comment that says why it exists.
fn members_without_reason(manifest: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut previous_is_comment = false;
    let lines = numbered(manifest).skip_while(|(_, line)| !line.starts_with("members")).skip(1);
    for (number, line) in lines.take_while(|(_, line)| !line.starts_with(']')) {
        let line = line.trim();
        if line.starts_with('"') && !previous_is_comment && !line.contains('#') {
            faults.push((number, format!("say above {} why this crate exists", line.trim_end_matches(','))));
        }
        previous_is_comment = line.starts_with('#');
    }
    faults
}

/// A crate without `[lints] workspace = true` is outside all the lints, `unsafe` included, and nothing else says so.
fn lints_not_inherited(manifest: &str) -> Option<Fault> {
    let mut lines = manifest.lines().skip_while(|line| *line != "[lints]").skip(1);
    let inherited = manifest.contains("[workspace]") || lines.any(|line| line == "workspace = true");
    (!inherited).then(|| (1, "add `[lints]` with `workspace = true`: the house's lints hold in every crate".to_owned()))
}

/// A lock file that names a host makes everybody download from there, reachable or not.
fn registry_hosts(lock: &str) -> Vec<Fault> {
    let resolved = numbered(lock).filter(|(_, line)| line.trim_start().starts_with("\"resolved\""));
    resolved
        .map(|(number, _)| (number, "names a registry: set omit-lockfile-registry-resolved=true in .npmrc".to_owned()))
        .collect()
}

#[cfg(test)]
mod tests;
