//go:build sweep

package api_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
)

// TestReadBesideOthers: while a report is being read, which may take long, and while a sweep
// stores its findings, a list answers, and a change is made. Each list has the change that
// was made before it.
func TestReadBesideOthers(t *testing.T) {
	s := newServer(t, 30)
	ctx, end := context.WithTimeout(t.Context(), 20*time.Second)
	defer end()
	reading, enough, read := make(chan bool), make(chan bool), make(chan error, 1)
	go func() {
		first := true
		read <- s.store.Findings(ctx, "", func(finding.Finding) error {
			if first {
				first = false
				close(reading)
				<-enough
			}
			return nil
		})
	}()
	<-reading
	for i := range 20 {
		comment := fmt.Sprintf("note-%d.", i)
		if got := s.ask(s.triager, http.MethodPatch, "/findings/"+fingerprint(i%3), `{"comment":"`+comment+`"}`); got.status != http.StatusOK {
			t.Fatalf("a change beside a report: %d %s", got.status, got.body)
		}
		for _, path := range []string{"/findings?q=" + comment, "/findings/" + fingerprint(i%3), "/summary", "/repositories"} {
			if got := s.ask(s.reader, http.MethodGet, path, ""); got.status != http.StatusOK || strings.HasPrefix(path, "/findings") && !strings.Contains(got.body, comment) {
				t.Fatalf("%s after a change: %d %s", path, got.status, got.body)
			}
		}
	}
	err := s.store.Tx(ctx, func(tx *sql.Tx) error {
		if _, err := database.Exec(ctx, tx, `UPDATE finding SET comment = 'not yet'`); err != nil {
			return err
		}
		if got := s.ask(s.reader, http.MethodGet, "/findings", ""); got.status != http.StatusOK || strings.Contains(got.body, "not yet") || !strings.Contains(got.body, "note-19.") {
			return fmt.Errorf("a list beside a transaction: %d %s", got.status, got.body)
		}
		return nil
	})
	close(enough)
	if readErr := <-read; err != nil || readErr != nil {
		t.Error(err, readErr)
	}
	if got := s.ask(s.reader, http.MethodGet, "/findings", ""); !strings.Contains(got.body, "not yet") {
		t.Errorf("a list after a transaction: %d %s", got.status, got.body)
	}
}
