package database

// first is the schema of the first version.
var first = migration{
	`CREATE TABLE target (
		name TEXT PRIMARY KEY, api TEXT NOT NULL, options TEXT NOT NULL, every_ms BIGINT NOT NULL, asked BIGINT NOT NULL DEFAULT 0,
		added BIGINT NOT NULL, begun BIGINT NOT NULL DEFAULT 0, ended BIGINT NOT NULL DEFAULT 0, full_at BIGINT NOT NULL DEFAULT 0,
		sweep BIGINT NOT NULL DEFAULT 0, why TEXT NOT NULL DEFAULT '', wait BIGINT NOT NULL DEFAULT 0);
	CREATE TABLE repository (
		number SERIAL, id TEXT NOT NULL, target TEXT NOT NULL, name TEXT NOT NULL, page TEXT NOT NULL, clone TEXT NOT NULL DEFAULT '',
		fork BIGINT NOT NULL, parent TEXT NOT NULL DEFAULT '', archived BIGINT NOT NULL, private BIGINT NOT NULL,
		pushed BIGINT NOT NULL, looked BIGINT NOT NULL DEFAULT 0, due BIGINT NOT NULL DEFAULT 1, listed BIGINT NOT NULL,
		state TEXT NOT NULL, why TEXT NOT NULL DEFAULT '', at BIGINT NOT NULL, sweep BIGINT NOT NULL DEFAULT 0,
		detector TEXT NOT NULL DEFAULT '', refs BLOB, activity BIGINT NOT NULL DEFAULT 0, texts TEXT NOT NULL DEFAULT '',
		lease TEXT NOT NULL DEFAULT '', objects BIGINT NOT NULL DEFAULT 0, fetched BIGINT NOT NULL DEFAULT 0,
		UNIQUE (target, id));
	CREATE INDEX repository_name ON repository (name);
	CREATE INDEX repository_due ON repository (target) WHERE due = 1;
	CREATE TABLE tip (object BLOB NOT NULL, repository BIGINT NOT NULL REFERENCES repository ON DELETE CASCADE, PRIMARY KEY (object, repository));
	CREATE INDEX tip_repository ON tip (repository);
	CREATE TABLE finding (
		fingerprint TEXT PRIMARY KEY, key_id TEXT NOT NULL, account TEXT NOT NULL,
		state TEXT NOT NULL, reason TEXT NOT NULL, ignored TEXT NOT NULL, verified BIGINT NOT NULL,
		first_seen BIGINT NOT NULL, last_seen BIGINT NOT NULL, dead_since BIGINT NOT NULL DEFAULT 0,
		acknowledged_by TEXT NOT NULL DEFAULT '', acknowledged_until BIGINT NOT NULL DEFAULT 0, note TEXT NOT NULL DEFAULT '',
		record TEXT NOT NULL);
	CREATE TABLE location (
		fingerprint TEXT NOT NULL REFERENCES finding ON DELETE CASCADE, repository BIGINT NOT NULL REFERENCES repository ON DELETE CASCADE,
		place TEXT NOT NULL, kind TEXT NOT NULL, blob TEXT NOT NULL, path TEXT NOT NULL, at_head BIGINT NOT NULL, first_seen BIGINT NOT NULL,
		gone_since BIGINT NOT NULL DEFAULT 0, record TEXT NOT NULL,
		PRIMARY KEY (fingerprint, repository, place));
	CREATE INDEX location_repository ON location (repository);
	CREATE TABLE verification (
		fingerprint TEXT NOT NULL REFERENCES finding ON DELETE CASCADE, at BIGINT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL, account TEXT NOT NULL,
		PRIMARY KEY (fingerprint, at));
	CREATE TABLE action (at BIGINT NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL, subject TEXT NOT NULL, result TEXT NOT NULL);
	CREATE TABLE sweep (
		target TEXT NOT NULL, number BIGINT NOT NULL, begun BIGINT NOT NULL, ended BIGINT NOT NULL DEFAULT 0, complete BIGINT NOT NULL,
		PRIMARY KEY (target, number));
	CREATE TABLE budget (name TEXT PRIMARY KEY, until BIGINT NOT NULL, why TEXT NOT NULL);
	CREATE TABLE worker (name TEXT PRIMARY KEY, seen BIGINT NOT NULL)`,
	`DROP TABLE worker; DROP TABLE budget; DROP TABLE sweep; DROP TABLE action; DROP TABLE verification; DROP TABLE location; DROP TABLE finding; DROP TABLE tip; DROP TABLE repository; DROP TABLE target`,
}
