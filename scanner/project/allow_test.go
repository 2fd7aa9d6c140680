package project_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/scanner/project"
)

const (
	one = "9f520000000000000000000000000001"
	two = "9f520000000000000000000000000002"
)

var (
	today = time.Date(2026, 11, 22, 12, 0, 0, 0, time.Local)
	later = time.Date(2027, 1, 31, 0, 0, 0, 0, time.Local)
)

func allowance(file string, fingerprints ...string) *project.Allowance {
	return &project.Allowance{File: file, Name: project.OwnConfig, Reason: "demo", Fingerprints: fingerprints, Now: today}
}

func entry(fingerprint, more string) string {
	return "[[allow]]\nreason = \"demo\"\n" + more + "fingerprints = [\"" + fingerprint + "\"]\n"
}

// TestAllow: a fingerprint gets one entry, whatever the file has.
func TestAllow(t *testing.T) {
	for _, tt := range []struct {
		name, file string
		until      time.Time
		want       string // the file; "" if it is as it was
		says       string // what was there before, or the error
	}{
		{"empty", "", time.Time{}, entry(one, ""), ""},
		{"until a day", "", later, entry(one, "expires = 2027-01-31\n"), ""},
		{"a mark", "\ufeff# ours\r\n", time.Time{}, "\ufeff# ours\r\n\r\n" + strings.ReplaceAll(entry(one, ""), "\n", "\r\n"), ""},
		{"there", "# ours\n" + entry(one, ""), time.Time{}, "", "old 2 for ever demo"},
		{"there in capitals", entry(strings.ToUpper(one), ""), time.Time{}, "", "old 1 for ever demo"},
		{"there until a day", entry(one, "expires = 2027-01-31\n"), time.Time{}, "", "old 1 until 2027-01-31 demo"},
		{"there until this day", entry(one, "expires = 2027-01-31\n"), later, "", "old 1 until 2027-01-31 demo"},
		{"there until another day", entry(one, "expires = 2027-02-01\n"), later, "", "line 1 allows " + one + " already, until 2027-02-01: to change that, set expires there"},
		{"there for ever", entry(one, ""), later, "", "line 1 allows " + one + " already, for ever"},
		{"there and over", entry(one, "expires = 2026-11-21\n"), later, entry(one, "expires = 2026-11-21\n") + "\n" + entry(one, "expires = 2027-01-31\n"), "over 1 until 2026-11-21 demo"},
		{"over and there", entry(one, "expires = 2026-11-21\n") + entry(one, ""), time.Time{}, "", "old 5 for ever demo"},
		{"there for a path", entry(one, "paths = ['a']\n"), time.Time{}, entry(one, "paths = ['a']\n") + "\n" + entry(one, ""), ""},
		{"there for its rule", entry(one, "rules = ['aws-access-key']\n"), time.Time{}, "", "old 1 for ever demo"},
		{"another", entry(two, ""), time.Time{}, entry(two, "") + "\n" + entry(one, ""), ""},
		{"broken", "[[allow]]\n", time.Time{}, "", ".stanch.toml: line 1: allow: reason: is missing"},
		{"of gitleaks", "[allowlist]\npaths = ['a']\n", time.Time{}, "", ".stanch.toml is in the format of gitleaks"},
		{"UTF-16", "\xff\xfea\x00", time.Time{}, "", ".stanch.toml: it is UTF-16"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := folder(t, project.OwnConfig, tt.file)
			a := allowance(filepath.Join(dir, project.OwnConfig), one)
			a.Until = tt.until
			done, err := a.Allow()
			said := ""
			if err != nil {
				said = err.Error()
			} else {
				for _, old := range done.Old {
					said += fmt.Sprintf("old %d %s %s", old.Line, project.Term(old.Expires), old.Reason)
				}
				for _, over := range done.Over {
					said += fmt.Sprintf("over %d %s %s", over.Line, project.Term(over.Expires), over.Reason)
				}
				if (len(done.New) > 0) != (tt.want != "") {
					t.Errorf("%q are new", done.New)
				}
			}
			if !strings.Contains(said, tt.says) || tt.says == "" && said != "" {
				t.Errorf("%q, want %q", said, tt.says)
			}
			want := tt.want
			if want == "" {
				want = tt.file
			}
			onlyConfig(t, dir, want)
		})
	}
}

// onlyConfig checks that the configuration in dir is text, and that nothing else is there.
func onlyConfig(t *testing.T, dir, text string) {
	t.Helper()
	got, err := os.ReadFile(filepath.Join(dir, project.OwnConfig))
	if string(got) != text || err != nil {
		t.Errorf("the file is %q (%v), want %q", got, err, text)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".stanch.toml?*")); len(left) > 0 {
		t.Errorf("%q are left behind", left)
	}
}

// TestAllowKeepsTheFile: its mode, and the link that leads to it.
func TestAllowKeepsTheFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes and links of Unix")
	}
	dir := folder(t, "shared.toml", "")
	for _, err := range []error{os.Chmod(filepath.Join(dir, "shared.toml"), 0o640), os.Symlink("shared.toml", filepath.Join(dir, project.OwnConfig))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	a := allowance(filepath.Join(dir, project.OwnConfig), one)
	a.Root = dir
	if _, err := a.Allow(); err != nil {
		t.Fatal(err)
	}
	onlyConfig(t, dir, entry(one, ""))
	if link, err := os.Readlink(a.File); link != "shared.toml" {
		t.Errorf("it is a link to %q, %v", link, err)
	}
	if info, err := os.Stat(a.File); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// TestAllowCannotWrite: an error says why, and the file stays as it is.
func TestAllowCannotWrite(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes and links of Unix")
	}
	outside := folder(t, "x.toml", "# theirs\n")
	for _, tt := range []struct {
		name  string
		do    func(file string) error
		fails string
	}{
		{"read-only", func(file string) error { return os.WriteFile(file, nil, 0o400) }, "it is read-only"},
		{"a folder", func(file string) error { return os.Mkdir(file, 0o700) }, "not a regular file"},
		{"a link that leads nowhere", func(file string) error { return os.Symlink("none", file) }, "leads nowhere"},
		{"a link that leads out", func(file string) error { return os.Symlink(filepath.Join(outside, "x.toml"), file) }, "leads out of the project"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			a := allowance(filepath.Join(dir, project.OwnConfig), one)
			a.Root = dir
			if err := tt.do(a.File); err != nil {
				t.Fatal(err)
			}
			before, _ := os.ReadFile(a.File)
			if _, err := a.Allow(); err == nil || !strings.Contains(err.Error(), tt.fails) {
				t.Errorf("%v, want %q", err, tt.fails)
			}
			after, _ := os.ReadFile(a.File)
			if left, _ := filepath.Glob(a.File + "?*"); string(after) != string(before) || len(left) > 0 {
				t.Errorf("%q became %q, with %q beside it", before, after, left)
			}
		})
	}
	if _, err := allowance(filepath.Join(t.TempDir(), "none", "x.toml"), one).Allow(); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("in no folder: %v", err)
	}
}

// TestAllowAtOnce: several at the same time each write their entry, and the same one once.
func TestAllowAtOnce(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, project.OwnConfig)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			if _, err := allowance(file, fmt.Sprintf("%032x", i/2)).Allow(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	text, err := os.ReadFile(file)
	if n := strings.Count(string(text), "[[allow]]"); n != 10 || err != nil {
		t.Errorf("%d entries, want 10: %v\n%s", n, err, text)
	}
	onlyConfig(t, dir, string(text))
}

func TestCreateConfig(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, project.OwnConfig)
	if err := project.CreateConfig(file, dir, []byte("# new\n")); err != nil {
		t.Fatal(err)
	}
	if err := project.CreateConfig(file, dir, []byte("# newer\n")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second time: %v", err)
	}
	onlyConfig(t, dir, "# new\n")
}
