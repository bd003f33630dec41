//! The data folder: made private, and held by one server at a time.

use std::{
    fs::{DirBuilder, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

/// Locked while a server runs; the lock goes with the process, however it ends.
const LOCK_FILE: &str = "counterfoil.lock";

/// Why the data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataFolderError {
    /// It cannot be made or written to.
    #[error("the data folder {path} cannot be used: {source}", path = .path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Another server has it.
    #[error("another server is running on the data folder {}: stop it, or choose another folder with --data", .0.display())]
    InUse(PathBuf),
}

/// A data folder that exists.
pub(crate) struct DataFolder {
    path: PathBuf,
    lock: Option<File>,
}

impl DataFolder {
    /// Makes the folder, readable by its owner only, if it is not there.
    pub(crate) fn open(path: &Path) -> Result<Self, DataFolderError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.and_then(|()| path.canonicalize())
            .map(|path| Self { path, lock: None })
            .map_err(|source| DataFolderError::Io { path: path.to_owned(), source })
    }

    /// Holds the folder for this process as long as the value lives.
    pub(crate) fn lock(mut self) -> Result<Self, DataFolderError> {
        let failed = |source| DataFolderError::Io { path: self.path.clone(), source };
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(self.path.join(LOCK_FILE));
        let file = file.map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(DataFolderError::InUse(self.path)),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        self.lock = Some(file);
        Ok(self)
    }

    /// Where it is, in full.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn it_is_private_and_held_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        let held = DataFolder::open(&path).unwrap().lock().unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        assert!(matches!(DataFolder::open(&path).unwrap().lock(), Err(DataFolderError::InUse(_))));
        assert!(DataFolder::open(&path).is_ok(), "commands that do not serve need no lock");
        drop(held);
        assert!(DataFolder::open(&path).unwrap().lock().is_ok());
    }
}
