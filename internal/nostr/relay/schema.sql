CREATE TABLE events (
	seq        INTEGER PRIMARY KEY AUTOINCREMENT, -- order of arrival
	id         TEXT NOT NULL UNIQUE,
	author     TEXT NOT NULL,
	kind       INTEGER NOT NULL,
	created_at INTEGER NOT NULL, -- seconds since 1970
	slot       BLOB UNIQUE,      -- of a replaceable or addressable event
	expires    INTEGER,          -- seconds since 1970 (NIP-40)
	json       BLOB NOT NULL
);
CREATE INDEX events_by_time ON events (created_at DESC, id);
CREATE INDEX events_by_expiry ON events (expires) WHERE expires IS NOT NULL;

-- Tags of one letter, which filters ask for. Values are bytes: any UTF-8.
CREATE TABLE tags (
	name  TEXT NOT NULL,
	value BLOB NOT NULL,
	seq   INTEGER NOT NULL REFERENCES events (seq) ON DELETE CASCADE,
	PRIMARY KEY (name, value, seq)
) WITHOUT ROWID;
CREATE INDEX tags_by_event ON tags (seq);

PRAGMA application_id = 0x7073726c;
PRAGMA user_version = 1;
