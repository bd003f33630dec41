-- Instants are milliseconds since 1970-01-01T00:00:00Z; ids are the 16 bytes of a UUID of version 7.

-- "CFL1": tells our files from those of other programs.
PRAGMA application_id = 0x43464C31;
-- Every migration ends up raising this to its own number; a server refuses a file with a higher one than it knows.
PRAGMA user_version = 1;

-- Accounts and sessions are wide rows, so they are tables with a separate index of their ids: WITHOUT ROWID would put whole
-- rows into the inner nodes of the tree and make it two levels deeper. The narrow tables below do without.
CREATE TABLE accounts (
    id              BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    email           TEXT    NOT NULL,
    -- The form by which accounts are found: one account for an address, however it is spelled.
    email_canonical TEXT    NOT NULL UNIQUE,
    email_verified  INTEGER NOT NULL CHECK (email_verified IN (0, 1)),
    name            TEXT,
    -- A JSON array of texts.
    roles           TEXT    NOT NULL,
    generation      INTEGER NOT NULL,
    disabled_at     INTEGER,
    created_at      INTEGER NOT NULL,
    -- A PHC string.
    password_hash   TEXT
) STRICT;

-- Columns that a refresh writes are in no index, so that a refresh dirties one page.
CREATE TABLE sessions (
    id                 BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    account            BLOB    NOT NULL REFERENCES accounts (id),
    account_generation INTEGER NOT NULL,
    policy             TEXT    NOT NULL,
    client_id          TEXT    NOT NULL,
    scope              TEXT    NOT NULL,
    head               INTEGER NOT NULL,
    head_at            INTEGER NOT NULL,
    child              INTEGER NOT NULL,
    given              INTEGER NOT NULL,
    prev               INTEGER NOT NULL,
    device_name        TEXT,
    user_agent         TEXT,
    ip                 TEXT,
    authenticated_at   INTEGER NOT NULL,
    created_at         INTEGER NOT NULL,
    last_seen_at       INTEGER NOT NULL,
    idle_until         INTEGER NOT NULL,
    absolute_until     INTEGER NOT NULL,
    revoked_at         INTEGER
) STRICT;

CREATE INDEX sessions_of_account ON sessions (account) WHERE revoked_at IS NULL;
CREATE INDEX sessions_by_absolute_until ON sessions (absolute_until);

-- No reference to accounts: the log outlives what it tells of.
CREATE TABLE events (
    account BLOB    NOT NULL CHECK (length(account) = 16),
    at      INTEGER NOT NULL,
    id      BLOB    NOT NULL CHECK (length(id) = 16),
    kind    TEXT    NOT NULL,
    session BLOB,
    ip      TEXT,
    PRIMARY KEY (account, at, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX events_by_time ON events (at);

CREATE TABLE feed (
    seq      INTEGER NOT NULL PRIMARY KEY,
    epoch    INTEGER NOT NULL,
    id       BLOB    NOT NULL CHECK (length(id) = 16),
    at       INTEGER NOT NULL,
    drop_at  INTEGER NOT NULL,
    kind     TEXT    NOT NULL,
    key      TEXT    NOT NULL,
    argument INTEGER NOT NULL,
    chain    BLOB    NOT NULL CHECK (length(chain) = 16)
) STRICT;

CREATE INDEX feed_by_drop_at ON feed (drop_at);

-- One row: where the feed stands. It outlives the entries, which are dropped in time.
CREATE TABLE feed_head (
    only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    epoch    INTEGER NOT NULL,
    seq      INTEGER NOT NULL,
    chain    BLOB    NOT NULL CHECK (length(chain) = 16)
) STRICT;

-- One row: the longest life that access tokens were ever given, in milliseconds. It only rises.
CREATE TABLE longest_token_lifetime (
    only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    millis   INTEGER NOT NULL
) STRICT;

-- The secret part is sealed under a key that is never in this file.
CREATE TABLE keys (
    key_use    TEXT    NOT NULL,
    kid        TEXT    NOT NULL,
    algorithm  TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    sealed     BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (key_use, kid)
) STRICT, WITHOUT ROWID;

-- One row: when the store was last found able to write.
CREATE TABLE heartbeat (
    only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    at       INTEGER NOT NULL
) STRICT;
