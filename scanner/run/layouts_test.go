package run_test

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/detectorstest/layouttest"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/project"
	"github.com/stanch-dev/stanch/scanner/run"
	"github.com/stanch-dev/stanch/scanner/scannertest"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/awsverifier"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// TestLayoutsVerified holds that a key is called live if it is, and only then, whatever the
// layout of its file. One key in three is not. The id of a secret alone is in another file of the
// same folder.
func TestLayoutsVerified(t *testing.T) {
	seeds := uint64(2)
	if scannertest.WholeMatrix(t, "32 files of each layout and shape; here there are 2") {
		seeds = 32
	}
	sts := verifiertest.NewSTS(t)
	client, err := awsverifier.New(awsverifier.Config{Endpoint: sts.URL, PerSecond: 1e6, Reask: time.Millisecond, Backoff: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	config, err := project.Read(project.Options{Within: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	options := run.Options{Project: config, Verifier: client}
	_, sc := options.NewScanner(time.Now())
	live, packed, missed, wrong := 0, 0, map[string]int{}, 0
	for _, l := range layouttest.Layouts() {
		for _, shape := range l.Shapes() {
			if shape == layouttest.LoneID || shape == layouttest.Foreign {
				continue // there is nothing to verify
			}
			for seed := range seeds {
				f := l.File(shape, seed)
				states := verify(t, sc, sts, f, seed)
				for i, k := range f.Keys {
					called := slices.Contains(states[k.ID], verifier.Live)
					switch {
					case !isLive(seed, i) && called:
						wrong++
					case isLive(seed, i):
						live++
						if !called && l.Packed() {
							packed++
						} else if !called {
							missed[fmt.Sprint(l.Name, ", ", shape)]++
						}
					}
				}
			}
		}
	}
	total := 0
	for _, name := range slices.Sorted(maps.Keys(missed)) {
		t.Logf("%s: %d live keys are not called live", name, missed[name])
		total += missed[name]
	}
	// One secret in 500 does not look random enough to count alone (keyformat.Odd).
	if total > live/2000 || wrong > 0 {
		t.Errorf("of %d live keys %d are not called live; %d that are not live are", live, total, wrong)
	}
	t.Logf("%d requests; %d live keys that are packed are not called live", len(sts.Requests()), packed)
}

func isLive(seed uint64, key int) bool { return (seed+uint64(key))%3 != 2 }

// verify scans f, and returns the states of each id. sts learns the keys.
func verify(t *testing.T, sc *scanner.Scanner, sts *verifiertest.STS, f layouttest.File, seed uint64) map[string][]verifier.State {
	t.Helper()
	texts := memory{finding.BlobID("app/" + f.Path): f.Text}
	for i, k := range f.Keys {
		key := verifiertest.Key{
			Credential: detectors.Credential{ID: k.ID, Secret: detectors.NewSecret(k.Secret)},
			ARN:        "arn:aws:iam::" + k.Account + ":user/x", UserID: "AIDA",
		}
		if !isLive(seed, i) {
			key.State = verifiertest.Inactive
		}
		sts.Set(key)
		if f.Shape == layouttest.Secret {
			texts[finding.BlobID(path.Join("app", path.Dir(f.Path), "id.env"))] += "AWS_ACCESS_KEY_ID=" + k.ID + "\n"
		}
	}
	sink := &scannertest.Sink{}
	if err := sc.Scan(t.Context(), texts, sink); err != nil {
		t.Fatal(err)
	}
	states := map[string][]verifier.State{}
	for _, found := range sink.Findings {
		id := found.Match.Credential.ID
		states[id] = append(states[id], found.Verdict.State)
	}
	return states
}
