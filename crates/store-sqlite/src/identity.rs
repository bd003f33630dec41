//! Is the file at the path still the file we write into?
//!
//! SQLite goes on writing into a file that was deleted or replaced under it: everything looks well, and all of it is lost
//! when the process ends. So the writer compares before a batch and again before the batch's answers. The companions
//! `-wal` and `-shm` count as well: without the first a crash loses what was acknowledged, without the second another
//! process would write into the same log unseen.

use std::{
    ffi::OsString,
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// Device and inode: equal for as long as it is the same file.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    fn of(path: &Path) -> io::Result<Self> {
        fs::metadata(path).map(|metadata| Self { device: metadata.dev(), inode: metadata.ino() })
    }
}

/// The data file and its companions, as they were when opened.
pub(crate) struct DataFile {
    path: PathBuf,
    watched: Vec<(PathBuf, Identity)>,
}

/// The path does not lead to the open file any more.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Lost {
    /// Nothing is there.
    #[error("`{}` was deleted while the server runs", .0.display())]
    Deleted(PathBuf),
    /// Another file is there.
    #[error("`{}` was replaced by another file while the server runs", .0.display())]
    Replaced(PathBuf),
    /// We cannot tell.
    #[error("`{}` cannot be looked at any more: {reason}", .0.display(), reason = .1)]
    Hidden(PathBuf, #[source] io::Error),
}

impl Lost {
    /// Whether the open file is known to have lost its name, so that what is in it must be saved.
    pub(crate) const fn needs_rescue(&self) -> bool {
        matches!(self, Self::Deleted(_) | Self::Replaced(_))
    }
}

impl DataFile {
    /// Remembers the files at `path`, which SQLite has open.
    ///
    /// # Errors
    /// When one of them cannot be looked at.
    pub(crate) fn remember(path: &Path) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        // SQLite puts the companions beside the file that a symbolic link leads to.
        let real = fs::canonicalize(&path)?;
        let paths = [path.clone(), with_suffix(&real, "-wal"), with_suffix(&real, "-shm")];
        let watched = paths.into_iter().map(|path| Identity::of(&path).map(|identity| (path, identity)));
        Ok(Self { path, watched: watched.collect::<io::Result<_>>()? })
    }

    /// The data file by itself, for those who only read.
    pub(crate) fn place(&self) -> Place {
        Place(self.watched.first().cloned())
    }

    /// Where the data file was opened.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Compares with what is there now.
    pub(crate) fn check(&self) -> Result<(), Lost> {
        for (path, remembered) in &self.watched {
            match Identity::of(path) {
                Ok(found) if found == *remembered => {}
                Ok(_) => return Err(Lost::Replaced(path.clone())),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Lost::Deleted(path.clone())),
                Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Err(Lost::Deleted(path.clone())),
                Err(error) => return Err(Lost::Hidden(path.clone(), error)),
            }
        }
        Ok(())
    }
}

/// Where a reader's data file is.
///
/// A file that was replaced is still readable by those who have it open, and what it says holds no more: a session that was
/// ended in the new file would live in the old one for ever. One that was only deleted is the newest there is.
#[derive(Clone)]
pub(crate) struct Place(Option<(PathBuf, Identity)>);

impl Place {
    /// Whether another file stands where this one was opened.
    pub(crate) fn is_taken(&self) -> bool {
        self.0.as_ref().is_some_and(|(path, remembered)| Identity::of(path).is_ok_and(|found| found != *remembered))
    }
}

/// The path with something appended to its file name.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}
