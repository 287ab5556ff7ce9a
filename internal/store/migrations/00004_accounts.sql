-- People: who may sign in, where they are signed in, and what they did. Times
-- are milliseconds since 1970 (0 = never).

-- +goose Up

CREATE TABLE users (
    id        TEXT    PRIMARY KEY, -- 32 hex digits
    name      TEXT    NOT NULL,
    email     TEXT    NOT NULL,
    provider  TEXT    NOT NULL, -- local, clerk or the name of an OpenID Connect provider
    subject   TEXT    NOT NULL, -- the provider's name of the person; of local accounts the name in lower case
    role      TEXT    NOT NULL,
    password  TEXT    NOT NULL, -- argon2id in PHC form; '' for other providers
    disabled  INTEGER NOT NULL, -- 1: may not sign in
    created   INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    UNIQUE (provider, subject)
) STRICT;

CREATE TABLE sessions (
    token      BLOB    PRIMARY KEY, -- SHA-256 of the cookie's value
    id         TEXT    NOT NULL UNIQUE, -- what may be shown of it
    user_id    TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created    INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL,
    confirmed  INTEGER NOT NULL, -- when the password was last given
    user_agent TEXT    NOT NULL,
    address    TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_user_id ON sessions (user_id);

-- Changes with every change of users and every session that is revoked, so that
-- a running program notices what another one did to this file.
CREATE TABLE accounts_edition (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    edition INTEGER NOT NULL
) STRICT;
INSERT INTO accounts_edition (id, edition) VALUES (1, 1);

-- The audit trail.
CREATE TABLE actions (
    id        INTEGER PRIMARY KEY,
    at        INTEGER NOT NULL,
    user_id   TEXT    NOT NULL, -- '' when nobody was signed in; may be of somebody who was removed
    user_name TEXT    NOT NULL,
    address   TEXT    NOT NULL,
    name      TEXT    NOT NULL,
    target    TEXT    NOT NULL,
    detail    TEXT    NOT NULL,
    failed    INTEGER NOT NULL
) STRICT;
CREATE INDEX actions_at ON actions (at);

-- +goose Down
DROP TABLE actions;
DROP TABLE accounts_edition;
DROP TABLE sessions;
DROP TABLE users;
