-- Since when a saved worker mines from where it is at home, and where it mines
-- from while it is not there. Homes that are known already count from when they
-- were last seen. Times are milliseconds since 1970.

-- +goose Up

ALTER TABLE sightings ADD COLUMN home_since INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sightings ADD COLUMN next TEXT NOT NULL DEFAULT ''; -- CIDR
ALTER TABLE sightings ADD COLUMN next_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sightings ADD COLUMN next_since INTEGER NOT NULL DEFAULT 0;
UPDATE sightings SET home_since = home_at;

-- +goose Down
ALTER TABLE sightings DROP COLUMN next_since;
ALTER TABLE sightings DROP COLUMN next_at;
ALTER TABLE sightings DROP COLUMN next;
ALTER TABLE sightings DROP COLUMN home_since;
