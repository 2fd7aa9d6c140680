package database

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// searchText is the text by which lists find a finding: all texts that it is searched for in,
// each on a line of its own. COLLATE "C" keeps PostgreSQL to the letters from A to Z, as SQLite
// does.
const searchText = `LOWER((finding.fingerprint || '
' || finding.key_id || '
' || finding.account || '
' || finding.owner || '
' || finding.comment || '
' || COALESCE((SELECT STRING_AGG(place.text, '
') FROM (SELECT l.path AS text FROM location l WHERE l.fingerprint = finding.fingerprint
	UNION SELECT r.name FROM location l JOIN repository r ON r.number = l.repository WHERE l.fingerprint = finding.fingerprint) AS place), '')) COLLATE "C")`

// search adds a table of the texts by which lists find findings, and takes away the indexes
// that lists looked into before. An index finds no part of a word: pg_trgm may not be
// installed, a worker may not make it, and FTS5 of SQLite looks for three characters or more. So
// each text is compared, and it counts how narrow they are, and that each finding has one. With
// 50,000 findings in 100,000 places, SQLite takes 25 to 45 ms of CPU for a text that few of
// them hold, 45 for one that all hold, and 70 in between; PostgreSQL takes 26 to 46. One
// condition for each column took SQLite 100 and 600, and PostgreSQL 105 and 310, most of it to
// bring together the findings of all places.
var search = migration{
	`CREATE TABLE finding_search (fingerprint TEXT PRIMARY KEY REFERENCES finding ON DELETE CASCADE, text TEXT NOT NULL) WITHOUT ROWID;
	INSERT INTO finding_search (fingerprint, text) SELECT finding.fingerprint, ` + searchText + ` FROM finding;
	DROP INDEX finding_comment;
	DROP INDEX location_path`,
	`CREATE INDEX location_path ON location (fingerprint, (SUBSTR(path, 1, 500)));
	CREATE INDEX finding_comment ON finding (fingerprint) WHERE comment <> '';
	DROP TABLE finding_search`,
}

// Holds returns the condition that the row s of finding_search holds the text of a pattern of
// LIKE, whatever its small and capital letters. pattern is the parameter that has it.
func (d *DB) Holds(pattern string) string {
	return d.dialect(`s.text LIKE LOWER(CAST(` + pattern + ` AS TEXT) COLLATE "C") ESCAPE '\'`)
}

// PutSearch stores the text by which lists find findings, as part of tx: call it after each
// change of their places, of the names of their repositories, or of their account, owner or
// comment. fingerprints are in order, in which all transactions lock findings.
func (d *DB) PutSearch(ctx context.Context, tx *sql.Tx, fingerprints []string) error {
	for part := range slices.Chunk(fingerprints, 500) { // a statement has a limit of parameters
		marks, args := make([]string, len(part)), make([]any, len(part))
		for i := range part {
			marks[i], args[i] = fmt.Sprintf("$%d", i+1), part[i]
		}
		in := ` WHERE finding.fingerprint IN (` + strings.Join(marks, ",") + `) ORDER BY finding.fingerprint`
		if d.Postgres { // two transactions that change one finding must see each other's places
			if _, err := Exec(ctx, tx, `SELECT 1 FROM finding`+in+d.ForUpdate(), args...); err != nil {
				return fmt.Errorf("locking findings to store the text that they are searched by: %w", err)
			}
		}
		if _, err := Exec(ctx, tx, `INSERT INTO finding_search (fingerprint, text) SELECT finding.fingerprint, `+d.dialect(searchText)+` FROM finding`+in+`
			ON CONFLICT (fingerprint) DO UPDATE SET text = excluded.text WHERE finding_search.text <> excluded.text`, args...); err != nil {
			return fmt.Errorf("storing the text that findings are searched by: %w", err)
		}
	}
	return nil
}
