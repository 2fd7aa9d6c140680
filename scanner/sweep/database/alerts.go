package database

// alerts adds news of findings that are to be told, and to whom. A receiver is kept by its
// name, never by its URL. News with a delivery is on its way, under that id, until it has
// ended; lost says that it was given up.
var alerts = migration{
	`CREATE TABLE receiver (
		name TEXT PRIMARY KEY, added BIGINT NOT NULL, seen BIGINT NOT NULL, digest_ms BIGINT NOT NULL, digested BIGINT NOT NULL DEFAULT 0,
		lease TEXT NOT NULL DEFAULT '', lease_until BIGINT NOT NULL DEFAULT 0,
		delivered_at BIGINT NOT NULL DEFAULT 0, deliveries BIGINT NOT NULL DEFAULT 0,
		failed_at BIGINT NOT NULL DEFAULT 0, failures BIGINT NOT NULL DEFAULT 0, why TEXT NOT NULL DEFAULT '',
		tries BIGINT NOT NULL DEFAULT 0, wait BIGINT NOT NULL DEFAULT 0);
	CREATE TABLE news (
		number SERIAL, receiver TEXT NOT NULL REFERENCES receiver ON DELETE CASCADE,
		fingerprint TEXT NOT NULL REFERENCES finding ON DELETE CASCADE,
		urgent BIGINT NOT NULL, event TEXT NOT NULL, was TEXT NOT NULL, at BIGINT NOT NULL,
		delivery TEXT NOT NULL DEFAULT '', ended BIGINT NOT NULL DEFAULT 0, lost BIGINT NOT NULL DEFAULT 0);
	CREATE INDEX news_waiting ON news (receiver, number) WHERE ended = 0;
	CREATE INDEX news_ended ON news (ended) WHERE ended > 0;
	CREATE INDEX news_finding ON news (fingerprint)`,
	`DROP TABLE news; DROP TABLE receiver`,
}

// absence adds on how many days stanch has worked since a process last had a receiver, and the
// last day that was looked at, in days since 1970.
var absence = migration{
	`ALTER TABLE receiver ADD COLUMN day BIGINT NOT NULL DEFAULT 0;
	ALTER TABLE receiver ADD COLUMN without BIGINT NOT NULL DEFAULT 0`,
	`ALTER TABLE receiver DROP COLUMN without;
	ALTER TABLE receiver DROP COLUMN day`,
}
