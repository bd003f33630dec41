-- Servers of the release before may go on writing while this is applied: what is added has a default, or may be missing.
PRAGMA user_version = 2;

-- A JSON object.
ALTER TABLE accounts ADD COLUMN attributes TEXT NOT NULL DEFAULT '{}';
ALTER TABLE accounts ADD COLUMN password_changed_at INTEGER;

-- The digest of the opaque secret by which the session is found, of those that have one.
ALTER TABLE sessions ADD COLUMN secret_digest BLOB CHECK (secret_digest IS NULL OR length(secret_digest) = 32);
CREATE UNIQUE INDEX sessions_by_secret_digest ON sessions (secret_digest) WHERE secret_digest IS NOT NULL;

-- Deleting an account asks for every session of it, ended or not: once to delete them, and once for the reference, which
-- without an index of all of them reads the whole table. It serves the list of the living as the partial one did.
DROP INDEX sessions_of_account;
CREATE INDEX sessions_of_account ON sessions (account, revoked_at);

-- At most one row: sessions that were created up to then are ended, whatever their rows say. It only rises.
CREATE TABLE session_cutoff (
    only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    cutoff   INTEGER NOT NULL
) STRICT;
