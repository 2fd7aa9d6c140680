package search

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/dirsource"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource"
	"github.com/stanch-dev/stanch/scanner/project"
	"github.com/stanch-dev/stanch/scanner/run"
	"github.com/stanch-dev/stanch/scanner/scannertest"
	"github.com/stanch-dev/stanch/verifier/awsverifier"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// newSearcher returns a searcher that asks nobody.
func newSearcher(t *testing.T) *Searcher {
	t.Helper()
	config, err := project.Read(project.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return &Searcher{Options: func() run.Options { return run.Options{Project: config, Verifier: awsverifier.Offline{}} }}
}

const pair = "aws_access_key_id = {AKIA1}\naws_secret_access_key = {secret1}\n"

func text() *dirsource.Stream {
	return &dirsource.Stream{Reader: strings.NewReader(detectorstest.Fill(pair)), Name: "a.ini"}
}

// TestScan: the result has the finding, counts, and no secret.
func TestScan(t *testing.T) {
	s := newSearcher(t)
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
	s := newSearcher(t)
	const page = "https://github.com/acme/app"
	result, err := s.Scan(t.Context(), repo, page)
	if err != nil || len(result.Findings) != 1 {
		t.Fatalf("%+v, %v", result, err)
	}
	if l := result.Findings[0].Locations[0]; l.Repo != page || l.Path != "a.ini" || !l.AtHead {
		t.Errorf("%+v", l)
	}
}

// TestFreshness: for how long the process of a sweep believes AWS, with the cache folder and
// without, and that it counts every request of all that time.
func TestFreshness(t *testing.T) {
	alice, carol := verifiertest.User(detectorstest.Account, "alice", 1), verifiertest.User(detectorstest.Account, "carol", 3)
	config, err := project.Read(project.Options{})
	if err != nil {
		t.Fatal(err)
	}
	type step struct {
		after      time.Duration // since the first question
		live, dead int           // how often STS was asked about alice, and about carol, whom it does not know
	}
	for name, tt := range map[string]struct {
		cache string
		steps []step
	}{
		"remembered on disk": {t.TempDir(), []step{{0, 1, 1}, {59 * time.Second, 1, 1}, {time.Minute, 2, 1}, {11 * time.Minute, 3, 1}, {24*time.Hour - time.Second, 4, 1}, {24*time.Hour + time.Second, 4, 1}, {25 * time.Hour, 5, 2}}},
		"--no-cache":         {"", []step{{0, 1, 1}, {59 * time.Second, 1, 1}, {time.Minute, 2, 1}, {verdictTTL, 3, 1}, {verdictTTL + time.Second, 4, 2}, {2 * verdictTTL, 5, 2}, {2*verdictTTL + 2*time.Second, 6, 3}}},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			now := began
			clock := func() time.Time { return now }
			sts := verifiertest.NewUnstartedSTS(alice)
			sts.Now = clock
			sts.Start()
			t.Cleanup(sts.Close)
			client, err := awsverifier.New(awsverifier.Config{Endpoint: sts.URL, Cache: tt.cache, Now: clock})
			if err != nil {
				t.Fatal(err)
			}
			s := &Searcher{Now: clock, Options: func() run.Options { return run.Options{Project: config, Verifier: client.Fresh()} }}
			for _, at := range tt.steps {
				now = began.Add(at.after)
				text := ""
				for _, c := range []detectors.Credential{alice.Credential, carol.Credential} {
					text += "[p]\naws_access_key_id = " + c.ID + "\naws_secret_access_key = " + c.Secret.Reveal() + "\n"
				}
				result, err := s.Scan(t.Context(), &dirsource.Stream{Reader: strings.NewReader(text), Name: "credentials"}, "")
				if err != nil || len(result.Findings) != 2 {
					t.Fatalf("%+v, %v", result, err)
				}
				live, dead := sts.Count(alice.Credential.ID), sts.Count(carol.Credential.ID)
				if live != at.live || dead != at.dead {
					t.Errorf("after %s: asked %d times about alice and %d about carol, want %d and %d", at.after, live, dead, at.live, at.dead)
				}
				if sent := client.Sent(); len(sent) != 1 || sent[0].Requests != live+dead {
					t.Errorf("after %s: it counts %+v, and STS %d", at.after, sent, live+dead)
				}
			}
		})
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
	s := newSearcher(t)
	s.Wrap = func(_ context.Context, to scanner.Sink) scanner.Sink { return noting{to} }
	result, err := s.Scan(t.Context(), text(), "")
	if err != nil || !slices.ContainsFunc(result.Findings, func(f finding.Finding) bool { return f.Stale == "noted" }) {
		t.Errorf("%+v, %v", result, err)
	}
}
