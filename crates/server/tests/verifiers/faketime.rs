//! A process whose wall clock is set while it runs: `libfaketime` (Debian: `faketime`) between it and the system. Only the
//! wall clock: the one that nobody can set stays right, as on a real machine.

use anyhow::{Context, bail};
use std::{
    fs,
    path::{Path, PathBuf},
};

const FOLDERS: [&str; 3] =
    ["/usr/lib/x86_64-linux-gnu/faketime", "/usr/lib/aarch64-linux-gnu/faketime", "/usr/lib/faketime"];
const LIBRARY: &str = "libfaketime.so.1";

/// The clock of a process.
pub(crate) struct WallClock {
    library: PathBuf,
    file: PathBuf,
}

impl WallClock {
    /// One that is right, kept in `folder` under this name.
    pub(crate) fn new(folder: &Path, name: &str) -> anyhow::Result<Self> {
        let library = FOLDERS.iter().map(|folder| Path::new(folder).join(LIBRARY)).find(|path| path.is_file());
        let Some(library) = library else { bail!("no {LIBRARY}: install the package `faketime`") };
        let clock = Self { library, file: folder.join(name) };
        clock.set(0)?;
        Ok(clock)
    }

    /// What a process needs in its environment to have this clock.
    pub(crate) fn environment(&self) -> anyhow::Result<[(&'static str, &str); 4]> {
        fn text(path: &Path) -> anyhow::Result<&str> {
            path.to_str().context("a path that is no text")
        }
        Ok([
            ("LD_PRELOAD", text(&self.library)?),
            ("FAKETIME_TIMESTAMP_FILE", text(&self.file)?),
            ("FAKETIME_NO_CACHE", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ])
    }

    /// Sets it so many seconds ahead of the truth, or behind it.
    pub(crate) fn set(&self, ahead_seconds: i64) -> anyhow::Result<()> {
        // In one step: whoever reads it finds the old text or the new one.
        let next = self.file.with_extension("next");
        fs::write(&next, format!("{ahead_seconds:+}\n"))?;
        Ok(fs::rename(next, &self.file)?)
    }
}
