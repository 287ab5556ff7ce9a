-- The books of the pool. Times are milliseconds since 1970 (0 = never), those
-- of history are seconds at the beginning of a period in UTC. Work is a sum of
-- assigned difficulties. Hashes are 32 bytes in the order of serialization.

-- +goose Up

-- Totals. The worker with the empty name is the pool. Rows are never deleted:
-- history refers to them.
CREATE TABLE workers (
    id              INTEGER PRIMARY KEY,
    name            TEXT    NOT NULL UNIQUE,
    address         TEXT    NOT NULL,
    user_agent      TEXT    NOT NULL,
    first_seen      INTEGER NOT NULL,
    last_seen       INTEGER NOT NULL,
    last_share      INTEGER NOT NULL,
    accepted        INTEGER NOT NULL,
    rejected        INTEGER NOT NULL,
    work            REAL    NOT NULL,
    rejected_work   REAL    NOT NULL,
    best_difficulty REAL    NOT NULL,
    best_at         INTEGER NOT NULL,
    best_hash       BLOB    NOT NULL
) STRICT;

CREATE TABLE worker_rejects (
    worker INTEGER NOT NULL REFERENCES workers (id),
    reason TEXT    NOT NULL, -- name in the reject table
    count  INTEGER NOT NULL,
    work   REAL    NOT NULL,
    PRIMARY KEY (worker, reason)
) STRICT, WITHOUT ROWID;

-- History. The time comes first in the key, so that all workers' new rows go
-- to the end of the table and old ones leave from its beginning.
CREATE TABLE minutes (
    at           INTEGER NOT NULL,
    worker       INTEGER NOT NULL REFERENCES workers (id),
    accepted     INTEGER NOT NULL,
    rejected     INTEGER NOT NULL,
    work         REAL    NOT NULL,
    best_share   REAL    NOT NULL,
    block_height INTEGER NOT NULL,
    PRIMARY KEY (at, worker)
) STRICT, WITHOUT ROWID;

CREATE TABLE hours (
    at           INTEGER NOT NULL,
    worker       INTEGER NOT NULL REFERENCES workers (id),
    accepted     INTEGER NOT NULL,
    rejected     INTEGER NOT NULL,
    work         REAL    NOT NULL,
    best_share   REAL    NOT NULL,
    block_height INTEGER NOT NULL,
    PRIMARY KEY (at, worker)
) STRICT, WITHOUT ROWID;

CREATE TABLE days (
    at           INTEGER NOT NULL,
    worker       INTEGER NOT NULL REFERENCES workers (id),
    accepted     INTEGER NOT NULL,
    rejected     INTEGER NOT NULL,
    work         REAL    NOT NULL,
    best_share   REAL    NOT NULL,
    block_height INTEGER NOT NULL,
    PRIMARY KEY (at, worker)
) STRICT, WITHOUT ROWID;

-- How far rolling up has come: every minute up to minutes_done is contained
-- in hours, every hour up to hours_done is contained in days.
CREATE TABLE rollup (
    id           INTEGER PRIMARY KEY CHECK (id = 1),
    minutes_done INTEGER NOT NULL,
    hours_done   INTEGER NOT NULL
) STRICT;
INSERT INTO rollup (id, minutes_done, hours_done) VALUES (1, -60, -3600);

CREATE TABLE best_shares (
    worker     TEXT    NOT NULL,
    hash       BLOB    NOT NULL,
    difficulty REAL    NOT NULL,
    at         INTEGER NOT NULL,
    PRIMARY KEY (worker, hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE blocks (
    hash               BLOB    PRIMARY KEY,
    height             INTEGER NOT NULL,
    worker             TEXT    NOT NULL,
    address            TEXT    NOT NULL,
    found_at           INTEGER NOT NULL,
    share_difficulty   REAL    NOT NULL,
    network_difficulty REAL    NOT NULL,
    value              INTEGER NOT NULL, -- satoshis, like the next three
    worker_payout      INTEGER NOT NULL,
    pool_fee           INTEGER NOT NULL,
    donation           INTEGER NOT NULL,
    job_id             TEXT    NOT NULL,
    state              TEXT    NOT NULL,
    confirmations      INTEGER NOT NULL,
    reason             TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX blocks_found_at ON blocks (found_at);

-- The last batch of each run of the pool, to recognize a repeated one.
CREATE TABLE sources (
    name TEXT    PRIMARY KEY,
    seq  INTEGER NOT NULL,
    at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE sources;
DROP TABLE blocks;
DROP TABLE best_shares;
DROP TABLE rollup;
DROP TABLE days;
DROP TABLE hours;
DROP TABLE minutes;
DROP TABLE worker_rejects;
DROP TABLE workers;
