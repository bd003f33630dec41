//! Links between our Markdown pages lead somewhere: the file exists, and a heading answers to the anchor.
//!
//! Links to the web are not followed: whether a stranger's server is up is no property of this repository.

use std::collections::HashMap;

use super::{Fault, numbered};

/// The broken links of the page at `path`, given every file of the repository and, for Markdown, its text.
pub(super) fn broken(path: &str, text: &str, files: &HashMap<String, String>) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (number, line) in prose(text) {
        for target in targets(line) {
            if let Some(problem) = problem(path, target, files) {
                faults.push((number, format!("`{target}` {problem}")));
            }
        }
    }
    faults
}

fn problem(path: &str, target: &str, files: &HashMap<String, String>) -> Option<String> {
    let is_elsewhere = target.contains("://") || target.starts_with("mailto:");
    if is_elsewhere {
        return None;
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let Some(file) = resolve(path, file) else { return Some("leaves the repository".to_owned()) };
    let below = format!("{file}/");
    let is_folder = file.is_empty() || files.keys().any(|known| known.starts_with(&below));
    let Some(linked) = files.get(&file) else {
        return (!is_folder).then(|| "leads to no file here".to_owned());
    };
    let is_markdown = file.rsplit_once('.').is_some_and(|(_, extension)| extension == "md");
    let is_missing = is_markdown && !anchor.is_empty() && !anchors(linked).contains(&anchor.to_owned());
    is_missing.then(|| format!("leads to no heading of {file}"))
}

/// The path from the root that `target` means on the page at `path`; `None` if it leaves the root.
fn resolve(path: &str, target: &str) -> Option<String> {
    if target.is_empty() {
        return Some(path.to_owned()); // only an anchor: on this page
    }
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The lines outside fenced code, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut is_code = false;
    numbered(text).filter(move |(_, line)| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

/// What the links of a line lead to: `[text](target)`, images too.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next()).filter(|target| !target.is_empty())
}

/// The anchors of a page's headings, as GitHub makes them: lower case, blanks to hyphens, punctuation gone, and a number
/// behind the second of a kind.
fn anchors(text: &str) -> Vec<String> {
    let mut anchors: Vec<String> = Vec::new();
    let mut seen: HashMap<String, usize> = HashMap::new();
    for (_, line) in prose(text).filter(|(_, line)| line.starts_with('#')) {
        let title = line.trim_start_matches('#').trim();
        let keep = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
        let anchor: String = title.to_lowercase().chars().filter(|c| keep(*c)).collect::<String>().replace(' ', "-");
        let count = seen.entry(anchor.clone()).and_modify(|count| *count += 1).or_default();
        anchors.push(if *count == 0 { anchor } else { format!("{anchor}-{count}") });
    }
    anchors
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> HashMap<String, String> {
        let pages = [
            ("README.md", "# A\n## The tour, twice\n## 둘러보기\n## The tour, twice\n```\n# code\n```\n"),
            ("docs/a.md", "# A"),
            ("docs/b/c.rs", ""),
        ];
        pages.into_iter().map(|(path, text)| (path.to_owned(), text.to_owned())).collect()
    }

    #[test]
    fn links_that_lead_somewhere() {
        for target in [
            "../README.md",
            "a.md",
            "./b/c.rs",
            "b",
            "b/",
            "../README.md#the-tour-twice",
            "../README.md#the-tour-twice-1",
            "../README.md#둘러보기",
            "#a",
            "https://example.com/x.md",
            "mailto:a@example.com",
            "..",
        ] {
            let page = format!("see [this]({target}) and ![that](a.md \"title\")\n");
            assert_eq!(broken("docs/a.md", &page, &files()), [], "{target}");
        }
    }

    #[test]
    fn links_that_do_not() {
        for target in ["gone.md", "../docs/gone", "../../x", "../README.md#gone", "../README.md#code", "#gone"] {
            let page = format!("fine\n```sh\n[code](gone.md)\n```\nsee [this]({target})\n");
            let found = broken("docs/a.md", &page, &files());
            assert!(
                matches!(found.as_slice(), [(5, advice)] if advice.starts_with(&format!("`{target}` lea"))),
                "{found:?}"
            );
        }
    }
}
