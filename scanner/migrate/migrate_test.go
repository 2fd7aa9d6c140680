package migrate_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/migrate"
	"github.com/stanch-dev/stanch/scanner/project"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// folder returns a folder with files, given as name and content in turn.
func folder(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for pair := range slices.Chunk(files, 2) {
		if err := os.WriteFile(filepath.Join(dir, pair[0]), []byte(detectorstest.Fill(pair[1])), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const keys = "[one]\naws_access_key_id = {AKIA1}\naws_secret_access_key = {secret1}\n[two]\naws_access_key_id = {AKIA2}\naws_secret_access_key = {secret2}\n"

// read returns the configuration of dir with text as its .stanch.toml: it must be valid.
func read(t *testing.T, dir, text string) *project.Config {
	t.Helper()
	c, err := project.Read(project.Options{Within: dir, Trusted: func(name string) ([]byte, error) {
		if name == project.OwnConfig {
			return []byte(text), nil
		}
		return nil, nil
	}})
	if err != nil {
		t.Fatalf("%v in:\n%s", err, text)
	}
	return c
}

// TestFiles: each kind of file becomes entries that stanch reads.
func TestFiles(t *testing.T) {
	for _, tt := range []struct {
		name, file, content string
		want                []string // in the text
		not                 string
	}{
		{"rules of gitleaks", "x.toml", "[[rules]]\nid = 'theirs'\nregex = '''token-[0-9]{6}'''\nkeywords = ['token-']\n", []string{"# From ", "id = ", "theirs", "token-[0-9]{6}"}, "[[allow]]"},
		{"lines of git-secrets", project.GitAllowed, "# a comment\n\nexample-[0-9]+\n", []string{"[[allow]]", "example-[0-9]+"}, "a comment"},
		{"findings of gitleaks", project.GitleaksIgnore, "a.ini:aws-access-token:2\n", []string{"was listed in .gitleaksignore: ", "a.ini:2", "fingerprints"}, "a.ini:5"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := folder(t, "a.ini", keys, tt.file, tt.content)
			var out strings.Builder
			m := migrate.Migration{Root: dir, Out: &out}
			if err := m.Files(t.Context(), []string{filepath.Join(dir, tt.file)}); err != nil {
				t.Fatal(err)
			}
			for _, want := range tt.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("%q is not in:\n%s", want, &out)
				}
			}
			if strings.Contains(out.String(), tt.not) {
				t.Errorf("%q is in:\n%s", tt.not, &out)
			}
			if strings.Contains(out.String(), detectorstest.SecretKey(1)) {
				t.Error("a secret is written")
			}
			read(t, dir, out.String())
		})
	}
}

// TestUnread: a part that cannot be read is said once, though each file is bound by a scan of
// its own, and the entries for the rest are written. A part that the project accepts is not said.
func TestUnread(t *testing.T) {
	baseline := filepath.Join("old", project.GitleaksIgnore)
	dir := folder(t, "a.ini", keys, "b.zip", "PK\x03\x04broken", project.GitleaksIgnore, "a.ini:aws-access-token:2\n")
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "old"), 0o700), os.WriteFile(filepath.Join(dir, baseline), []byte("a.ini:aws-access-token:5\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	for accepted, want := range map[string][]string{
		"": {"b.zip"},
		"[[unread]]\nreason = 'lost its tail'\npaths = ['b.zip']\n": nil,
	} {
		if err := os.WriteFile(filepath.Join(dir, project.OwnConfig), []byte(accepted), 0o600); err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		m := migrate.Migration{Root: dir, Out: &out}
		if err := m.Files(t.Context(), []string{filepath.Join(dir, project.GitleaksIgnore), filepath.Join(dir, baseline)}); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, u := range m.Unread {
			got = append(got, filepath.Base(u.What))
		}
		if !slices.Equal(got, want) || strings.Count(out.String(), "was listed in") != 2 {
			t.Errorf("not read: %q, want %q; written:\n%s", m.Unread, want, &out)
		}
	}
}

// TestProject migrates the files in the root and the settings of git-secrets, together.
func TestProject(t *testing.T) {
	scannertest.Need(t, "git", "sh")
	dir := scannertest.Repo(t, "git config --add secrets.patterns 'badge-[0-9]{6}'; git config --add secrets.allowed 'badge-000000'\n")
	if err := os.WriteFile(filepath.Join(dir, project.GitleaksConfig), []byte("[[rules]]\nid = 'theirs'\nregex = '''token-[0-9]{6}'''\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := (&migrate.Migration{Root: dir, Out: &out}).Project(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"theirs", "badge-[0-9]{6}", "badge-000000"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in:\n%s", want, &out)
		}
	}
	if n := len(read(t, dir, out.String()).Rules()); n != 2 {
		t.Errorf("%d rules in:\n%s", n, &out)
	}
}

// TestErrors: a project that has nothing, a file of no tool, and a project that cannot be
// scanned, which is told apart.
func TestErrors(t *testing.T) {
	empty := migrate.Migration{Root: t.TempDir(), Out: &strings.Builder{}}
	if err := empty.Project(t.Context()); err == nil || !strings.Contains(err.Error(), "nothing to migrate") {
		t.Errorf("an empty project: %v", err)
	}
	dir := folder(t, "x.txt", "hello", project.GitleaksIgnore, "a.ini:aws-access-token:2\n")
	if err := empty.Files(t.Context(), []string{filepath.Join(dir, "x.txt")}); err == nil || !strings.Contains(err.Error(), "x.txt: not a file of gitleaks") {
		t.Errorf("a file of no tool: %v", err)
	}
	if err := empty.Files(t.Context(), []string{filepath.Join(dir, "none")}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	var scan *migrate.ScanError
	if err := empty.Files(cancelled, []string{filepath.Join(dir, project.GitleaksIgnore)}); !errors.As(err, &scan) || !errors.Is(err, context.Canceled) {
		t.Errorf("a scan that is cancelled: %v", err)
	}
}
