-- Whether an operator did it: what others did must not push out that.

-- +goose Up
ALTER TABLE actions ADD COLUMN operator INTEGER NOT NULL DEFAULT 0; -- 1: an operator's entry
UPDATE actions SET operator = 1 WHERE NOT (failed = 1 AND user_name = ''); -- of before nobody knows, but for strangers'

-- +goose Down
ALTER TABLE actions DROP COLUMN operator;
