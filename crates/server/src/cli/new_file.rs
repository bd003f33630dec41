//! Files with keys: made anew, and private ones private from their first moment on.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Readable and writable by the owner, and by nobody else.
pub(super) const PRIVATE_MODE: u32 = 0o600;
/// Readable by everybody.
pub(super) const PUBLIC_MODE: u32 = 0o644;

/// Writes a text and a line ending. Never over an existing file: it might be the only copy of another key.
pub(super) fn write_new(path: &Path, mode: u32, text: &str) -> io::Result<()> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    let mut file = opened.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => io::Error::new(
            error.kind(),
            "this file exists already, and might hold the only copy of a key: choose another name, or move it away",
        ),
        _ => error,
    })?;
    file.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        file.write_all(b"\n")?;
    }
    file.sync_all()
}
