-- Workers that people saved, and what makes some of them theirs. Times are
-- milliseconds since 1970 (0 = never). Workers are named in full: they need not
-- have been here yet.

-- +goose Up

CREATE TABLE saved_workers (
    user_id       TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    worker        TEXT    NOT NULL,
    notify        INTEGER NOT NULL, -- 1: the person wants to hear of it
    added         INTEGER NOT NULL,
    proven        INTEGER NOT NULL, -- by a code in its password
    claim         TEXT    NOT NULL, -- code of the proof under way, '' without
    claim_expires INTEGER NOT NULL,
    PRIMARY KEY (user_id, worker)
) STRICT, WITHOUT ROWID;

-- Addresses whose keys people proved to hold: all of their workers are theirs.
CREATE TABLE owned_addresses (
    user_id TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    address TEXT    NOT NULL,
    proven  INTEGER NOT NULL,
    PRIMARY KEY (user_id, address)
) STRICT, WITHOUT ROWID;

-- Difficulties that owners want.
CREATE TABLE worker_orders (
    worker     TEXT    PRIMARY KEY,
    difficulty REAL    NOT NULL,
    user_id    TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    at         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- When and where saved workers were seen; the one with the empty name is the
-- pool itself.
CREATE TABLE sightings (
    worker      TEXT    PRIMARY KEY,
    since       INTEGER NOT NULL,
    last_online INTEGER NOT NULL,
    home        TEXT    NOT NULL, -- CIDR, '' while it is not known
    home_at     INTEGER NOT NULL,
    minute      INTEGER NOT NULL, -- the last one of day, in minutes since 1970
    day         BLOB    NOT NULL  -- a bit for each minute of the last 24 hours
) STRICT, WITHOUT ROWID;

-- Whose workers are those of an address.
CREATE INDEX workers_address ON workers (address);

-- +goose Down
DROP INDEX workers_address;
DROP TABLE sightings;
DROP TABLE worker_orders;
DROP TABLE owned_addresses;
DROP TABLE saved_workers;
