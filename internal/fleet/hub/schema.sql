-- What agents of the fleet told. Times are Unix nanoseconds.

CREATE TABLE telemetry (
	key       INTEGER PRIMARY KEY,
	event     TEXT NOT NULL UNIQUE, -- id: relays send the same again after a restart
	run       TEXT NOT NULL,
	agent     TEXT NOT NULL,
	author    TEXT NOT NULL,    -- public key, hexadecimal
	at        INTEGER NOT NULL, -- when it was sent, by the agent's clock; at the latest received
	received  INTEGER NOT NULL, -- by ours
	connected INTEGER NOT NULL, -- 1: the agent says so
	attempted INTEGER NOT NULL, -- counters, since the agent's start
	accepted  INTEGER NOT NULL,
	rejected  INTEGER NOT NULL,
	p50       REAL,             -- milliseconds from submit to answer
	p95       REAL,
	p99       REAL,
	connect   REAL,             -- milliseconds to connect to the pool
	content   TEXT NOT NULL     -- all of it, JSON
);
CREATE INDEX telemetry_of_agent ON telemetry (run, agent, at);
CREATE INDEX telemetry_by_age ON telemetry (received);

-- When agents whose clocks are right saw new blocks.
CREATE TABLE tips (
	run    TEXT NOT NULL,
	block  TEXT NOT NULL,    -- the block that the first job builds on
	agent  TEXT NOT NULL,
	height INTEGER NOT NULL,
	seen   INTEGER NOT NULL,
	PRIMARY KEY (run, block, agent)
) WITHOUT ROWID;
CREATE INDEX tips_of_agent ON tips (run, agent, seen);
CREATE INDEX tips_by_age ON tips (seen);
