//! Every shared dependency is used by somebody, and `docs/dependencies.md` says why it is there.

use super::{Fault, numbered};

/// The page that tells why.
pub(super) const PAGE: &str = "docs/dependencies.md";

/// What is wrong with `[workspace.dependencies]` in the root manifest, given the page and the members' manifests.
pub(super) fn in_manifest(manifest: &str, page: &str, members: &[String]) -> Vec<Fault> {
    let explained = explained_on(page);
    let mut faults = Vec::new();
    for (number, name) in shared(manifest) {
        if !explained.iter().any(|(_, row)| *row == name) {
            faults.push((number, format!("say in {PAGE} why we build upon {name}")));
        }
        if !members.iter().any(|member| inherits(member, name)) {
            faults.push((number, format!("no crate uses {name}: remove the line, and its row in {PAGE}")));
        }
    }
    faults
}

/// Rows of the page about crates that are gone.
pub(super) fn on_page(page: &str, manifest: &str) -> Vec<Fault> {
    let shared = shared(manifest);
    let gone = explained_on(page).into_iter().filter(|(_, row)| !shared.iter().any(|(_, name)| name == row));
    gone.map(|(number, row)| (number, format!("we no longer build upon {row}: remove the row"))).collect()
}

/// The names in `[workspace.dependencies]` with their lines, without our own crates.
fn shared(manifest: &str) -> Vec<(usize, &str)> {
    numbered(manifest)
        .skip_while(|(_, line)| *line != "[workspace.dependencies]")
        .skip(1)
        .take_while(|(_, line)| !line.starts_with('['))
        .filter_map(|(number, line)| {
            let (name, value) = line.split_once('=')?;
            let is_ours = value.contains("path =");
            (!line.starts_with('#') && !is_ours).then_some((number, name.trim()))
        })
        .collect()
}

/// The crates that have a row in one of the page's tables.
fn explained_on(page: &str) -> Vec<(usize, &str)> {
    numbered(page).filter_map(|(number, line)| Some((number, line.strip_prefix("| `")?.split_once('`')?.0))).collect()
}

/// `name.workspace = true` or `name = { workspace = true, … }`.
fn inherits(manifest: &str, name: &str) -> bool {
    manifest.lines().any(|line| {
        line.strip_prefix(name).is_some_and(|rest| {
            rest.starts_with(".workspace") || rest.trim_start().starts_with('=') && rest.contains("workspace = true")
        })
    })
}
