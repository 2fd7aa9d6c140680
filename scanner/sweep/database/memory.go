package database

// memory adds what is kept of one sweep for the next: why the last answer about a finding is
// not that of the last sweep. By the index, a key finds its halves in the same texts.
var memory = migration{
	`ALTER TABLE finding ADD COLUMN stale TEXT NOT NULL DEFAULT '';
	CREATE INDEX location_blob ON location (repository, blob)`,
	`DROP INDEX location_blob;
	ALTER TABLE finding DROP COLUMN stale`,
}
