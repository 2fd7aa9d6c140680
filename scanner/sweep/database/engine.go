package database

// engine adds what the engine knows of targets, repositories and GitHub.
var engine = migration{
	// deaths counts the workers in a row that died while they read a repository; alone is the
	// job of the queue that a worker does with no other one beside it; doing, number and since
	// are the kind, the repository and the beginning of its longest job. told counts the news
	// of a repository that no scan has read yet; doubt says that the host is asked about the
	// repository itself before it is read; waits, that a fork is due and has no job: the end
	// of its parent puts one.
	`ALTER TABLE repository ADD COLUMN deaths BIGINT NOT NULL DEFAULT 0;
	ALTER TABLE worker ADD COLUMN alone BIGINT NOT NULL DEFAULT 0;
	ALTER TABLE worker ADD COLUMN doing TEXT NOT NULL DEFAULT '';
	ALTER TABLE worker ADD COLUMN number BIGINT NOT NULL DEFAULT 0;
	ALTER TABLE worker ADD COLUMN since BIGINT NOT NULL DEFAULT 0;
	ALTER TABLE repository ADD COLUMN told BIGINT NOT NULL DEFAULT 0;
	ALTER TABLE repository ADD COLUMN doubt BIGINT NOT NULL DEFAULT 0;
	ALTER TABLE repository ADD COLUMN waits BIGINT NOT NULL DEFAULT 0;
	CREATE INDEX repository_waits ON repository (target, parent) WHERE waits = 1;
	CREATE INDEX target_due ON target ((asked + every_ms)) WHERE every_ms > 0;
	CREATE INDEX target_asked ON target (asked) WHERE every_ms > 0`,
	`DROP INDEX target_asked; DROP INDEX target_due; DROP INDEX repository_waits; ALTER TABLE repository DROP COLUMN waits; ALTER TABLE repository DROP COLUMN doubt; ALTER TABLE repository DROP COLUMN told;
	ALTER TABLE worker DROP COLUMN since; ALTER TABLE worker DROP COLUMN number; ALTER TABLE worker DROP COLUMN doing;
	ALTER TABLE worker DROP COLUMN alone; ALTER TABLE repository DROP COLUMN deaths`,
}
