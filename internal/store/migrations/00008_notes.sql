-- Operators' notes on workers. Times are milliseconds since 1970.

-- +goose Up
CREATE TABLE notes (
    worker TEXT    PRIMARY KEY, -- SHA-256 of the worker's full name, in hex
    note   TEXT    NOT NULL,
    at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE notes;
