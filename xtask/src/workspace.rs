//! Where things are, as cargo sees it.

use std::env;
use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;

use crate::process;

/// The workspace on this machine.
pub(crate) struct Workspace {
    /// Where the root `Cargo.toml` lies.
    pub(crate) root: PathBuf,
    /// Where builds go, and everything else that may be deleted.
    pub(crate) target: PathBuf,
}

impl Workspace {
    /// Asks cargo.
    pub(crate) fn find() -> anyhow::Result<Self> {
        let mut command = cargo();
        // Cargo tells us where our own manifest is: the errand works from any folder.
        command.args(["metadata", "--no-deps", "--format-version", "1"]);
        if let Some(own_folder) = env::var_os("CARGO_MANIFEST_DIR") {
            command.arg("--manifest-path").arg(Path::new(&own_folder).join("Cargo.toml"));
        }
        let said = process::ask(&mut command, "", Duration::from_mins(2))?;
        if !said.status.success() {
            bail!("cargo metadata failed: {}", said.stderr);
        }
        let metadata: Value = serde_json::from_str(&said.stdout).context("reading cargo metadata")?;
        let path = |name: &str| {
            metadata
                .get(name)
                .and_then(Value::as_str)
                .map(PathBuf::from)
                .with_context(|| format!("no {name} in cargo metadata"))
        };
        Ok(Self { root: path("workspace_root")?, target: path("target_directory")? })
    }

    /// An empty folder below `target`, for what a step leaves behind for whoever wants to look.
    pub(crate) fn empty_folder(&self, below_target: &str) -> anyhow::Result<PathBuf> {
        let folder = self.target.join(below_target);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// Cargo, in the root.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = cargo();
        command.current_dir(&self.root);
        command
    }
}

/// The cargo that started us, without what it told us about ourselves.
fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // `cargo run` describes *this* crate in the environment. Build scripts that watch those variables would see them
    // come and go, and rebuild the world at every other command.
    for (name, _) in env::vars_os() {
        let own = name.to_str().is_some_and(|name| {
            ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"]
                .iter()
                .any(|prefix| name.starts_with(prefix))
        });
        if own {
            command.env_remove(name);
        }
    }
    if io::stdout().is_terminal() {
        command.env("CARGO_TERM_COLOR", "always"); // cargo sees a pipe, the person behind it a terminal
    }
    command
}
