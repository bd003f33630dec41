//! The data folder: made private, and held by one server at a time.

use rustix::{fs::OFlags, process::geteuid};
use std::{
    fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// Locked while a server runs; the lock goes with the process, however it ends.
const LOCK_FILE: &str = "counterfoil.lock";

/// Opens the file itself or nothing: a symbolic link in its place is not followed.
pub(crate) const NO_LINK: i32 = OFlags::NOFOLLOW.bits().cast_signed();

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
    /// It is another user's, who could put other files in the place of ours.
    #[error(
        "the data folder {path} belongs to another user (uid {owner}, and this is uid {user}): run this as that user, or \
         choose a folder of one's own with --data; one inside it will do",
        path = .path.display()
    )]
    OfAnotherUser {
        /// The folder.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who we are.
        user: u32,
    },
    /// Others could put other files in the place of ours.
    #[error(
        "others may write to the data folder {path}, and so put a master key or accounts of theirs in it: run \
         `chmod go-w {path}`",
        path = .0.display()
    )]
    WritableByOthers(PathBuf),
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
    /// Makes the folder, readable by its owner only, if it is not there. One that is there must be ours alone to write
    /// to: whoever can write to it can take the files away that are in it, whatever their own modes are, and lay others
    /// in their place.
    pub(crate) fn open(path: &Path) -> Result<Self, DataFolderError> {
        let failed = |source| DataFolderError::Io { path: path.to_owned(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
        let path = judge_folder(path)?;
        Ok(Self { path, lock: None })
    }

    /// Holds the folder for this process as long as the value lives.
    pub(crate) fn lock(mut self) -> Result<Self, DataFolderError> {
        let failed = |source| DataFolderError::Io { path: self.path.clone(), source };
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600).custom_flags(NO_LINK);
        let file = options.open(self.path.join(LOCK_FILE)).map_err(failed)?;
        // Whoever can read it can hold it.
        file.set_permissions(Permissions::from_mode(0o600)).map_err(failed)?;
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

/// The folder's full path, if it is ours alone to write to.
pub(crate) fn judge_folder(path: &Path) -> Result<PathBuf, DataFolderError> {
    let failed = |source| DataFolderError::Io { path: path.to_owned(), source };
    let path = path.canonicalize().map_err(failed)?;
    let metadata = path.metadata().map_err(failed)?;
    judge(metadata.uid(), metadata.mode(), geteuid().as_raw(), &path)?;
    Ok(path)
}

fn judge(owner: u32, mode: u32, user: u32, path: &Path) -> Result<(), DataFolderError> {
    if owner != user {
        return Err(DataFolderError::OfAnotherUser { path: path.to_owned(), owner, user });
    }
    if mode & 0o022 != 0 {
        return Err(DataFolderError::WritableByOthers(path.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, StartError, startup::open_store, system::SystemClock};
    use std::os::unix::fs::symlink;

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

    #[test]
    fn only_a_folder_that_is_ours_alone_to_write_to_is_used() {
        use DataFolderError::{OfAnotherUser, WritableByOthers};
        let path = Path::new("/data");
        for mode in [0o700, 0o750, 0o755, 0o40_700] {
            assert!(judge(7, mode, 7, path).is_ok(), "{mode:o}");
        }
        for mode in [0o770, 0o702, 0o777, 0o1_777] {
            assert!(matches!(judge(7, mode, 7, path), Err(WritableByOthers(_))), "{mode:o}");
        }
        // Not even root, whose files there the other could not read, takes another's.
        for (owner, user) in [(8, 7), (0, 7), (7, 0)] {
            assert!(matches!(judge(owner, 0o700, user, path), Err(OfAnotherUser { .. })), "{owner} {user}");
        }
    }

    #[test]
    fn a_folder_that_others_may_write_to_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o775)).unwrap();
        let refused = DataFolder::open(folder.path()).err().unwrap().to_string();
        assert!(
            refused.contains(&format!("chmod go-w {}", folder.path().canonicalize().unwrap().display())),
            "{refused}"
        );
    }

    #[test]
    fn the_lock_is_a_private_file_and_no_link() {
        let folder = tempfile::tempdir().unwrap();
        let lock = folder.path().join(LOCK_FILE);
        std::fs::write(&lock, "").unwrap();
        std::fs::set_permissions(&lock, Permissions::from_mode(0o644)).unwrap();
        drop(DataFolder::open(folder.path()).unwrap().lock().unwrap());
        assert_eq!(std::fs::metadata(&lock).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::remove_file(&lock).unwrap();
        symlink(folder.path().join("elsewhere"), &lock).unwrap();
        assert!(matches!(DataFolder::open(folder.path()).unwrap().lock(), Err(DataFolderError::Io { .. })));
        assert!(!folder.path().join("elsewhere").exists());
    }

    #[test]
    fn the_folder_of_a_store_elsewhere_is_judged_too() {
        let (data, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let store = Some(format!("sqlite:{}", elsewhere.path().join("s.sqlite").display()));
        let config = Config { data: data.path().join("data"), store, ..Config::default() };
        let open = || open_store(&config, std::sync::Arc::new(SystemClock)).err();
        assert!(open().is_none());
        std::fs::set_permissions(elsewhere.path(), Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(open(), Some(StartError::DataFolder(DataFolderError::WritableByOthers(_)))));
    }
}
