//go:build sweep

package sweep_test

import (
	"context"
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
	"github.com/stanch-dev/stanch/scanner/sweep/sweeptest"
	"github.com/stanch-dev/stanch/verifier"
)

func TestSearch(t *testing.T) {
	onEachDatabase(t, map[string]func(onDatabase){"search": testSearch})
}

// wantHolding fails unless the findings that hold a text are those with these fingerprints.
func (s *clockedStore) wantHolding(t *testing.T, when string, texts map[string]string) {
	t.Helper()
	for text, want := range texts {
		var got []string
		err := database.EachRow(t.Context(), s.SQL, func(scan func(...any) error) error {
			var fingerprint string
			err := scan(&fingerprint)
			got = append(got, fingerprint)
			return err
		}, `SELECT s.fingerprint FROM finding_search s WHERE `+s.Holds("$1")+` ORDER BY s.fingerprint`, "%"+text+"%")
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s, %q is held by %q, want %q: %v", when, text, got, want, err)
		}
	}
}

// testSearch: the text of a finding follows its places, the names of its repositories, and the
// account that AWS names.
func testSearch(on onDatabase) {
	t, s := on.t, on.store
	s.put(t)
	if err := s.PutTarget(t.Context(), sweep.Target{Name: "octo", Options: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	one := s.repositoryNamed(t, "1")
	s.Do(t, func(ctx context.Context, tx *sql.Tx) error {
		_, err := database.Exec(ctx, tx, `INSERT INTO repository (id, target, name, page, fork, archived, private, pushed, listed, state, at) VALUES ('9', 'octo', 'octo/Lib', '', 0, 0, 0, 0, 0, 'swept', 0)`)
		return err
	})
	var other sweep.Repository
	if err := s.Repositories(t.Context(), "octo", func(r sweep.Repository) error { other = r; return nil }); err != nil {
		t.Fatal(err)
	}
	at := func(path string) finding.Location {
		return finding.Location{Blob: finding.BlobID(path), Kind: finding.KindBlob, Path: path}
	}
	long := strings.Repeat("deep/", 700) + "end.env"
	f, g := sweeptest.Finding("f", verifier.Unknown, "", s.Clock, at("Config/Ünal.env"), at("caf\xe9")), sweeptest.Finding("g", verifier.Unknown, "", s.Clock, at(long))
	s.found(t, one, false, f, g)
	s.found(t, other, false, sweeptest.Finding("f", verifier.Unknown, "", s.Clock, at("lib.env")))
	s.wantHolding(t, "found", map[string]string{"config/Ünal": "f", "config/ünal": "", "caf": "f", "LIB.ENV": "f", "octo/lib": "f", "acme/R1": "f g", "deep/end.env": "g", "": "f g"})

	s.list(t, sweep.Selection{}, sweep.Listed{ID: "1", Name: "acme/renamed"})
	s.wantHolding(t, "renamed", map[string]string{"acme/r1": "", "acme/renamed": "f g", "config/": "f"})

	f.Verdict.State, f.Verdict.Identity.Account = verifier.Live, "123456789012"
	s.Do(t, func(ctx context.Context, tx *sql.Tx) error {
		return s.PutVerdicts(ctx, tx, nil, sweep.Result{Findings: []finding.Finding{f}}, s.Clock.Add(time.Hour))
	})
	s.wantHolding(t, "verified", map[string]string{"3456": "f", "config/": "f"})

	for range 2 { // an earlier version has no such text
		if err := s.Migrate(t.Context(), 7); err != nil {
			t.Fatal(err)
		}
		if err := s.Migrate(t.Context(), database.Version()); err != nil {
			t.Fatal(err)
		}
	}
	held := map[string]string{"acme/renamed": "f g", "octo/LIB": "f", "3456": "f", "config/": "f"}
	s.wantHolding(t, "migrated", held)

	id := half("id-1", "", "a")
	s.found(t, other, false, id)
	s.found(t, one, false, half("id-1", "", "a"))
	s.found(t, one, false, whole("id-1", "hash-1", "a", "b"))
	s.wantHolding(t, "joined", map[string]string{"id-1": id.Fingerprint() + " whole", "acme/renamed": "f g whole", "octo/lib": id.Fingerprint() + " f"})

	if _, err := s.RemoveTarget(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	s.wantHolding(t, "removed", map[string]string{"acme/renamed": "", "config/": "", "octo/lib": id.Fingerprint() + " f"})
}
