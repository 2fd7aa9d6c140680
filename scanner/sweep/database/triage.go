package database

// Urgency is the order in which lists show findings f: the lower, the sooner somebody has to
// act. An index is of this very expression.
const Urgency = `CASE f.state WHEN 'live' THEN 0 WHEN 'id-active-secret-mismatch' THEN 1 WHEN 'unknown' THEN 2 WHEN 'skipped' THEN 3
	WHEN 'not-verifiable' THEN 4 WHEN 'expired' THEN 6 WHEN 'invalid' THEN 7 ELSE 5 END`

// triage adds the work of people on findings. An acknowledgement becomes a status, and the
// log of actions the history of it. A finding that nobody has given a status is open.
// version counts the changes of a finding that people have to know of.
//
// The indexes hold all columns that lists are filtered by and that summaries count by, so that
// neither reads the records of all findings. Both leave ignored findings out, and so do the
// indexes. A path may be longer than PostgreSQL takes into an index (2,704 bytes), so its
// beginning is searched.
var triage = migration{
	`ALTER TABLE finding RENAME COLUMN acknowledged_by TO status_by;
	ALTER TABLE finding RENAME COLUMN acknowledged_until TO status_until;
	ALTER TABLE finding RENAME COLUMN note TO comment;
	ALTER TABLE finding ADD COLUMN status TEXT NOT NULL DEFAULT 'open';
	ALTER TABLE finding ADD COLUMN owner TEXT NOT NULL DEFAULT '';
	ALTER TABLE finding ADD COLUMN version BIGINT NOT NULL DEFAULT 0;
	UPDATE finding SET status = 'acknowledged' WHERE status_by <> '';
	CREATE INDEX finding_urgency ON finding ((CASE state WHEN 'live' THEN 0 WHEN 'id-active-secret-mismatch' THEN 1 WHEN 'unknown' THEN 2 WHEN 'skipped' THEN 3
	WHEN 'not-verifiable' THEN 4 WHEN 'expired' THEN 6 WHEN 'invalid' THEN 7 ELSE 5 END), first_seen DESC, fingerprint, state, status, status_until, owner) WHERE ignored = '';
	CREATE INDEX finding_first_seen ON finding (first_seen, fingerprint, state, status, status_until, owner) WHERE ignored = '';
	CREATE INDEX finding_owner ON finding (owner, fingerprint, first_seen, state, status, status_until) WHERE ignored = '';
	CREATE INDEX finding_text ON finding (fingerprint, key_id, account, owner, ignored, state, status, status_until, first_seen);
	CREATE INDEX finding_dead ON finding (dead_since, first_seen) WHERE ignored = '' AND dead_since > 0;
	CREATE INDEX verification_live ON verification (fingerprint, at) WHERE state = 'live';
	CREATE INDEX finding_comment ON finding (fingerprint) WHERE comment <> '';
	CREATE INDEX location_path ON location (fingerprint, (SUBSTR(path, 1, 500)));
	CREATE TABLE triage (
		number SERIAL, fingerprint TEXT NOT NULL REFERENCES finding ON DELETE CASCADE, at BIGINT NOT NULL, who TEXT NOT NULL, via TEXT NOT NULL, why TEXT NOT NULL,
		status TEXT NOT NULL, owner TEXT NOT NULL, comment TEXT NOT NULL, status_until BIGINT NOT NULL);
	CREATE INDEX triage_fingerprint ON triage (fingerprint);
	INSERT INTO triage (fingerprint, at, who, via, why, status, owner, comment, status_until)
		SELECT subject, at, who, 'cli', '', CASE what WHEN 'acknowledge' THEN 'acknowledged' ELSE 'open' END, '', result, 0
		FROM action WHERE subject IN (SELECT fingerprint FROM finding) ORDER BY at;
	DROP TABLE action`,
	`CREATE TABLE action (at BIGINT NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL, subject TEXT NOT NULL, result TEXT NOT NULL);
	INSERT INTO action (at, who, what, subject, result)
		SELECT at, who, CASE status WHEN 'open' THEN 'unacknowledge' ELSE 'acknowledge' END, fingerprint, comment FROM triage WHERE via <> 'sweep' ORDER BY number;
	DROP TABLE triage;
	DROP INDEX location_path;
	DROP INDEX finding_comment;
	DROP INDEX verification_live;
	DROP INDEX finding_dead;
	DROP INDEX finding_text;
	DROP INDEX finding_owner;
	DROP INDEX finding_first_seen;
	DROP INDEX finding_urgency;
	UPDATE finding SET status_by = '', comment = '', status_until = 0 WHERE status <> 'acknowledged';
	ALTER TABLE finding DROP COLUMN version;
	ALTER TABLE finding DROP COLUMN owner;
	ALTER TABLE finding DROP COLUMN status;
	ALTER TABLE finding RENAME COLUMN comment TO note;
	ALTER TABLE finding RENAME COLUMN status_until TO acknowledged_until;
	ALTER TABLE finding RENAME COLUMN status_by TO acknowledged_by`,
}

// counts adds to each skipped finding why it is skipped, as finding.Finding.Skipped says it.
// The status counts findings by that, and by the columns of the index, which it reads alone:
// the records of 50,000 findings are 60 MB.
var counts = migration{
	`ALTER TABLE finding ADD COLUMN skipped TEXT NOT NULL DEFAULT '';
	UPDATE finding SET skipped = CASE WHEN record LIKE '%"secret_sha256":"%' OR record LIKE '%"has_value":true%' THEN 'not-verified' ELSE 'id-only' END WHERE state = 'skipped';
	CREATE INDEX finding_status ON finding (state, skipped, status, status_until) WHERE ignored = ''`,
	`DROP INDEX finding_status;
	ALTER TABLE finding DROP COLUMN skipped`,
}
