//go:build sweep

package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/sweep/riverqueue"
	"github.com/stanch-dev/stanch/scanner/sweep/sweeptest"
)

// hostileNames are names that git and archives allow, and PostgreSQL and JSON do not.
var hostileNames = []struct{ name, text string }{
	{"latin1", "caf\xe9"},
	{"latin1-other", "caf\xe8"}, // JSON would make the same of both
	{"surrogate", "x\xed\xa0\x80"},
	{"overlong", "x\xc0\xaf"},
	{"control", "x\x01\x7f\x1b[31m"},
	{"quoted", `"caf\xe9"`},
	{"bang", "a.zip!b"},
	{"long", strings.Repeat("0123456789/", 360)},      // PostgreSQL has an end for rows of an index
	{"longest", strings.Repeat("01234\xff789/", 500)}, // the git source gives it up, and says so
}

// zipOf returns an archive with one member, whose name has NUL where it has ~.
func zipOf(t *testing.T, name, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	member, err := w.CreateHeader(&zip.FileHeader{Name: name, NonUTF8: true, Method: zip.Deflate})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := member.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return bytes.ReplaceAll(b.Bytes(), []byte("~"), []byte{0})
}

func tarOf(t *testing.T, name, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(text)), Format: tar.FormatPAX}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var z bytes.Buffer
	compressed := gzip.NewWriter(&z)
	if _, err := compressed.Write(b.Bytes()); err != nil {
		t.Fatal(err)
	}
	if err := compressed.Close(); err != nil {
		t.Fatal(err)
	}
	return z.Bytes()
}

// hostile makes an organization whose names are hostile, each in a repository of its own
// with key 1 in a file of the name. Some have key 2 beside it.
func (o *sweptOrg) hostile(t *testing.T) (want []string) {
	t.Helper()
	dir := t.TempDir()
	put := `put() { git update-index --add --cacheinfo "100644,$(git hash-object -w "$2"),$(cat "$1")"; }
submit() {
	git -c user.name=A -c user.email=a@example.com commit -qm 1
	# git itself makes UTF-8 of names
	git update-ref HEAD "$(git cat-file commit HEAD | LC_ALL=C sed "s/^author A/author $(printf 'Jos\351')/" | git hash-object -t commit -w --stdin)"
}
`
	file := func(name string, text []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return "'" + path + "'"
	}
	key := detectorstest.Fill("aws_access_key_id = {AKIA1}\naws_secret_access_key = {secret1}\n")
	for i, h := range hostileNames {
		// Each content differs, so that each is found at its own path.
		content := file("content-"+h.name, append([]byte(key), byte('a'+i), '\n'))
		o.repo(t, "path-"+h.name, "", put+"put "+file("name-"+h.name, []byte(h.text+".env"))+" "+content+"\nsubmit")
		want = append(want, "path-"+h.name)
	}
	for _, h := range []struct {
		name, as string
		archive  []byte
	}{
		{"zip-latin1", "a.zip", zipOf(t, "caf\xe9.env", key)},
		{"zip-nul", "a.zip", zipOf(t, "x~y.env", key)},
		{"zip-long", "a.zip", zipOf(t, strings.Repeat("\xe9~", 25_000)+".env", key)},
		{"tar-long", "a.tar.gz", tarOf(t, strings.Repeat("日本/", 15_000)+"a.env", key)},
	} {
		o.repo(t, h.name, "", put+"put "+file("name-"+h.name, []byte(h.as))+" "+file(h.name, h.archive)+"; submit")
		want = append(want, h.name)
	}
	broken := zipOf(t, "x.env", key)[:60]
	o.repo(t, "unread", "", put+"leak 2 good.env; git add good.env; put "+file("name-unread", []byte("caf\xe9.zip"))+" "+file("broken", broken)+"; submit")
	o.repo(t, "unread-member", "", put+"leak 2 good.env; git add good.env; put "+file("name-member", []byte("a.zip"))+" "+file("outer", zipOf(t, "caf\xe9~.zip", string(broken)))+"; submit")
	o.repo(t, "branch", "", `leak 1 f; commit 1; git branch "$(printf 'caf\351')"`)
	o.repo(t, "plain", "", "leak 1 f; echo >>f; commit 1")
	return append(want, "branch", "plain")
}

// clock matches the times and sizes that differ between two sweeps of one organization.
var clock = regexp.MustCompile(`"(started|first_seen|last_seen|at|elapsed_ms|bytes|fetched)":("[^"]*"|\d+),?`)

// TestSweepHostileNames sweeps names that are not UTF-8, or hold a NUL, or are long: with
// both databases all keys are found, and the reports are the same.
func TestSweepHostileNames(t *testing.T) {
	p := sweeptest.StartPostgres(t)
	o := newSweptOrg(t, filepath.Join(t.TempDir(), "sweep.db"))
	repositories := o.hostile(t)
	slices.Sort(repositories)
	want := []string{"1: " + strings.Join(repositories, " "), "2: unread unread-member"}
	o.add(t)
	text := func() (all []string) {
		t.Helper()
		got := o.sweep(t, cli.ExitIncomplete)
		for i := range got { // those at HEAD come first
			names := strings.Fields(got[i])
			slices.Sort(names[1:])
			got[i] = strings.Join(names, " ")
		}
		if !slices.Equal(got, want) {
			t.Errorf("found %q, want %q", got, want)
		}
		for _, format := range []string{"json", "text", "html", "sarif", "markdown"} {
			_, out, errs := o.stanch(t, "report", "--verbose", "-f", format)
			if format == "text" {
				for _, name := range []string{`"caf\xe9.env"`, `"caf\xe8.env"`, `"a.zip!x\x00y.env"`, `"x\xed\xa0\x80.env"`, `"caf\xe9.zip: `, `"Jos\xe9`} {
					if !strings.Contains(out, name) {
						t.Errorf("the report does not name %s", name)
					}
				}
			}
			if len(out) < 1000 {
				t.Fatalf("%s: %s", out, errs)
			}
			if format == "json" {
				out = clock.ReplaceAllString(out, "")
				all = append(all, slices.Sorted(strings.Lines(out))...)
			}
		}
		return all
	}
	sqlite := text()
	o.database = p.URL
	o.add(t)
	if postgres := text(); !slices.Equal(sqlite, postgres) {
		for i := range min(len(sqlite), len(postgres)) {
			if sqlite[i] != postgres[i] {
				t.Errorf("SQLite reports\n%.2000s\nand PostgreSQL\n%.2000s", sqlite[i], postgres[i])
			}
		}
		t.Errorf("SQLite reports %d records, PostgreSQL %d", len(sqlite), len(postgres))
	}
	// HEAD of each repository is known by the path, which has to come back as it was.
	o.push(t, "plain", `git rm -q f; commit 2`)
	o.push(t, "path-bang", `echo x >x; commit 2`)
	o.push(t, "path-latin1", `git ls-files -z | xargs -0 git rm -q --cached; git -c user.name=A -c user.email=a@example.com commit -qm 2`)
	text()
	_, out, _ := o.stanch(t, "report", "-f", "json")
	for name, want := range map[string]string{"plain": "false", "path-latin1": "false", "path-bang": "true", "path-latin1-other": "true", "zip-nul": "true"} {
		if m := regexp.MustCompile(`/acme/` + name + `","[^{]*"at_head":(true|false)`).FindStringSubmatch(out); m == nil || m[1] != want {
			t.Errorf("%s: at HEAD: %q, want %s", name, m, want)
		}
	}
}

// TestSweepHostileAnswers gives servers' errors that PostgreSQL does not hold.
func TestSweepHostileAnswers(t *testing.T) {
	p := sweeptest.StartPostgres(t)
	o := newSweptOrg(t, p.URL)
	o.repo(t, "good", "", `leak 1 f; commit 1`)
	o.repo(t, "bad", "", `leak 2 f; commit 1`)
	o.add(t)
	for _, status := range []int{403, 500} { // for good, and to be tried again
		o.setFault(only(code(status, "caf\xe9\x00"), "/bad.git/"))
		if got := o.sweep(t, cli.ExitIncomplete); !slices.Equal(got, []string{"1: good"}) {
			t.Errorf("%d: found %q", status, got)
		}
		if st := o.status(t); len(st.Troubled) != 1 || st.Troubled[0].Name != "acme/bad" {
			t.Errorf("%d: status says %+v", status, st.Troubled)
		}
	}
	o.setFault(only(code(401, `{"message":"a\u0000b"}`), "/api/v3/"))
	o.sweep(t, cli.ExitIncomplete)
	if st := o.status(t); !strings.Contains(st.Targets[0].Why, "a\x00b") {
		t.Errorf("status says %+v", st.Targets[0])
	}
	o.setFault(nil)
	if got := o.sweep(t, cli.ExitLeaks); !slices.Equal(got, []string{"1: good", "2: bad"}) {
		t.Errorf("after they were mended: found %q", got)
	}
	_, out, _ := o.stanch(t, "report", "-f", "json")
	fingerprint := regexp.MustCompile(`"fingerprint":"([0-9a-f]+)"`).FindStringSubmatch(out)[1]
	if status, _, errs := o.stanch(t, "ack", fingerprint, "--by", "Jos\xe9", "--note", "caf\xe9"); status != 0 {
		t.Error(errs)
	}
	if _, out, _ := o.stanch(t, "report", "-v"); !strings.Contains(out, `acknowledged by "Jos\xe9" ("caf\xe9")`) {
		t.Errorf("the report says %s", out)
	}
	for _, name := range []string{"caf\xe9", "bad name", "ftp://github.com/acme", "acme/app/x", ""} {
		if status, _, errs := o.stanch(t, "add", name); status != cli.ExitUsage || !strings.Contains(errs, "is no") {
			t.Errorf("add %q: exit status %d: %s", name, status, errs)
		}
	}
	latin, err := riverqueue.Open(t.Context(), p.URL, true)
	if err != nil {
		t.Fatal(err)
	}
	defer latin.Close()
	if _, err := latin.SQL.ExecContext(t.Context(), `CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'`); err != nil {
		t.Fatal(err)
	}
	o.database = strings.Replace(p.URL, "/postgres?", "/latin?", 1)
	if status, _, errs := o.stanch(t, "status"); status != cli.ExitIncomplete || !strings.Contains(errs, "ENCODING 'UTF8'") {
		t.Errorf("a database of Latin-1: exit status %d: %s", status, errs)
	}
}
