-- Servers of the release before may go on writing while this is applied: what is added may be missing.
PRAGMA user_version = 3;

-- Programs with a name and a secret.
CREATE TABLE clients (
    id            TEXT    NOT NULL PRIMARY KEY,
    kind          TEXT    NOT NULL,
    secret_digest BLOB    NOT NULL CHECK (length(secret_digest) = 32),
    created_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A few words more about what happened.
ALTER TABLE events ADD COLUMN detail TEXT;
