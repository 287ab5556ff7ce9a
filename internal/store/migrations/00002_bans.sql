-- Bans of blocks of addresses: those in force, and those that are remembered
-- since the next one will be longer. Times are milliseconds since 1970; an
-- until of 0 means until somebody lifts it.

-- +goose Up
CREATE TABLE bans (
    block  TEXT    PRIMARY KEY, -- CIDR
    since  INTEGER NOT NULL,
    until  INTEGER NOT NULL,
    level  INTEGER NOT NULL,
    reason TEXT    NOT NULL,
    manual INTEGER NOT NULL -- 1 when a person made it
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE bans;
