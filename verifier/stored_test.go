package verifier

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/detectors"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// A desk answers with one verdict, and counts.
type desk struct {
	verdict Verdict
	asked   int
}

func (d *desk) Verify(context.Context, detectors.Credential) Verdict {
	d.asked++
	return d.verdict
}

// run is one run of stanch at a time after noon.
func (d *desk) run(dir string, after time.Duration) *Stored {
	return &Stored{Verifier: d, Dir: dir, Scope: "sts", Now: func() time.Time { return noon.Add(after) }}
}

func live() Verdict {
	return Verdict{
		State: Live, At: noon, Facts: []Fact{{Name: "http-status", Value: "200"}},
		Identity: Identity{Account: "123456789012", ARN: "arn:aws:iam::123456789012:user/alice", Kind: "user", Name: "alice", UserID: "AIDAX"},
	}
}

// TestStoredLifetimes: how long each state counts, in another run.
func TestStoredLifetimes(t *testing.T) {
	const minute, hour = time.Minute, time.Hour
	for _, tt := range []struct {
		state       State
		fresh, over time.Duration // still remembered, no longer; 0 for never
	}{
		{Live, minute - 1, minute},
		{IDActive, minute - 1, minute},
		{Invalid, 24*hour - 1, 24 * hour},
		{Expired, 10000 * hour, 0},
		{CanarySuspected, 10000 * hour, 0},
		{Unknown, 0, 1},
		{Skipped, 0, 1},
		{NotVerifiable, 0, 1},
	} {
		t.Run(string(tt.state), func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "a", "b")
			cred := credential("id", "secret", "")
			want := live()
			want.State = tt.state
			d := &desk{verdict: want}
			if diff := cmp.Diff(want, d.run(dir, 0).Verify(t.Context(), cred)); diff != "" {
				t.Error(diff)
			}
			if tt.fresh > 0 {
				got := d.run(dir, tt.fresh).Verify(t.Context(), cred)
				n := len(got.Facts) - 1
				if d.asked != 1 || n != 1 || got.Facts[n].Name != CachedFact || !strings.Contains(got.Facts[n].Value, "2026-11-22T12:00:00Z") {
					t.Errorf("asked %d times, got %+v", d.asked, got)
				}
				got.Facts = got.Facts[:n]
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
			}
			if tt.over > 0 {
				d.run(dir, tt.over).Verify(t.Context(), cred)
				if d.asked != 2 {
					t.Errorf("asked %d times", d.asked)
				}
			}
			d.run(dir, -time.Minute).Verify(t.Context(), cred) // the clock was set back
			if d.asked < 2 {
				t.Error("a verdict from the future is believed")
			}
		})
	}
}

// TestStoredByAnotherClock: an answer that was kept for longer than it counts, or at a
// time that is still to come, is asked for again, and is gone afterwards even if the new
// answer is one that is not kept.
func TestStoredByAnotherClock(t *testing.T) {
	cred := credential("id", "secret", "")
	unknown := Verdict{State: Unknown, At: noon}
	for _, tt := range []struct {
		name        string
		kept, again time.Duration // when, after noon
		life        time.Duration
	}{
		{"an earlier version gave it an hour", 0, 2 * time.Minute, time.Hour},
		{"the clock was ahead", 24 * time.Hour, 0, time.Minute},
		{"the clock was a second ahead", time.Second, 0, time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			first := live()
			first.At = noon.Add(tt.kept)
			d := &desk{verdict: unknown}
			s := d.run(dir, tt.kept)
			s.Verify(t.Context(), cred) // makes the key
			if err := s.save(cred, first, tt.life); err != nil {
				t.Fatal(err)
			}
			for i, after := range []time.Duration{tt.again, tt.kept} {
				if v := d.run(dir, after).Verify(t.Context(), cred); v.State != Unknown || d.asked != i+2 {
					t.Errorf("%s after noon: asked %d times: %+v", after, d.asked, v)
				}
			}
		})
	}
}

// TestStoredApart: another credential, another scope, another folder.
func TestStoredApart(t *testing.T) {
	dir := t.TempDir()
	d := &desk{verdict: live()}
	first := credential("id", "secret", "")
	d.run(dir, 0).Verify(t.Context(), first)
	for _, c := range []detectors.Credential{credential("id", "secre", "t"), credential("i", "dsecret", ""), credential("id", "other", "")} {
		before := d.asked
		if d.run(dir, 0).Verify(t.Context(), c); d.asked != before+1 {
			t.Errorf("%s: not asked", c.ID)
		}
	}
	before := d.asked
	other := d.run(dir, 0)
	other.Scope = "elsewhere"
	other.Verify(t.Context(), first)
	d.run(t.TempDir(), 0).Verify(t.Context(), first)
	if d.asked != before+2 {
		t.Errorf("asked %d times", d.asked-before)
	}
	// Nobody was asked: that is not kept either.
	silent := live()
	silent.At = time.Time{}
	q := &desk{verdict: silent}
	q.run(dir, 0).Verify(t.Context(), credential("q", "s", ""))
	q.run(dir, 0).Verify(t.Context(), credential("q", "s", ""))
	if q.asked != 2 {
		t.Error("what was not asked is kept")
	}
}

// TestStoredTellsNothing: the folder is its owner's, and nothing of the credential or of
// the verdict can be read in it. Without a verdict there is no folder.
func TestStoredTellsNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	d := &desk{verdict: live()}
	_ = d.run(dir, 0)
	if _, err := os.Stat(dir); err == nil {
		t.Error("there is a folder before anything was asked")
	}
	d.run(dir, 0).Verify(t.Context(), credential("AKIDEXAMPLE", "the-secret", "the-token"))
	files := 0
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %s", path, info.Mode())
		}
		if e.IsDir() {
			return nil
		}
		files++
		b, err := os.ReadFile(path)
		for _, word := range []string{"AKIDEXAMPLE", "the-secret", "the-token", "123456789012", "alice", "live", "AIDAX"} {
			if bytes.Contains(b, []byte(word)) || strings.Contains(path, word) {
				t.Errorf("%s holds %s", path, word)
			}
		}
		return err
	})
	if err != nil || files != 2 {
		t.Errorf("%d files, %v", files, err)
	}
}

// TestStoredForgets: all verdicts about an id, and no other.
func TestStoredForgets(t *testing.T) {
	dir := t.TempDir()
	d := &desk{verdict: live()}
	all := []detectors.Credential{credential("one", "a", ""), credential("one", "b", ""), credential("two", "a", "")}
	ask := func() (n int) {
		before := d.asked
		for _, c := range all {
			d.run(dir, 0).Verify(t.Context(), c)
		}
		return d.asked - before
	}
	if n := ask(); n != 3 {
		t.Errorf("asked %d times", n)
	}
	none := filepath.Join(dir, "none")
	for _, s := range []*Stored{d.run(dir, 0), d.run(none, 0)} {
		if err := s.Forget("one"); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(none); err == nil {
		t.Error("a folder is made to forget what is in it")
	}
	if n := ask(); n != 2 {
		t.Errorf("asked %d times after one is forgotten", n)
	}
}

// TestStoredIsOfNoUse: what is damaged, forged or not private is not believed, and is
// never an error.
func TestStoredIsOfNoUse(t *testing.T) {
	cred := credential("id", "secret", "")
	for name, spoil := range map[string]func(dir, key, file string) error{
		"no folder": func(dir, _, _ string) error {
			return os.WriteFile(filepath.Join(dir, "x"), nil, 0o600) // and below it nothing can be made
		},
		"another key": func(_, key, _ string) error { return os.WriteFile(key, bytes.Repeat([]byte{1}, 32), 0o600) },
		"short key":   func(_, key, _ string) error { return os.WriteFile(key, []byte("x"), 0o600) },
		"open key":    func(_, key, _ string) error { return os.Chmod(key, 0o644) },
		"cut off":     func(_, _, file string) error { return os.Truncate(file, 20) },
		"empty":       func(_, _, file string) error { return os.Truncate(file, 0) },
		"forged":      func(_, _, file string) error { return os.WriteFile(file, []byte(`{"sealed":"bGl2ZQ=="}`), 0o600) },
		"a byte": func(_, _, file string) error {
			b, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			b[len(b)-10] ^= 1
			return os.WriteFile(file, b, 0o600)
		},
		"a link": func(_, _, file string) error {
			if err := os.Rename(file, file+".real"); err != nil {
				return err
			}
			return os.Symlink(file+".real", file)
		},
		"longer life": func(_, _, file string) error {
			b, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			return os.WriteFile(file, bytes.Replace(b, []byte("2026"), []byte("2036"), 1), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			if runtime.GOOS == "windows" && (name == "open key" || name == "a link") {
				t.Skip("no such modes")
			}
			dir := t.TempDir()
			d := &desk{verdict: live()}
			s := d.run(dir, 0)
			s.Verify(t.Context(), cred)
			if err := spoil(dir, filepath.Join(dir, keyFile), filepath.Join(dir, s.file(cred))); err != nil {
				t.Fatal(err)
			}
			if name == "no folder" {
				dir = filepath.Join(dir, "x")
			}
			later := time.Duration(0)
			if name == "longer life" {
				later = 2 * time.Hour
			}
			v := d.run(dir, later).Verify(t.Context(), cred)
			if d.asked != 2 || v.State != Live {
				t.Errorf("asked %d times: %+v", d.asked, v)
			}
		})
	}
}

// TestStoredIsShared: many at once, of one process and of several.
func TestStoredIsShared(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	var group sync.WaitGroup
	for range 8 {
		d := &desk{verdict: live()}
		s := d.run(dir, 0)
		group.Go(func() {
			for range 20 {
				if v := s.Verify(t.Context(), credential("id", "secret", "")); v.State != Live {
					t.Errorf("%+v", v)
				}
				_ = s.Forget("id") // another one may be faster
			}
		})
	}
	group.Wait()
}
