package database

// memory adds what is kept of one sweep for the next: why the last answer about a finding is
// not that of the last sweep.
var memory = migration{
	`ALTER TABLE finding ADD COLUMN stale TEXT NOT NULL DEFAULT ''`,
	`ALTER TABLE finding DROP COLUMN stale`,
}
