-- Alerts: where messages go, what is worth one, what was noticed, and what is
-- still to be delivered. Times are milliseconds since 1970 (0 = never), lists
-- and settings are JSON.

-- +goose Up

CREATE TABLE alert_channels (
    id          TEXT    PRIMARY KEY,
    user_id     TEXT    NOT NULL, -- '' for the operator without an account
    kind        TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    enabled     INTEGER NOT NULL,
    settings    TEXT    NOT NULL, -- secrets included
    quiet       TEXT    NOT NULL,
    confirmed   INTEGER NOT NULL,
    code        TEXT    NOT NULL, -- SHA-256 in hex of the code that confirms; '' without
    code_until  INTEGER NOT NULL,
    code_tries  INTEGER NOT NULL,
    created     INTEGER NOT NULL,
    last_sent   INTEGER NOT NULL,
    last_error  TEXT    NOT NULL,
    error_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE alert_rules (
    id             TEXT    PRIMARY KEY,
    user_id        TEXT    NOT NULL,
    name           TEXT    NOT NULL,
    enabled        INTEGER NOT NULL,
    kinds          TEXT    NOT NULL,
    scope          TEXT    NOT NULL,
    workers        TEXT    NOT NULL,
    alarms         TEXT    NOT NULL,
    channels       TEXT    NOT NULL,
    offline_after  INTEGER NOT NULL, -- milliseconds, like reject_window
    reject_percent REAL    NOT NULL,
    reject_window  INTEGER NOT NULL,
    reject_shares  INTEGER NOT NULL,
    min_difficulty REAL    NOT NULL,
    created        INTEGER NOT NULL
) STRICT;

-- What was noticed, so that it is not noticed again after a restart.
CREATE TABLE alert_noticed (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE alert_outbox (
    id       INTEGER PRIMARY KEY,
    key      TEXT    NOT NULL UNIQUE, -- one event for one channel
    channel  TEXT    NOT NULL,
    user_id  TEXT    NOT NULL,
    event    TEXT    NOT NULL,
    state    TEXT    NOT NULL,
    batch    TEXT    NOT NULL, -- id of the message that it is part of
    attempts INTEGER NOT NULL,
    next_try INTEGER NOT NULL,
    error    TEXT    NOT NULL,
    created  INTEGER NOT NULL,
    updated  INTEGER NOT NULL
) STRICT;
CREATE INDEX alert_outbox_state ON alert_outbox (state, id);
CREATE INDEX alert_outbox_user ON alert_outbox (user_id, id);

-- +goose Down
DROP TABLE alert_outbox;
DROP TABLE alert_noticed;
DROP TABLE alert_rules;
DROP TABLE alert_channels;
