package run_test

import (
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/project"
	"github.com/stanch-dev/stanch/scanner/run"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/awsverifier"
)

func TestFailOn(t *testing.T) {
	for _, tt := range []struct {
		failOn run.FailOn
		counts []verifier.State
		not    []verifier.State
	}{
		{run.FailOnAny, []verifier.State{verifier.Live, verifier.Unknown, verifier.Invalid, verifier.Expired}, nil},
		{run.FailOnUnknown, []verifier.State{verifier.Live, verifier.IDActive, verifier.Unknown, verifier.Skipped, verifier.NotVerifiable, "", "of a later version"},
			[]verifier.State{verifier.Invalid, verifier.Expired, verifier.CanarySuspected}},
		{run.FailOnLive, []verifier.State{verifier.Live}, []verifier.State{verifier.IDActive, verifier.Unknown, verifier.Invalid}},
		{run.FailOnNew, nil, []verifier.State{verifier.Live, verifier.Unknown, verifier.Invalid}}, // a state is not new
		{run.FailOnNever, nil, []verifier.State{verifier.Live, verifier.Unknown, verifier.Invalid}},
	} {
		for _, state := range tt.counts {
			if !tt.failOn.Counts(state) {
				t.Errorf("%s does not count %s", tt.failOn, state)
			}
		}
		for _, state := range tt.not {
			if tt.failOn.Counts(state) {
				t.Errorf("%s counts %s", tt.failOn, state)
			}
		}
	}
}

// TestUnanswered: a level that counts live keys alone must not pass keys about which nobody
// knows anything. Those that need no answer pass.
func TestUnanswered(t *testing.T) {
	for _, tt := range []struct {
		name    string
		failOn  run.FailOn
		f       finding.Finding
		want    int
		isALeak int
	}{
		{"no answer", run.FailOnLive, finding.Finding{Verdict: verifier.Verdict{State: verifier.Unknown}}, 1, 0},
		{"not asked", run.FailOnLive, finding.Finding{Verdict: awsverifier.Offline{}.Verify(t.Context(), key())}, 1, 0},
		{"live", run.FailOnLive, finding.Finding{Verdict: verifier.Verdict{State: verifier.Live}}, 0, 1},
		{"dead", run.FailOnLive, finding.Finding{Verdict: verifier.Verdict{State: verifier.Invalid}}, 0, 0},
		{"an id alone", run.FailOnLive, finding.Finding{Verdict: verifier.Verdict{State: verifier.Skipped}}, 0, 0},
		{"ignored", run.FailOnLive, finding.Finding{Ignored: "a test", Verdict: verifier.Verdict{State: verifier.Unknown}}, 0, 0},
		{"counted anyway", run.FailOnUnknown, finding.Finding{Verdict: verifier.Verdict{State: verifier.Unknown}}, 0, 1},
		{"nothing counts", run.FailOnNever, finding.Finding{Verdict: verifier.Verdict{State: verifier.Unknown}}, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var r run.Result
			if r.Count(&tt.f, tt.failOn); r.Unanswered != tt.want || r.Leaks != tt.isALeak {
				t.Errorf("%d without an answer, %d leaks", r.Unanswered, r.Leaks)
			}
		})
	}
}

// key returns a key that AWS can be asked about.
func key() detectors.Credential {
	return detectors.Credential{ID: detectorstest.KeyID("AKIA", detectorstest.Account, 1), Secret: detectors.NewSecret(detectorstest.SecretKey(1))}
}

// A memory is a source of texts by their paths.
type memory map[finding.BlobID]string

// Blobs implements scanner.Source.
func (m memory) Blobs(_ context.Context, yield func(scanner.Blob) error) error {
	for _, id := range slices.Sorted(maps.Keys(m)) {
		if err := yield(scanner.Blob{ID: id, Data: []byte(detectorstest.Fill(m[id]))}); err != nil {
			return err
		}
	}
	return nil
}

// Locate implements scanner.Source.
func (m memory) Locate(_ context.Context, ids []finding.BlobID, yield func(finding.BlobID, finding.Location) error) error {
	for _, id := range ids {
		if err := yield(id, finding.Location{Kind: finding.KindBlob, Path: string(id), Blob: id}); err != nil {
			return err
		}
	}
	return nil
}

// TestScan holds what each option does to the findings of one set of texts.
func TestScan(t *testing.T) {
	texts := memory{
		"key.ini":     "aws_access_key_id = {AKIA1}\naws_secret_access_key = {secret1}\n",
		"rootkey.csv": "aws_access_key_id = {AKIA2}\naws_secret_access_key = {secret2}\n",
		"docs.md":     "aws_access_key_id = AKIA" + "IOSFODNN7" + "EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG" + "/bPxRfiCYEXAMPLEKEY\n",
		"url.txt":     "{presigned3}\n",
	}
	for _, tt := range []struct {
		name           string
		scan           run.Scan
		leaks, ignored int
		rootFacts      int
	}{
		{"a placeholder is ignored, and a URL that expired with its id", run.Scan{FailOn: run.FailOnAny}, 2, 2, 0},
		{"only live keys count", run.Scan{FailOn: run.FailOnLive}, 0, 2, 0},
		{"an annotator", run.Scan{FailOn: run.FailOnAny, Options: run.Options{Annotators: []func(*finding.Finding){run.NoteFileName}}}, 2, 2, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			config, err := project.Read(project.Options{})
			if err != nil {
				t.Fatal(err)
			}
			saved := &finding.Saved{}
			tt.scan.Project, tt.scan.Verifier, tt.scan.Handler = config, awsverifier.Offline{}, saved
			tt.scan.Header.Started = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
			var order []string
			wrap := func(name string) func(scanner.Sink) scanner.Sink {
				return func(s scanner.Sink) scanner.Sink { return named{s, name, &order} }
			}
			tt.scan.Wraps = []func(scanner.Sink) scanner.Sink{wrap("first"), wrap("last")}
			result, err := tt.scan.Scan(t.Context(), texts)
			if err != nil {
				t.Fatal(err)
			}
			if result.Leaks != tt.leaks || result.Summary.Ignored != tt.ignored || saved.Totals.Ignored != tt.ignored {
				t.Errorf("%d leaks, %d ignored, %d in the report", result.Leaks, result.Summary.Ignored, saved.Totals.Ignored)
			}
			facts := 0
			for _, f := range saved.Findings {
				if slices.ContainsFunc(f.Facts(), func(x verifier.Fact) bool { return x.Name == awskeys.RootKeyFile.Name }) {
					facts++
				}
			}
			if facts != tt.rootFacts {
				t.Errorf("%d findings are of rootkey.csv", facts)
			}
			if len(order) < 2 || order[0] != "last" || order[1] != "first" {
				t.Errorf("sinks see findings in the order %q", order)
			}
		})
	}
}

// A named sink notes that it has seen a finding.
type named struct {
	scanner.Sink
	name  string
	order *[]string
}

// Finding implements scanner.Sink.
func (n named) Finding(f *finding.Finding) error {
	*n.order = append(*n.order, n.name)
	return n.Sink.Finding(f)
}
