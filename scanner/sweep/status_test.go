//go:build sweep

package sweep_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
	"github.com/stanch-dev/stanch/scanner/sweep/sweeptest"
	"github.com/stanch-dev/stanch/verifier"
)

func TestStatus(t *testing.T) {
	onEachDatabase(t, map[string]func(onDatabase){"skipped": testSkipped, "listing": testListingFails})
}

// testSkipped: the status says of skipped findings whether there is a secret, as their records
// say it, also of those that an earlier version has stored.
func testSkipped(on onDatabase) {
	t, s := on.t, on.store
	s.put(t)
	skipped := func(name, hash string, value bool) finding.Finding {
		f := sweeptest.Finding(name, verifier.Skipped, "", time.Time{}, finding.Location{Blob: finding.BlobID(name), Kind: finding.KindBlob})
		f.Digest.SecretSHA256, f.Match.Rule = hash, &detectors.Rule{ID: "rule", Value: value}
		return f
	}
	r := s.repositoryNamed(t, "1")
	s.found(t, r, false, skipped("id", "", false), skipped("pair", "5a", false), skipped("value", "", true), skipped("verified", "5a", false))
	live := skipped("verified", "5a", false)
	live.Verdict.State = verifier.Live
	s.found(t, r, false, live)
	want := sweep.FindingStatus{Open: 4, ByState: map[string]int{"skipped": 3, "live": 1}, Skipped: map[string]int{finding.SkippedIDOnly: 1, finding.SkippedNotVerified: 2}}
	for _, version := range []int{database.Version(), 6} {
		if err := s.Migrate(t.Context(), version); err != nil {
			t.Fatal(err)
		}
		if err := s.Migrate(t.Context(), database.Version()); err != nil {
			t.Fatal(err)
		}
		st, err := s.Status(t.Context())
		if d := cmp.Diff(want, st.Findings); d != "" || err != nil {
			t.Errorf("from version %d: %v, %s", version, err, d)
		}
	}
}

// testListingFails: the status says of a target that could not be listed when and why that was,
// and not that its sweep goes on.
func testListingFails(on onDatabase) {
	t, s := on.t, on.store
	s.put(t)
	begun := s.Clock.Local().Format(time.DateTime)
	s.Clock = s.Clock.Add(time.Hour)
	if err := s.Begin(t.Context(), &sweeptest.Queue{}, "acme", false); err != nil { // it goes on
		t.Fatal(err)
	}
	tried := s.Clock.Local().Format(time.DateTime)
	for _, tt := range []struct {
		until time.Time
		want  string
	}{
		{time.Time{}, "acme not listed since " + begun + " listing failed " + tried + ": no route"},
		{s.Clock, "acme sweeping since " + begun + ", 0 left to look at listing waits until " + tried + ": no route"},
	} {
		if err := s.NoteListing(t.Context(), &sweeptest.Queue{}, "acme", "no route", tt.until); err != nil {
			t.Fatal(err)
		}
		st, err := s.Status(t.Context())
		var text strings.Builder
		if err := errors.Join(err, st.WriteText(&text)); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(strings.Fields(text.String()), " "); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: %q", tt.want, got)
		}
	}
}

// BenchmarkStatus reads the status of 50,000 findings.
func BenchmarkStatus(b *testing.B) {
	sweeptest.OnEachDatabase(b, map[string]func(*testing.B, *sweeptest.Store){"many": func(b *testing.B, s *sweeptest.Store) {
		b.Helper()
		s.Fill(b, sweeptest.Many)
		b.Run("status", func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Status(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}})
}
