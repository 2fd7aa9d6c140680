//go:build sweep

package sweep_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
	"github.com/stanch-dev/stanch/verifier"
)

func TestHalves(t *testing.T) {
	onEachDatabase(t, map[string]func(onDatabase){"join": testJoin, "half_elsewhere": testHalfElsewhere, "many": testHalvesAmongMany})
}

// half returns an id without a secret, or a secret without an id if the id is "", in a file.
func half(id, secret, file string) finding.Finding {
	f := finding.Finding{Locations: []finding.Location{{Blob: finding.BlobID(file), Kind: finding.KindBlob, Path: file, AtHead: true}}}
	f.Match.Rule, f.Match.Credential.ID = &detectors.Rule{ID: "aws-access-key"}, id
	f.Verdict.State = verifier.Skipped
	if id == "" {
		f.Match.Rule = &detectors.Rule{ID: "aws-secret-key"}
		f.Digest = &finding.Digest{Fingerprint: "secret " + secret, SecretSHA256: secret}
	}
	return f
}

// whole returns a live key of which the halves are in two files.
func whole(id, secret string, files ...string) finding.Finding {
	f := half(id, secret, files[0])
	f.Digest = &finding.Digest{Fingerprint: "whole", SecretSHA256: secret}
	f.Verdict.State = verifier.Live
	for _, file := range files[1:] {
		f.Locations = append(f.Locations, finding.Location{Blob: finding.BlobID(file), Kind: finding.KindBlob, Path: file, AtHead: true})
	}
	return f
}

// testJoin: the store knows in which files halves of keys are, and a whole key takes the place
// of its halves, with what people have said of them.
func testJoin(on onDatabase) {
	t, s := on.t, on.store
	s.put(t)
	r := s.repositoryNamed(t, "1")
	first := s.Clock
	id, secret := half("id-1", "", "a"), half("", "hash-1", "b")
	s.found(t, r, false, id, secret)
	for name, read := range map[string]func() (sweep.Places, error){
		"halves":   func() (sweep.Places, error) { return s.Halves(t.Context(), r.Number) },
		"files":    func() (sweep.Places, error) { return s.PlacesOf(t.Context(), r.Number, []string{"a", "b"}) },
		"one file": func() (sweep.Places, error) { return s.PlacesOf(t.Context(), r.Number, []string{"b"}) },
	} {
		known, err := read()
		if err != nil || len(known["b"]) != 1 || known["b"][0].Path != "b" || !known["b"][0].AtHead || (len(known["a"]) == 1) == (name == "one file") {
			t.Errorf("%s: %+v, %v", name, known, err)
		}
		left := known.WithoutHalves([]finding.Finding{half("", "hash-1", "b"), half("id-2", "", "c"), whole("id-1", "hash-1", "a", "b")})
		if len(left) != 2 || left[0].Match.Credential.ID != "id-2" {
			t.Errorf("%s: what is new is %+v", name, left)
		}
	}
	s.Do(t, func(ctx context.Context, tx *sql.Tx) error {
		_, err := database.Exec(ctx, tx, `UPDATE finding SET owner = 'ada', comment = 'ours' WHERE fingerprint = $1`, id.Fingerprint())
		return err
	})
	s.Clock = s.Clock.Add(time.Hour)
	s.found(t, r, false, whole("id-1", "hash-1", "a", "b"))
	got := s.Known(t)["whole"]
	if keys := s.Keys(t); keys != "whole" || got.History.Owner != "ada" || got.History.Note != "ours" || !got.History.FirstSeen.Equal(first) {
		t.Errorf("joined, there is %s: %+v", keys, got.History)
	}
}

// testHalfElsewhere: a half that another repository has, too, stays a finding.
func testHalfElsewhere(on onDatabase) {
	t, s := on.t, on.store
	s.put(t)
	one, two := s.repositoryNamed(t, "1"), s.repositoryNamed(t, "2")
	id := half("id-1", "", "a")
	s.found(t, one, false, id)
	s.found(t, two, false, half("id-1", "", "a"))
	s.found(t, one, false, whole("id-1", "hash-1", "a", "b"))
	known := s.Known(t)
	if got := known[id.Fingerprint()]; len(known) != 2 || len(got.Locations) != 1 {
		t.Errorf("there is %+v", known)
	}
	if there, err := s.HasFileLocations(t.Context(), two.Number); err != nil || !there {
		t.Errorf("it has findings in files: %v, %v", there, err)
	}
	if blobs, err := s.Halves(t.Context(), one.Number); err != nil || len(blobs) > 0 {
		t.Errorf("all halves of the first are joined: %+v, %v", blobs, err)
	}
}

// testHalvesAmongMany: to store a whole key takes as long among 8,000 findings as among none:
// its halves are looked for in its own texts. The shortest of 20 counts, as others use the
// machine too.
func testHalvesAmongMany(on onDatabase) {
	t, s := on.t, on.store
	s.put(t)
	r := s.repositoryNamed(t, "1")
	shortest := func(name string) time.Duration {
		best := time.Hour
		for i := range 20 {
			f := whole(fmt.Sprint("id-", name, i), "hash", fmt.Sprint(name, i))
			f.Digest.Fingerprint = fmt.Sprint(name, i)
			began := time.Now()
			s.found(t, r, false, f)
			best = min(best, time.Since(began))
		}
		return best
	}
	none := shortest("none")
	record := `{"text":"` + strings.Repeat("x", 1500) + `"}`
	err := s.Tx(t.Context(), func(tx *sql.Tx) error {
		for i := range 8000 {
			if _, err := database.Exec(t.Context(), tx, `INSERT INTO finding (fingerprint, key_id, account, state, reason, ignored, verified, first_seen, last_seen, record)
				VALUES ($1, '', '', 'skipped', '', '', 0, 1, 1, $2)`, fmt.Sprint("old", i), record); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if many := shortest("many"); many > 8*none {
		t.Errorf("a key takes %s among many findings, and %s among none", many, none)
	}
}
