package publish

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/ci"
	"github.com/stanch-dev/stanch/scanner/ci/checkout"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// env returns an environment of pairs.
func env(pairs ...string) ci.Env {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

// TestNoUpload: SARIF must close no alert that it knows nothing of, and call nothing clean that
// was not read.
func TestNoUpload(t *testing.T) {
	const service = "GitHub Actions"
	pull := ci.Event{Service: service, PullRequest: 7}
	fork := ci.Event{Service: service, PullRequest: 7, Fork: true}
	push := ci.Event{Service: service, Ref: "refs/heads/main"}
	whole, commits := checkout.Range{All: true}, checkout.Range{Include: []string{"c"}}
	found := finding.Summary{Findings: 1}
	for _, tt := range []struct {
		name       string
		upload     string
		event      ci.Event
		scanned    checkout.Range
		sum        finding.Summary
		incomplete bool
		token      string
		says       string // "" to upload
	}{
		{"a pull request", UploadAuto, pull, commits, finding.Summary{}, false, "t", ""},
		{"the whole repository", UploadAuto, push, whole, finding.Summary{}, false, "t", ""},
		{"a push", UploadAuto, push, commits, found, false, "t", "would close the alerts of earlier commits"},
		{"a push, if the user insists", UploadAlways, push, commits, found, false, "t", ""},
		{"a push without findings", UploadAlways, push, commits, finding.Summary{}, false, "t", "nothing was found"},
		{"a fork", UploadAuto, fork, commits, found, false, "t", "from a fork"},
		{"no token", UploadAuto, pull, commits, found, false, "", "no token"},
		{"a range of the user's", UploadAlways, ci.Event{}, commits, found, false, "t", "belongs to no branch or pull request"},
		{"an early end", UploadAlways, pull, commits, finding.Summary{Findings: 1, Stopped: true}, false, "t", "ended early"},
		{"incomplete, and nothing found", UploadAuto, pull, commits, finding.Summary{}, true, "t", "would show as clean"},
		{"incomplete, and findings", UploadAuto, pull, commits, found, true, "t", ""},
		{"commits that are not there", UploadAuto, pull, checkout.Range{Include: []string{"c"}, Unread: errors.New("cut off")}, finding.Summary{}, false, "t", "would show as clean"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := Publisher{Event: tt.event, Range: tt.scanned, Summary: tt.sum, Env: env("GITHUB_TOKEN", tt.token)}
			if got := p.noUpload(tt.upload, tt.incomplete); (got == "") != (tt.says == "") || !strings.Contains(got, tt.says) {
				t.Errorf("%q, want %q", got, tt.says)
			}
		})
	}
}

// TestCategory: each push has a category of its own, and the ref and the commit are those that
// were scanned.
func TestCategory(t *testing.T) {
	of := env("GITHUB_REF", "refs/heads/main", "GITHUB_SHA", "merge")
	for _, tt := range []struct {
		name                  string
		event                 ci.Event
		scanned               checkout.Range
		category, ref, commit string
	}{
		{"a push", ci.Event{Ref: "refs/heads/dev"}, checkout.Range{Include: []string{"c"}}, "stanch/push/c/", "refs/heads/dev", "c"},
		{"a pull request", ci.Event{PullRequest: 7}, checkout.Range{Include: []string{"c"}}, "stanch/", "refs/pull/7/head", "c"},
		{"the whole repository", ci.Event{}, checkout.Range{All: true}, "stanch/", "refs/heads/main", "merge"},
	} {
		p := Publisher{Event: tt.event, Range: tt.scanned, Env: of}
		ref, commit := p.analysed()
		if got := p.Category(); got != tt.category || ref != tt.ref || commit != tt.commit {
			t.Errorf("%s: %s of %s at %s, want %s of %s at %s", tt.name, got, ref, commit, tt.category, tt.ref, tt.commit)
		}
	}
}

// TestOutputs: each output is a line, whatever a file is called.
func TestOutputs(t *testing.T) {
	p := Publisher{
		Range:   checkout.Range{Include: []string{"new"}, Exclude: []string{"old"}, Commits: 3, Unread: errors.New("cut off")},
		Summary: finding.Summary{Findings: 2, Live: 1, Unread: []finding.Unread{{What: "a"}}},
	}
	const want = "findings=2\nverified=1\nunread=1\nscanned-commits=3\nbase=old\nhead=new\nsarif-file=a findings=0.sarif\njson-file=\ndegraded=true\nexit-code=3\n"
	if got := p.Outputs(3, "a\r\n findings=0.sarif", ""); got != want {
		t.Errorf("the outputs are\n%s\nwant\n%s", got, want)
	}
}

// TestAppend: text is added to the file that the variable names, and to none without it.
func TestAppend(t *testing.T) {
	file := filepath.Join(t.TempDir(), "summary")
	p := Publisher{Env: env("GITHUB_STEP_SUMMARY", file, "GITHUB_OUTPUT", filepath.Join(file, "below"))}
	if err := errors.Join(p.Append("GITHUB_STEP_SUMMARY", "a\n"), p.Append("GITHUB_STEP_SUMMARY", "b\n"), p.Append("NONE", "c\n")); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(file); string(got) != "a\nb\n" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if err := p.Append("GITHUB_OUTPUT", "x"); err == nil || !strings.Contains(err.Error(), "GITHUB_OUTPUT") {
		t.Errorf("a file that cannot be written: %v", err)
	}
}

// TestLineHash: only regular files of the folder are read; a repository names the paths.
func TestLineHash(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"in/a": "one\ntwo\n", "outside": "one\n"} {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(dir, "outside"), filepath.Join(dir, "in", "link")); err != nil {
		t.Skip(err)
	}
	hash := LineHash(filepath.Join(dir, "in"))
	one, two := hash("a", 1), hash("a", 2)
	if one == "" || two == "" || one == two {
		t.Errorf("the hashes of two lines are %q and %q", one, two)
	}
	for _, name := range []string{"../outside", "link", "none", "", "."} {
		if got := hash(name, 1); got != "" {
			t.Errorf("%q has the hash %s", name, got)
		}
	}
	if LineHash(filepath.Join(dir, "none")) != nil {
		t.Error("a folder that is not there can be read")
	}
}

// TestMask: the runner learns each secret of a finding before the finding is reported.
func TestMask(t *testing.T) {
	var log bytes.Buffer
	var next scannertest.Sink
	secret, other := detectorstest.SecretKey(1), detectorstest.SecretKey(2)
	f := finding.Finding{Others: []detectors.Secret{detectors.NewSecret(other)}}
	f.Match.Credential.Secret = detectors.NewSecret(secret)
	if err := NewRunner(&log).Mask(&next).Finding(&f); err != nil || len(next.Findings) != 1 {
		t.Fatalf("%d findings are passed on: %v", len(next.Findings), err)
	}
	for _, s := range []string{secret, other} {
		if !strings.Contains(log.String(), "::add-mask::"+s) {
			t.Error("a secret is not masked")
		}
	}
	if strings.Count(log.String(), "::add-mask::") != 2 {
		t.Errorf("%d masks", strings.Count(log.String(), "::add-mask::"))
	}
}
