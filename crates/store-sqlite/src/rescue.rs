//! Saving what is still readable through the open handle after the data file lost its name.
//!
//! The copy goes to `<data file>.rescued-<unix seconds>`, beside where the data file was. If that folder has gone too, it
//! is not made again (whoever removed it may be restoring a backup into it, or have unmounted its disk): the copy goes
//! into the nearest folder above that is still there.

use crate::{identity::with_suffix, open::private_file};
use rusqlite::{Connection, OpenFlags, backup::Backup};
use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

/// How often saving is tried. A full disk may have room a while later; more attempts would only fill the log.
pub(crate) const RESCUE_ATTEMPTS_MAX: u32 = 3;

/// Pages between two looks at whether the source changed; the writer itself copies, so it never does.
const PAGES_PER_STEP: i32 = 1_024;

#[derive(Debug, thiserror::Error)]
pub(crate) enum RescueError {
    #[error("no folder to save into was left above `{}`", .0.display())]
    NoFolder(PathBuf),
    #[error("`{}`: {reason}", .0.display(), reason = .1)]
    File(PathBuf, #[source] io::Error),
    #[error("`{}`: {reason}", .0.display(), reason = .1)]
    Copy(PathBuf, #[source] rusqlite::Error),
}

/// Copies the database that `source` has open; the path of the copy.
pub(crate) fn rescue(source: &Connection, lost: &Path, unix_seconds: i64) -> Result<PathBuf, RescueError> {
    let target = target(lost, unix_seconds)?;
    // Under another name until it is whole, so that a half copy is never taken for the database.
    let partial = with_suffix(&target, ".partial");
    let copied = copy(source, &partial).and_then(|()| {
        let sync = || fs::File::open(&partial)?.sync_all();
        sync().and_then(|()| fs::rename(&partial, &target)).map_err(|error| RescueError::File(target.clone(), error))
    });
    if copied.is_err() {
        drop(fs::remove_file(&partial));
    }
    copied.map(|()| target)
}

fn target(lost: &Path, unix_seconds: i64) -> Result<PathBuf, RescueError> {
    let none = || RescueError::NoFolder(lost.to_owned());
    let name = lost.file_name().ok_or_else(none)?;
    let folder = lost.ancestors().skip(1).find(|folder| folder.is_dir()).ok_or_else(none)?;
    Ok(with_suffix(&folder.join(name), &format!(".rescued-{unix_seconds}")))
}

fn copy(source: &Connection, partial: &Path) -> Result<(), RescueError> {
    private_file(partial).map_err(|error| RescueError::File(partial.to_owned(), error))?;
    let copy = || {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut copy = Connection::open_with_flags(partial, flags)?;
        Backup::new(source, &mut copy)?.run_to_completion(PAGES_PER_STEP, Duration::ZERO, None)?;
        copy.close().map_err(|(_, error)| error)
    };
    copy().map_err(|error| RescueError::Copy(partial.to_owned(), error))
}
