//go:build sweep

package sweep_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/sweep"
)

func TestKnownPages(t *testing.T) {
	onEachDatabase(t, map[string]func(onDatabase){"kept": testKnownPages})
}

// testKnownPages: a page of a list is known once its repositories are stored, for a week, and
// as long as its target is there. It holds no secret.
func testKnownPages(on onDatabase) {
	t, s := on.t, on.store
	target := s.put(t)
	failed := errors.New("of the test")
	list := func(kept string, err error) {
		t.Helper()
		page := sweep.ListPage{Listed: []sweep.Listed{{ID: "1", Name: "acme/app"}}, URL: "https://h/orgs/acme/repos"}
		if kept != "" {
			page.Kept = []byte(kept)
		}
		got := s.Tx(t.Context(), func(tx *sql.Tx) error {
			_, _, put := s.PutListed(t.Context(), tx, target, page, func(string) string { return "" }, sweep.Selection{})
			return errors.Join(put, err)
		})
		if !errors.Is(got, err) {
			t.Error(got)
		}
	}
	is := func(step, want string) {
		t.Helper()
		got, err := s.KnownPage(t.Context(), "acme", "https://h/orgs/acme/repos")
		if err != nil || string(got) != want {
			t.Errorf("%s: %q, %v, want %q", step, got, err, want)
		}
	}
	is("unknown", "")
	list(`{"ETag":"1"}`, failed)
	is("the repositories were not stored", "")
	list(`{"ETag":"1"}`, nil)
	is("stored", `{"ETag":"1"}`)
	list("", nil)
	is("as it was", `{"ETag":"1"}`)
	list(`{"ETag":"2"}`, nil)
	is("changed", `{"ETag":"2"}`)
	list(`{"ETag":"3","Items":["`+detectorstest.SecretKey(1)+`"]}`, nil)
	is("it looks like a secret", `{"ETag":"2"}`)
	s.Clock = s.Clock.Add(-time.Hour)
	is("the clock was set back", "")
	s.Clock = s.Clock.Add(7 * 24 * time.Hour)
	is("for seven days", `{"ETag":"2"}`)
	s.Clock = s.Clock.Add(2 * time.Hour)
	is("after that", "")
	list(`{"ETag":"4"}`, nil)
	is("read anew", `{"ETag":"4"}`)
	if _, err := s.RemoveTarget(context.WithoutCancel(t.Context()), "acme"); err != nil {
		t.Error(err)
	}
	is("removed", "")
}
