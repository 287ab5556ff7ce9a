-- Whether people made their account themselves: such ones that were never used
-- again make room for others.

-- +goose Up
ALTER TABLE users ADD COLUMN registered INTEGER NOT NULL DEFAULT 0; -- 1: by registration

-- +goose Down
ALTER TABLE users DROP COLUMN registered;
