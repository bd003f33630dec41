//! Opening the data file.

use crate::{
    SqliteStore,
    fault::Fault,
    feed,
    identity::DataFile,
    migrations,
    readers::Readers,
    statistics::Counters,
    writer::{Writer, WriterParts},
};
use counterfoil_domain::time::Clock;
use rusqlite::{Connection, ErrorCode, OpenFlags, config::DbConfig};
use rustix::{fs::OFlags, io::Errno};
use std::{
    fs, io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

/// How long a call waits for another process that writes to the same file, such as an operator's command.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// How often a file is tried that another process is just making.
const OPEN_ATTEMPTS_MAX: u32 = 40;
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(50);

/// The page cache of the writer. The operating system caches the file anyway; this one saves the copies of hot pages.
const WRITER_CACHE_KIB: i64 = 4_096;
/// The page cache of each reader.
const READER_CACHE_KIB: i64 = 1_024;

/// Pages in the log after which a commit moves them into the data file.
const CHECKPOINT_PAGES: i64 = 4_000;
/// The log is cut to this after a checkpoint, so that one large transaction does not keep its disk space for ever.
const LOG_BYTES_MAX: i64 = 64 * 1_024 * 1_024;

const PREPARED_STATEMENTS_MAX: usize = 64;

/// How a store is opened. The defaults are for a server on its own machine.
#[derive(Clone)]
pub struct SqliteOptions {
    /// The data file; made if it is missing, readable by its owner only. SQLite keeps `-wal` and `-shm` beside it.
    pub path: PathBuf,
    /// What the rules are told the time is.
    pub clock: Arc<dyn Clock>,
    /// The most calls that may wait for the writer; more are [`Overloaded`](counterfoil_domain::store::StoreError).
    pub waiting_writes_max: usize,
    /// The most calls that may wait for a reader.
    pub waiting_reads_max: usize,
    /// Threads that read, each with its own connection.
    pub readers: usize,
}

impl SqliteOptions {
    /// The defaults for this file and clock.
    pub fn new(path: impl Into<PathBuf>, clock: Arc<dyn Clock>) -> Self {
        Self { path: path.into(), clock, waiting_writes_max: 4_096, waiting_reads_max: 4_096, readers: 2 }
    }
}

/// Why a data file cannot be used, in words for whoever starts the server.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file could not be opened or made.
    #[error("cannot open the data file `{}`: {source}", path.display())]
    File {
        /// The data file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A symbolic link is in its place.
    #[error(
        "`{}` is a symbolic link, which is not followed: whoever can change it would choose where passwords are kept; name \
         the file that it leads to",
        path.display()
    )]
    Link {
        /// The link.
        path: PathBuf,
    },
    /// The file or its folder may not be written to.
    #[error(
        "cannot write to the data file `{}` or its folder ({source}); SQLite keeps two files beside it, ending in -wal \
         and -shm, so the server needs to write to both",
        path.display()
    )]
    NotWritable {
        /// The data file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// There is a file, and it is no SQLite database. It was not touched.
    #[error("`{}` is not a SQLite database; it was left as it is", path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// There is a database, and it is of another program. It was not touched.
    #[error("`{}` is a SQLite database of another program; it was left as it is", path.display())]
    OtherProgram {
        /// The file.
        path: PathBuf,
    },
    /// A newer version of this server has written the file.
    #[error(
        "`{}` was written by a newer version of this program (schema {found}, this one knows up to {known}); start that \
         version, or restore a backup made before the update",
        path.display()
    )]
    NewerSchema {
        /// The data file.
        path: PathBuf,
        /// The schema of the file.
        found: i64,
        /// The newest schema this version knows.
        known: i64,
    },
    /// The schema could not be brought up to date; the file is as it was before.
    #[error("cannot bring the schema of `{}` up to date: {source}", path.display())]
    Migration {
        /// The data file.
        path: PathBuf,
        /// What went wrong.
        source: Box<refinery::Error>,
    },
    /// Another process kept the file locked for seconds.
    #[error("another process keeps the data file `{}` locked", path.display())]
    Busy {
        /// The data file.
        path: PathBuf,
    },
    /// SQLite refused for another reason.
    #[error("cannot use the data file `{}`: {reason}", path.display())]
    Sqlite {
        /// The data file.
        path: PathBuf,
        /// What went wrong.
        reason: String,
    },
}

impl OpenError {
    pub(crate) fn from_sqlite(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy { path },
            Some(ErrorCode::NotADatabase) => Self::NotADatabase { path },
            Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                Self::NotWritable { path, source }
            }
            _ => Self::Sqlite { path, reason: source.to_string() },
        }
    }
}

impl SqliteStore {
    /// Opens the data file, makes it if it is missing, brings its schema up to date, and starts the store's threads.
    ///
    /// It blocks, and so does dropping the store: it waits for the calls already queued and then closes the file.
    ///
    /// # Errors
    /// [`OpenError`]. A file that is not ours, or newer than this version, is left as it is.
    pub fn open(options: SqliteOptions) -> Result<Self, OpenError> {
        let SqliteOptions { path, clock, waiting_writes_max, waiting_reads_max, readers } = options;
        let in_file = |source| OpenError::File { path: path.clone(), source };
        let in_sqlite = |source| OpenError::from_sqlite(&path, source);

        // An absolute path, so that neither `:memory:` nor a later change of folder means anything.
        let absolute = std::path::absolute(&path).map_err(in_file)?;
        let real = without_links(&absolute).map_err(in_file)?;
        private_file(&real).map_err(|source| match source.raw_os_error() {
            Some(code) if code == Errno::LOOP.raw_os_error() => OpenError::Link { path: path.clone() },
            _ => in_file(source),
        })?;
        let connection = patiently(|| prepare(&real, &path, &*clock))?;

        let connect_reader = || -> rusqlite::Result<Connection> {
            let connection = connect(&real)?;
            set_up_reader(&connection)?;
            Ok(connection)
        };
        let reading: Vec<_> =
            (0..readers.max(1)).map(|_| connect_reader()).collect::<Result<_, _>>().map_err(in_sqlite)?;
        let file = DataFile::remember(&absolute).map_err(in_file)?;

        let counters = Arc::new(Counters::default());
        let place = file.place();
        let readers = Readers::start(reading, &place, waiting_reads_max).map_err(in_file)?;
        let parts = WriterParts { connection, file, clock: Arc::clone(&clock), counters: Arc::clone(&counters) };
        let writer = Writer::start(parts, waiting_writes_max).map_err(in_file)?;
        Ok(Self { readers, writer, clock, counters })
    }
}

/// The writer's connection to a file that is ours and up to date.
fn prepare(absolute: &Path, path: &Path, clock: &dyn Clock) -> Result<Connection, OpenError> {
    let in_sqlite = |source| OpenError::from_sqlite(path, source);
    let mut connection = connect(absolute).map_err(in_sqlite)?;
    migrations::refuse_what_is_not_ours(&mut connection, path)?;
    set_up_writer(&connection).map_err(in_sqlite)?;
    migrations::bring_up_to_date(&mut connection, path)?;
    feed::begin(&connection, clock.now()).map_err(|fault| match fault {
        Fault::Sqlite(error) => in_sqlite(error),
        other => OpenError::Sqlite { path: path.to_owned(), reason: other.to_string() },
    })?;
    Ok(connection)
}

/// Two processes that open a new file at once get in each other's way, and SQLite's own timeout does not cover all of
/// it (the change to WAL mode is one such place): the one that comes second looks again.
fn patiently<T>(open: impl Fn() -> Result<T, OpenError>) -> Result<T, OpenError> {
    let mut attempts = 1;
    loop {
        match open() {
            Err(OpenError::Busy { .. } | OpenError::Migration { .. }) if attempts < OPEN_ATTEMPTS_MAX => {
                attempts += 1;
                thread::sleep(BETWEEN_ATTEMPTS);
            }
            done => return done,
        }
    }
}

/// The same path with no link on the way to its folder; the last part stays as it is.
fn without_links(absolute: &Path) -> io::Result<PathBuf> {
    match (absolute.parent(), absolute.file_name()) {
        (Some(folder), Some(name)) => Ok(folder.canonicalize()?.join(name)),
        _ => Err(io::ErrorKind::IsADirectory.into()),
    }
}

/// Makes the file if it is missing, for its owner's eyes only: it holds password hashes. SQLite gives the companions
/// the same permissions. A link in its place is not followed.
pub(crate) fn private_file(path: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options.custom_flags(OFlags::NOFOLLOW.bits().cast_signed()).open(path).map(drop)
}

pub(crate) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    // Neither CREATE (the file is there, and when it has just gone we want to hear of it) nor URI names, nor links.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NOFOLLOW)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(PREPARED_STATEMENTS_MAX);
    Ok(connection)
}

fn set_up_writer(connection: &Connection) -> rusqlite::Result<()> {
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        return Err(rusqlite::Error::InvalidParameterName(format!("the file system does not allow WAL mode ({mode})")));
    }
    // Each commit waits for the disk: what was answered survives a power cut. Group commit pays for it.
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES_MAX)?;
    set_up_both(connection, WRITER_CACHE_KIB)
}

fn set_up_reader(connection: &Connection) -> rusqlite::Result<()> {
    set_up_both(connection, READER_CACHE_KIB)?;
    connection.pragma_update(None, "query_only", true)?;
    // The writer closes last and alone, and knows whether the file is still its own.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(())
}

fn set_up_both(connection: &Connection, cache_kib: i64) -> rusqlite::Result<()> {
    // Plans that do not depend on what is bound. Otherwise SQLite compiles the look-up of a refresh anew at every call,
    // in case another id would be served better by another index: that was half of a refresh's time.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // A negative size is in KiB.
    connection.pragma_update(None, "cache_size", -cache_kib)?;
    // Reading through a mapping would turn an I/O error into a signal that ends the process.
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)
}
