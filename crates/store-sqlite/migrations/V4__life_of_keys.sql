-- Servers of the release before may go on writing while this is applied: what is added may be missing.
PRAGMA user_version = 4;

-- Missing for a key that a release before stored: since it was made.
ALTER TABLE keys ADD COLUMN state_since INTEGER;
-- The public part of a key pair, sealed too; empty for others.
ALTER TABLE keys ADD COLUMN sealed_public BLOB;
-- The place of its announcement in the feed; both or neither.
ALTER TABLE keys ADD COLUMN announced_epoch INTEGER;
ALTER TABLE keys ADD COLUMN announced_seq INTEGER;
-- In milliseconds: the longest life of the tokens it signs, and of copies of the public keys while it is the active one.
ALTER TABLE keys ADD COLUMN token_lifetime INTEGER;
ALTER TABLE keys ADD COLUMN cache_lifetime INTEGER;
