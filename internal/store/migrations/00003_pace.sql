-- The hashrate that a worker last proved, so that one that comes back starts
-- at the right difficulty. It is of one connection, with a miner that called
-- itself pace_agent; pace_at is in milliseconds since 1970.

-- +goose Up
ALTER TABLE workers ADD COLUMN pace       REAL    NOT NULL DEFAULT 0;
ALTER TABLE workers ADD COLUMN pace_agent TEXT    NOT NULL DEFAULT '';
ALTER TABLE workers ADD COLUMN pace_at    INTEGER NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE workers DROP COLUMN pace_at;
ALTER TABLE workers DROP COLUMN pace_agent;
ALTER TABLE workers DROP COLUMN pace;
