package search

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/dirsource"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource"
	"github.com/stanch-dev/stanch/scanner/project"
	"github.com/stanch-dev/stanch/scanner/run"
	"github.com/stanch-dev/stanch/scanner/scannertest"
	"github.com/stanch-dev/stanch/verifier/awsverifier"
)

// newSearcher returns a searcher that asks nobody, and the number of times that it has
// asked for its options.
func newSearcher(t *testing.T) (*Searcher, *int) {
	t.Helper()
	config, err := project.Read(project.Options{})
	if err != nil {
		t.Fatal(err)
	}
	asked := new(int)
	return &Searcher{Options: func() run.Options {
		*asked++
		return run.Options{Project: config, Verifier: awsverifier.Offline{}}
	}}, asked
}

const pair = "aws_access_key_id = {AKIA1}\naws_secret_access_key = {secret1}\n"

func text() *dirsource.Stream {
	return &dirsource.Stream{Reader: strings.NewReader(detectorstest.Fill(pair)), Name: "a.ini"}
}

// TestScan: the result has the finding, counts, and no secret.
func TestScan(t *testing.T) {
	s, _ := newSearcher(t)
	result, err := s.Scan(t.Context(), text(), "https://github.com/acme/app")
	if err != nil {
		t.Fatal(err)
	}
	if len(result.Findings) != 1 || result.Objects != 1 || len(result.Unread) != 0 {
		t.Fatalf("%+v", result)
	}
	f := result.Findings[0]
	if f.Match.Credential.ID != detectorstest.Fill("{AKIA1}") || f.SecretSHA256() == "" || !f.Match.Credential.Secret.IsZero() {
		t.Errorf("%+v", f)
	}
}

// TestScanOfARepository has the page of the repository in the locations.
func TestScanOfARepository(t *testing.T) {
	scannertest.Need(t, "git", "sh")
	dir := scannertest.Repo(t, "cat >a.ini <<E\n"+detectorstest.Fill(pair)+"E\ncommit 1\n")
	repo, err := gitsource.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = repo.Close() })
	s, _ := newSearcher(t)
	const page = "https://github.com/acme/app"
	result, err := s.Scan(t.Context(), repo, page)
	if err != nil || len(result.Findings) != 1 {
		t.Fatalf("%+v, %v", result, err)
	}
	if l := result.Findings[0].Locations[0]; l.Repo != page || l.Path != "a.ini" || !l.AtHead {
		t.Errorf("%+v", l)
	}
}

// TestOptions: options are asked for again once answers are too old to be believed.
func TestOptions(t *testing.T) {
	s, asked := newSearcher(t)
	for range 2 {
		if _, err := s.Scan(t.Context(), text(), ""); err != nil {
			t.Fatal(err)
		}
	}
	if *asked != 1 {
		t.Errorf("asked %d times within the life of a verdict", *asked)
	}
	s.made = s.made.Add(-2 * verdictTTL)
	if _, err := s.Scan(t.Context(), text(), ""); err != nil || *asked != 2 {
		t.Errorf("asked %d times, %v", *asked, err)
	}
}

// A noting sink adds a fact to each finding.
type noting struct{ scanner.Sink }

// Finding implements scanner.Sink.
func (n noting) Finding(f *finding.Finding) error {
	f.Stale = "noted"
	return n.Sink.Finding(f)
}

// TestWrap: the sink of the caller sees a finding before the store does.
func TestWrap(t *testing.T) {
	s, _ := newSearcher(t)
	s.Wrap = func(_ context.Context, to scanner.Sink) scanner.Sink { return noting{to} }
	result, err := s.Scan(t.Context(), text(), "")
	if err != nil || !slices.ContainsFunc(result.Findings, func(f finding.Finding) bool { return f.Stale == "noted" }) {
		t.Errorf("%+v, %v", result, err)
	}
}
