package database

// engine adds what the engine knows of targets, repositories and GitHub.
var engine = migration{
	// deaths counts the workers in a row that died while they read a repository; alone is the
	// job of the queue that a worker does with no other one beside it. told counts the news
	// of a repository that no scan has read yet; doubt says that the host is asked about the
	// repository itself before it is read.
	`ALTER TABLE repository ADD COLUMN deaths BIGINT NOT NULL DEFAULT 0;
	ALTER TABLE worker ADD COLUMN alone BIGINT NOT NULL DEFAULT 0;
	ALTER TABLE repository ADD COLUMN told BIGINT NOT NULL DEFAULT 0;
	ALTER TABLE repository ADD COLUMN doubt BIGINT NOT NULL DEFAULT 0`,
	`ALTER TABLE repository DROP COLUMN doubt; ALTER TABLE repository DROP COLUMN told;
	ALTER TABLE worker DROP COLUMN alone; ALTER TABLE repository DROP COLUMN deaths`,
}
