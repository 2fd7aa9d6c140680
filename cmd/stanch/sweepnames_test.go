//go:build sweep

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/scannertest"
	"github.com/stanch-dev/stanch/scanner/sweep/sweeptest"
)

// secretsFor returns n secrets that may be names of files, branches and repositories.
func secretsFor(n int, plain bool) (secrets []string) {
	for seed := uint64(1000); len(secrets) < n; seed++ {
		s := detectorstest.SecretKey(seed)
		if !strings.Contains("/"+s+"/", "//") && strings.ContainsAny(s, "/+") != plain {
			secrets = append(secrets, s)
		}
	}
	return secrets
}

// TestSweepSecretNames plants secrets in names: of repositories, forks, wikis, branches,
// tags, files, folders, files that cannot be read, authors and messages, before and after
// the secrets are findings, in other repositories than those. Neither database, nor a
// report, a page, a status or a log has one in any spelling, and all is read all the same.
func TestSweepSecretNames(t *testing.T) {
	for _, mode := range []string{"sqlite", "postgresql"} {
		t.Run(mode, func(t *testing.T) {
			database := filepath.Join(t.TempDir(), "sweep.db")
			if mode == "postgresql" {
				scannertest.Need(t, "pg_dump")
				database = sweeptest.StartPostgres(t).URL
			}
			o := newSweptOrg(t, database)
			odd, plain := secretsFor(2, false), secretsFor(2, true)
			secrets := slices.Concat(odd, plain)
			names := func(content string) (script string) {
				script = "echo " + content + " >f; commit 1\n"
				for i, s := range secrets {
					script += fmt.Sprintf(`s='%s'; i=%d
mkdir -p "a/$(dirname "$s")" "b/$s" "$(dirname "c/x-$s")"; echo "%s $i" >"a/$s.env"; echo "%[3]s $i x" >"b/$s/main.tf"; printf 'PK\003\004xxxxxxxxxxxxxxxxxxxxxxxxxxxxx%%s' "$i" >"c/x-$s.zip"
leak 2 "b/$s/keys"; echo "# $i" >>"b/$s/keys"
git add -A; git -c user.name="$s" -c user.email="$s@example.com" commit -qm "$s"
git branch "$s"; git tag "t-$s"; git -c user.name="$s" -c user.email=a@example.com tag -a -m "$s" "$s"
git checkout -q -b "other-$s"; leak 3 "g$i"; commit 1; git checkout -q main
`, s, i, content)
				}
				return script + "git push -q --tags\n"
			}
			key := func(i int, file string) string {
				return fmt.Sprintf("printf 'aws_access_key_id = %%s\\naws_secret_access_key = %%s\\n' '%s' '%s' >%s; commit 1\n", detectorstest.Fill(fmt.Sprintf("{AKIA%d}", 4+i)), secrets[i], file)
			}
			o.repo(t, "before", "", names("before"))
			o.repo(t, plain[0], "", "leak 1 f; commit 1").Wiki = true
			o.repo(t, plain[0]+".wiki", "", fmt.Sprintf("leak 1 '%s.md'; echo >>'%[1]s.md'; commit 1", plain[1]))
			o.unlist(plain[0] + ".wiki") // git has it, the list has not
			o.repo(t, "copy-"+plain[1], plain[0], "leak 1 g; echo x >>g; commit 2")
			o.repo(t, "lost", "", "leak 1 f; echo y >>f; commit 1")
			var log strings.Builder
			sweepOnce := func() []string {
				status, out, errs := o.stanch(t, "run", "--debug", "--no-verify", "--retry-after", "10ms", "-f", "json")
				if status != cli.ExitIncomplete {
					t.Errorf("exit status %d: %s", status, errs)
				}
				log.WriteString(errs)
				log.WriteString(out)
				return reposOf(t, []byte(out))
			}
			o.add(t, "--forks")
			sweepOnce()
			o.repo(t, "findings", "", key(0, "k0")+key(1, "k1")+key(2, "k2"))
			o.repo(t, "after", "", names("after"))
			o.push(t, "before", "echo x >new; commit 2")
			o.force("lost", o.head(t, "lost"))
			got := strings.Join(sweepOnce(), "\n")
			for _, name := range []string{"before", "after", "findings", "copy-[redacted", "lost"} {
				if !strings.Contains(got, name) {
					t.Errorf("found %s, and nothing in %s", got, name)
				}
			}
			if n := strings.Count(got, "[redacted"); n < 3 {
				t.Errorf("found %s: not in all repositories with a secret for a name", got)
			}
			o.taken()
			sweepOnce()
			if _, git := o.taken(); slices.ContainsFunc(git, func(s string) bool { return strings.Contains(s, "copy") }) {
				t.Errorf("nothing is new, and it asks %q", git)
			}
			files := map[string][]byte{"log": []byte(log.String())}
			for _, args := range [][]string{{"status"}, {"status", "--json"}, {"list"}, {"report", "-f", "json", "--verbose"}, {"report", "-f", "html"}, {"report"}, {"report", "-f", "sarif"}, {"report", "-f", "markdown"}} {
				_, out, errs := o.stanch(t, args...)
				files[strings.Join(args, " ")] = []byte(out + errs)
			}
			o.serve(t, func(get func(path string) string) {
				for _, path := range []string{"", "status.json", "metrics"} {
					files["/"+path] = []byte(get(path))
				}
			})
			if mode == "sqlite" {
				list, _ := filepath.Glob(database + "*")
				list = slices.DeleteFunc(list, func(file string) bool { return strings.HasSuffix(file, ".lock") })
				for _, file := range list {
					text, err := os.ReadFile(file)
					if err != nil {
						t.Fatal(err)
					}
					files[filepath.Base(file)] = text
				}
			} else {
				dump, err := exec.Command("pg_dump", database).CombinedOutput()
				if err != nil {
					t.Fatalf("%v: %s", err, dump)
				}
				files["dump"] = dump
			}
			for name, text := range files {
				if len(text) < 40 {
					t.Errorf("%s is only %q", name, text)
				}
				for i, s := range secrets {
					if needle := spelled(text, s); needle != "" {
						at := bytes.Index(text, []byte(needle))
						t.Errorf("%s has secret %d: %q", name, i, strings.ReplaceAll(string(text[max(0, at-80):min(len(text), at+100)]), needle, "<SECRET>"))
					}
				}
			}
		})
	}
}

// unlist takes a repository off the list of GitHub, which leaves it to git.
func (s *simulated) unlist(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.repos = slices.DeleteFunc(s.repos, func(r *simulatedRepo) bool { return r.Name == "acme/"+name })
}

// serve runs the server, and calls do with a function that gets a page of it.
func (o *sweptOrg) serve(t *testing.T, do func(get func(path string) string)) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	said, errs := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"sweep", "--database-url", o.database, "serve", "--listen", "127.0.0.1:0", "--no-verify"}, nil, io.Discard, errs)
		_ = errs.Close()
	}()
	lines := bufio.NewReader(said)
	line, err := lines.ReadString('\n')
	link := regexp.MustCompile(`(http://\S+/)\?token=(\S+)`).FindStringSubmatch(line)
	if err != nil || link == nil {
		t.Fatalf("it says %q, %v", line, err)
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	do(func(path string) string {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, link[1]+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+link[2])
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("/%s: %d, %v: %s", path, resp.StatusCode, err, body)
		}
		return string(body)
	})
	stop()
	<-ended
}

// spelled returns the spelling in which text has a secret, or the most of it.
func spelled(text []byte, secret string) string {
	for _, needle := range []string{
		secret[:30], secret[10:], url.QueryEscape(secret)[:30], url.PathEscape(secret)[:30], html.EscapeString(secret)[:30], strings.ReplaceAll(secret, "/", `\/`)[:30],
		hex.EncodeToString([]byte(secret))[:60], base64.StdEncoding.EncodeToString([]byte(secret))[:40],
	} {
		if bytes.Contains(text, []byte(needle)) {
			return needle
		}
	}
	return ""
}
