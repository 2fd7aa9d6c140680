package database

// lastDue has the repository that is due with the highest number at the end of an index, for
// Store.endsLater of package sweep.
var lastDue = migration{
	`DROP INDEX repository_due;
	CREATE INDEX repository_due ON repository (target, number) WHERE due = 1`,
	`DROP INDEX repository_due;
	CREATE INDEX repository_due ON repository (target) WHERE due = 1`,
}

// engine adds what the engine knows of targets, repositories and GitHub.
var engine = migration{engineColumns + engineIndexes + engineDoubles, engineDown}

// deaths counts the workers in a row that died while they read a repository; alone is the
// job of the queue that a worker does with no other one beside it; doing, number and since
// are the kind, the repository and the beginning of its longest job. told counts the news of
// a repository that no scan has read yet; doubt says that the host is asked about the
// repository itself before it is read; waits, that a fork is due and has no job: the end of
// its parent puts one. accepted_by is the person who knows that a repository cannot be read.
// unread says why a part of it is not read, "" for none, whatever its state is by now.
const engineColumns = `
	ALTER TABLE repository ADD COLUMN deaths BIGINT NOT NULL DEFAULT 0;
	ALTER TABLE worker ADD COLUMN alone BIGINT NOT NULL DEFAULT 0;
	ALTER TABLE worker ADD COLUMN doing TEXT NOT NULL DEFAULT '';
	ALTER TABLE worker ADD COLUMN number BIGINT NOT NULL DEFAULT 0;
	ALTER TABLE worker ADD COLUMN since BIGINT NOT NULL DEFAULT 0;
	ALTER TABLE repository ADD COLUMN told BIGINT NOT NULL DEFAULT 0;
	ALTER TABLE repository ADD COLUMN doubt BIGINT NOT NULL DEFAULT 0;
	ALTER TABLE repository ADD COLUMN waits BIGINT NOT NULL DEFAULT 0;
	ALTER TABLE repository ADD COLUMN accepted_by TEXT NOT NULL DEFAULT '';
	ALTER TABLE repository ADD COLUMN accepted_why TEXT NOT NULL DEFAULT '';
	ALTER TABLE repository ADD COLUMN accepted_until BIGINT NOT NULL DEFAULT 0;
	ALTER TABLE repository ADD COLUMN unread TEXT NOT NULL DEFAULT '';
	UPDATE repository SET unread = why WHERE state = 'incomplete';`

const engineIndexes = `
	CREATE INDEX repository_waits ON repository (target, parent) WHERE waits = 1;
	CREATE INDEX target_due ON target ((asked + every_ms)) WHERE every_ms > 0;
	CREATE INDEX target_asked ON target (asked) WHERE every_ms > 0;
	CREATE INDEX target_lower ON target (LOWER(name));`

// engineDoubles makes one target of those whose names differ in upper and lower case alone,
// as acme and ACME do. The one that was swept most often stays, with the repositories and
// locations of all, and its next sweep looks at all repositories. Targets of different APIs
// stay apart.
const engineDoubles = `
	CREATE TABLE target_double AS SELECT d.name AS name, k.name AS kept FROM target d JOIN target k
		ON LOWER(k.name) = LOWER(d.name) AND RTRIM(k.api, '/') = RTRIM(d.api, '/') AND k.name <> d.name
		WHERE k.name = (SELECT t.name FROM target t WHERE LOWER(t.name) = LOWER(d.name) AND RTRIM(t.api, '/') = RTRIM(d.api, '/')
			ORDER BY t.sweep DESC, t.added, t.name LIMIT 1);
	CREATE TABLE repository_double AS SELECT r.number AS number, COALESCE(
			(SELECT k.number FROM repository k WHERE k.target = d.kept AND k.id = r.id),
			(SELECT MIN(o.number) FROM repository o JOIN target_double e ON e.name = o.target WHERE e.kept = d.kept AND o.id = r.id)) AS kept
		FROM repository r JOIN target_double d ON d.name = r.target;
	DELETE FROM repository_double WHERE number = kept;
	UPDATE location SET repository = (SELECT d.kept FROM repository_double d WHERE d.number = location.repository)
		WHERE repository IN (SELECT number FROM repository_double) AND NOT EXISTS (SELECT 1 FROM location o JOIN repository_double d ON d.number = location.repository
			WHERE o.fingerprint = location.fingerprint AND o.place = location.place AND (o.repository = d.kept
				OR o.repository < location.repository AND o.repository IN (SELECT m.number FROM repository_double m WHERE m.kept = d.kept)));
	DELETE FROM repository WHERE number IN (SELECT number FROM repository_double);
	UPDATE repository SET target = (SELECT d.kept FROM target_double d WHERE d.name = repository.target) WHERE target IN (SELECT name FROM target_double);
	DELETE FROM sweep WHERE target IN (SELECT name FROM target_double);
	UPDATE target SET full_at = 0 WHERE name IN (SELECT kept FROM target_double);
	DELETE FROM target WHERE name IN (SELECT name FROM target_double);
	DROP TABLE repository_double;
	DROP TABLE target_double`

const engineDown = `
	DROP INDEX target_lower;
	DROP INDEX target_asked;
	DROP INDEX target_due;
	DROP INDEX repository_waits;
	ALTER TABLE repository DROP COLUMN unread;
	ALTER TABLE repository DROP COLUMN accepted_until;
	ALTER TABLE repository DROP COLUMN accepted_why;
	ALTER TABLE repository DROP COLUMN accepted_by;
	ALTER TABLE repository DROP COLUMN waits;
	ALTER TABLE repository DROP COLUMN doubt;
	ALTER TABLE repository DROP COLUMN told;
	ALTER TABLE worker DROP COLUMN since; ALTER TABLE worker DROP COLUMN number; ALTER TABLE worker DROP COLUMN doing;
	ALTER TABLE worker DROP COLUMN alone;
	ALTER TABLE repository DROP COLUMN deaths`

// listPages keeps pages of the lists of a host, with their ETags. A page is kept in the
// transaction that stores what it lists.
var listPages = migration{
	`CREATE TABLE list_page (target TEXT NOT NULL, url TEXT NOT NULL, at BIGINT NOT NULL, kept BLOB NOT NULL, PRIMARY KEY (target, url))`,
	`DROP TABLE list_page`,
}
