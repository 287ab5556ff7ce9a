-- One file of poolscope's journal of captured messages. Times are Unix
-- nanoseconds. Columns without a value are NULL.

CREATE TABLE meta (
	key   TEXT PRIMARY KEY,
	value INTEGER NOT NULL
) WITHOUT ROWID;

-- The sessions whose messages are in this file. A session that lives over
-- midnight is in several files; the newest knows most.
CREATE TABLE sessions (
	key       INTEGER PRIMARY KEY,
	id        TEXT NOT NULL UNIQUE,
	began     INTEGER NOT NULL,
	last_seen INTEGER NOT NULL,
	ended     INTEGER,
	reason    TEXT,            -- why it ended
	messages  INTEGER NOT NULL, -- captured until last_seen
	data      TEXT NOT NULL    -- all that is known, as JSON
);
CREATE INDEX sessions_by_beginning ON sessions (began, id);

CREATE TABLE messages (
	seq       INTEGER PRIMARY KEY, -- rises over all sessions and files
	session   INTEGER NOT NULL,    -- sessions.key
	n         INTEGER NOT NULL,    -- number within the session, from 1
	direction INTEGER NOT NULL,    -- 0 miner to pool, 1 pool to miner, 2 sent by us to the pool
	received  INTEGER NOT NULL,
	forwarded INTEGER,
	flags     INTEGER NOT NULL,    -- 1 cut, 2 masked, 4 unterminated, 8 request, 16 response, 32 without error
	size      INTEGER NOT NULL,    -- bytes of the whole line
	gap       INTEGER,             -- bytes before the line that were not captured
	pair      INTEGER,             -- n of the response, or of the request that it answers
	peer      TEXT,
	method    TEXT,
	worker    TEXT,
	rpc_id    TEXT,                -- id of the JSON-RPC message, as JSON
	fault     TEXT,                -- why it is no Stratum message
	own       TEXT,                -- of lines sent by us: JSON
	share     TEXT,                -- of a mining.submit: the audit, JSON
	answer    BLOB,                -- the response, in a form of its own; its row is (session, pair)
	raw       BLOB NOT NULL        -- the line, line feed included
);

-- What filters look at, of about a thousand messages each: see segment.go. The
-- rows behind the last segment are not in any yet.
CREATE TABLE segments (
	first   INTEGER PRIMARY KEY, -- seq of the first and last message
	last    INTEGER NOT NULL,
	since   INTEGER NOT NULL,    -- received: the earliest
	until   INTEGER NOT NULL,    -- … and the latest
	marks   INTEGER NOT NULL,    -- that any of its messages has, or had
	bytes   INTEGER NOT NULL,    -- of all its lines
	columns BLOB NOT NULL
);

-- Where the messages of a session are.
CREATE TABLE spans (
	session INTEGER NOT NULL,
	first_n INTEGER NOT NULL, -- of the session's first message in the segment
	segment INTEGER NOT NULL, -- segments.first
	PRIMARY KEY (session, first_n)
) WITHOUT ROWID;

-- Where methods and workers are.
CREATE TABLE terms (
	term    INTEGER NOT NULL, -- a hash
	segment INTEGER NOT NULL, -- segments.first
	PRIMARY KEY (term, segment)
) WITHOUT ROWID;

-- Messages that were captured and are not in the journal.
CREATE TABLE gaps (
	key      INTEGER PRIMARY KEY,
	session  TEXT,    -- NULL for several sessions
	first_n  INTEGER,
	last_n   INTEGER,
	messages INTEGER NOT NULL,
	since    INTEGER NOT NULL,
	until    INTEGER NOT NULL,
	reason   TEXT NOT NULL
);
