//go:build sweep

package engine

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/scanner/scannertest"
	"github.com/stanch-dev/stanch/scanner/sweep"
)

// asksLost returns the calls that ask for lost commits, and their places among all calls.
func asksLost(calls []string) (lost []string, at []int) {
	for i, call := range calls {
		if strings.HasPrefix(call, "lost ") {
			lost, at = append(lost, strings.TrimPrefix(call, "lost acme/")), append(at, i)
		}
	}
	return lost, at
}

// TestLostLast: a first sweep reads all that refs lead to before it asks for commits that
// they have left behind, so that a limit of the API holds up none of it. Later, a repository
// is asked about when it was pushed to, and one that was read with other rules again.
func TestLostLast(t *testing.T) {
	s := newSweeper(t)
	s.repository(t, "app", "", "echo key-1 >f; commit 1; echo key-2 >g; commit 2; git tag -f lost; git reset -q --hard HEAD~")
	lost := scannertest.Git(t, s.dir+"/acme/app", "rev-parse", "lost")
	scannertest.Git(t, s.dir+"/acme/app", "tag", "-d", "lost")
	s.repository(t, "other", "", "echo key-3 >f; commit 1")
	s.repository(t, "copy", "other", "echo key-4 >f; commit 1")
	s.lost["acme/app"] = map[string]string{"forced/main/x": lost}
	if failed := s.sweep(t, false); failed != nil {
		t.Error(failed)
	}
	calls := s.taken()
	asked, at := asksLost(calls)
	slices.Sort(asked)
	last := slices.IndexFunc(calls, func(c string) bool { return strings.Contains(c, "copy/.git/git-upload-pack") })
	if !slices.Equal(asked, []string{"app", "copy", "other"}) || at[0] < last {
		t.Errorf("calls: %q", calls)
	}
	s.wants(t, "first", "key-1 key-2 key-3 key-4", "app swept", "copy swept", "other swept")

	for _, tt := range []struct {
		name   string
		change func()
		full   bool
		want   []string
	}{
		{"nothing", func() {}, false, nil},
		{"a look", func() {}, true, nil},
		{"a push", func() { s.push(t, "other", "echo >x; commit 2") }, false, []string{"other"}},
		{"other rules", func() { s.engine.Detector = "v2" }, false, []string{"app", "copy", "other"}},
	} {
		tt.change()
		if failed := s.sweep(t, tt.full); failed != nil {
			t.Error(failed)
		}
		asked, _ := asksLost(s.taken())
		slices.Sort(asked)
		if !slices.Equal(asked, tt.want) {
			t.Errorf("%s: asked about %q, want %q", tt.name, asked, tt.want)
		}
	}
	s.wants(t, "in the end", "key-1 key-2 key-3 key-4", "app swept", "copy swept", "other swept")
}

// TestLostFailed: a repository whose lost commits could not be had is no clean one, and the
// next sweep asks again.
func TestLostFailed(t *testing.T) {
	s := newSweeper(t)
	s.repository(t, "app", "", "echo key-1 >f; commit 1")
	s.fail = func(call string) (int, error) {
		if strings.HasPrefix(call, "lost") {
			return 0, &sweep.Final{Err: errors.New("denied")}
		}
		return 0, nil
	}
	if failed := s.sweep(t, false); len(failed) != 1 {
		t.Error(failed)
	}
	s.wants(t, "denied", "key-1", "app failed")
	s.taken()
	s.fail = func(string) (int, error) { return 0, nil }
	if failed := s.sweep(t, false); failed != nil {
		t.Error(failed)
	}
	if asked, _ := asksLost(s.taken()); len(asked) != 1 {
		t.Errorf("asked about %q", asked)
	}
	s.wants(t, "allowed", "key-1", "app unchanged")
}
