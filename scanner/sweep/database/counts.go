package database

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
