//! Scripts for Node.js, beside the packages that they use.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::install::{self, Stamp};

/// Makes `copy` a copy of the folder `source` with its packages, of which `package` is one; gives Node.js.
///
/// A script finds its packages beside itself, and packages do not belong into the sources: so the scripts move.
pub(crate) fn fetch(source: &Path, copy: &Path, package: &str) -> anyhow::Result<PathBuf> {
    let node = install::program("node", &["nodejs", "npm"])?;
    fs::create_dir_all(copy)?;
    for entry in fs::read_dir(source).with_context(|| format!("reading {}", source.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            let name = entry.file_name();
            fs::copy(entry.path(), copy.join(&name)).with_context(|| format!("copying {}", entry.path().display()))?;
        }
    }
    let wanted = fs::read_to_string(copy.join("package-lock.json"))?;
    let stamp = Stamp { file: copy.join("installed.txt"), wanted: &wanted };
    if !(stamp.fits() && copy.join("node_modules").join(package).is_dir()) {
        let npm = install::program("npm", &["npm"])?;
        println!("Fetching {package} into {}", copy.display());
        let arguments = ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
        install::must_succeed(Command::new(npm).args(arguments).current_dir(copy))?;
        stamp.set()?;
    }
    Ok(node)
}
