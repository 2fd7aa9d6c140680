//go:build sweep

package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/sweep/sweeptest"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// TestSweepJoins: an id of one sweep and its secret of a later one become one finding, which
// is verified then and in later sweeps. The half is gone, and people's work on it is not.
func TestSweepJoins(t *testing.T) {
	const id, secret, generic = `echo "aws_access_key_id = $id1" >%s; `, `echo "aws_secret_access_key = $secret1" >%s; `, `echo "SECRET_KEY=$secret1" >%s; `
	at := fmt.Sprintf
	for _, mode := range []string{"sqlite", "postgresql"} {
		database := ""
		if mode == "postgresql" {
			database = sweeptest.StartPostgres(t).URL
		}
		for _, tt := range []struct{ name, first, then string }{
			{"secret later", at(id, "conf/id.env"), at(secret, "conf/secret.env")},
			{"id later", at(secret, "conf/secret.env"), at(id, "conf/id.env")},
			{"in the next version of the file", at(id, "conf/aws.env"), at(secret, "conf/aws.env")},
			{"secret with a name of no service", at(id, "conf/.env"), at(generic, "conf/.env")},
			{"removed meanwhile", at(id, "conf/id.env"), "rm conf/id.env; " + at(secret, "conf/secret.env")},
		} {
			t.Run(mode+"/"+tt.name, func(t *testing.T) {
				alice := verifiertest.User(detectorstest.Account, "alice", 1)
				alice.Credential.ID, alice.State = detectorstest.Fill("{AKIA1}"), verifiertest.Active
				sts := verifiertest.NewSTS(t, alice)
				file := database
				if file == "" {
					file = filepath.Join(t.TempDir(), "sweep.db")
				}
				o := newSweptOrg(t, file)
				o.repo(t, "a", "", "mkdir conf; "+tt.first+"commit 1")
				o.add(t)
				run := func() (all []finding.Finding) {
					t.Helper()
					_, out, errs := o.stanch(t, "run", "--retry-after", "10ms", "-f", "json", "--sts-endpoint", sts.URL)
					for line := range strings.Lines(out) {
						if !strings.HasPrefix(line, `{"type":"finding"`) {
							continue
						}
						var f finding.Finding
						if err := json.Unmarshal([]byte(line), &f); err != nil {
							t.Fatalf("%v: %s", err, errs)
						}
						all = append(all, f)
					}
					return all
				}
				first := run()
				if len(first) != 1 || (first[0].SecretSHA256() == "") == (first[0].Match.Credential.ID == "") {
					t.Fatalf("first: %+v", first)
				}
				if code, _, errs := o.stanch(t, "ack", first[0].Fingerprint(), "--by", "ada", "--note", "asked the team"); code != 0 {
					t.Error(errs)
				}
				o.push(t, "a", tt.then+"commit 2")
				for _, want := range []verifier.State{verifier.Live, verifier.Live, verifier.Invalid} {
					if want == verifier.Invalid {
						alice.State = verifiertest.Inactive
						sts.Set(alice)
					}
					then := run()
					if len(then) != 1 || then[0].SecretSHA256() == "" || then[0].Match.Credential.ID != alice.Credential.ID || then[0].Verdict.State != want || then[0].Stale != "" {
						t.Fatalf("then: want %s: %+v", want, then)
					}
					h := then[0].History
					if h.AcknowledgedBy != "ada" || h.Note != "asked the team" || !h.FirstSeen.Equal(first[0].History.FirstSeen) {
						t.Errorf("its history is %+v, that of the half was %+v", h, first[0].History)
					}
					var paths []string
					for _, l := range then[0].Locations {
						paths = append(paths, fmt.Sprint(l.Path, " ", l.AtHead))
					}
					slices.Sort(paths)
					if removed := strings.HasPrefix(tt.then, "rm"); len(paths) != 2 || removed && !slices.Contains(paths, "conf/id.env false") {
						t.Errorf("it is at %q", paths)
					}
				}
				if code, _, errs := o.stanch(t, "remove", "acme", "--yes"); code != 0 {
					t.Error(errs)
				}
			})
		}
	}
}
