-- Accounts at Discord that people linked, and the codes that link them. Times
-- are milliseconds since 1970.

-- +goose Up

CREATE TABLE discord_links (
    user_id      TEXT    PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    discord_id   TEXT    NOT NULL UNIQUE,
    discord_name TEXT    NOT NULL,
    enabled      INTEGER NOT NULL, -- 1: notifications are wanted there
    linked       INTEGER NOT NULL,
    updated      INTEGER NOT NULL
) STRICT;

CREATE TABLE link_codes (
    user_id TEXT    PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    code    BLOB    NOT NULL UNIQUE, -- a hash
    expires INTEGER NOT NULL
) STRICT;

-- What codes of this installation begin with.
CREATE TABLE link_tag (
    id  INTEGER PRIMARY KEY CHECK (id = 1),
    tag TEXT    NOT NULL
) STRICT;

-- +goose Down
DROP TABLE link_tag;
DROP TABLE link_codes;
DROP TABLE discord_links;
