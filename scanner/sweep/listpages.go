package sweep

import (
	"context"
	"database/sql"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep/database"
)

// keepPages is for how long a page of a list is known. GitHub does not say which changes of a
// repository change an ETag, and some settings do not
// (github.com/integrations/terraform-provider-github/issues/1446).
const keepPages = 7 * 24 * time.Hour

// KnownPage returns the last ListPage.Kept of the page at a URL of a list of a target, nil if
// there is none.
func (s *Store) KnownPage(ctx context.Context, target, url string) (kept []byte, err error) {
	now := s.Now()
	err = database.QueryRow(ctx, s.SQL, `SELECT kept FROM list_page WHERE target = $1 AND url = $2 AND at > $3 AND at <= $4`,
		target, url, database.Millis(now.Add(-keepPages)), database.Millis(now))(&kept)
	return kept, ignoreError(err, sql.ErrNoRows)
}

// keepPage keeps a page of a list, as part of tx. One with a name that looks like a secret is
// not kept, and read each time.
func (s *Store) keepPage(ctx context.Context, tx *sql.Tx, target string, page ListPage) error {
	if page.Kept == nil || database.Redact(string(page.Kept)) != string(page.Kept) {
		return nil
	}
	_, err := database.Exec(ctx, tx, `INSERT INTO list_page (target, url, at, kept) VALUES ($1, $2, $3, $4)
		ON CONFLICT (target, url) DO UPDATE SET at = excluded.at, kept = excluded.kept`, target, page.URL, database.Millis(s.Now()), page.Kept)
	return err
}
