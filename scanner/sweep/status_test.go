//go:build sweep

package sweep_test

import (
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
	onEachDatabase(t, map[string]func(onDatabase){"skipped": testSkipped})
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
