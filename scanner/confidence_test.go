package scanner_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/scannertest"
	"github.com/stanch-dev/stanch/verifier"
)

// levels are the confidences that a user may ask for, from doubtful to sure.
var levels = []detectors.Confidence{detectors.Low, detectors.Medium, detectors.High}

// below suppresses findings of less confidence than least.
func below(least detectors.Confidence) scanner.Filter {
	return func(f *finding.Finding) string {
		if slices.Index(levels, f.Match.Confidence) < slices.Index(levels, least) {
			return "in doubt"
		}
		return ""
	}
}

// provider is a verifier that knows the right secrets of some key ids; of the others it
// says state.
type provider struct {
	secrets map[string]string
	state   verifier.State
}

func (p provider) Verify(_ context.Context, c detectors.Credential) verifier.Verdict {
	v := verifier.Verdict{State: verifier.Skipped, At: time.Unix(1, 0)}
	switch secret, known := p.secrets[c.ID]; {
	case c.ID == "" || c.Secret.IsZero():
	case !known:
		v.State = p.state
	case secret == c.Secret.Reveal():
		v.State = verifier.Live
	default:
		v.State = verifier.IDActive
	}
	return v
}

// scanAt scans h and shows findings of the least confidence and more.
func scanAt(t *testing.T, h history, v verifier.Verifier, least detectors.Confidence, set func(*scanner.Scanner)) *scannertest.Sink {
	t.Helper()
	s := scanner.Scanner{Detectors: detectors.NewSet(awskeys.Detector{}), Verifier: v, Doubtful: below(least), Workers: 2}
	if set != nil {
		set(&s)
	}
	sink := &scannertest.Sink{}
	if err := s.Scan(t.Context(), h, sink); err != nil {
		t.Fatal(err)
	}
	return sink
}

// legacyID returns an id of the layout before 2019, which names no account.
func legacyID() string { return "AKIAJ" + detectorstest.KeyID("AKIA", detectorstest.Account, 1)[5:] }

// TestConfidence: a finding is hidden for its confidence, or reported as an id alone.
func TestConfidence(t *testing.T) {
	one := history{"1 a/x": "id={AKIA1}", "1 b/y": "aws_secret={secret1}"}  // low: one commit, two directories
	path := history{"1 a/x": "id={AKIA1}", "2 a/x": "aws_secret={secret1}"} // medium: one path
	hash := detectorstest.Hex(40, 1)
	hex := history{"1 a/x": "id={AKIA1}\nsecret=" + hash}
	legacy := legacyID()
	old := history{"1 a/x": "id=" + legacy, "1 b/y": "aws_secret={secret1}"}
	live, wrong := map[string]string{"{AKIA1}": "{secret1}", legacy: "{secret1}"}, map[string]string{"{AKIA1}": "{secret2}", legacy: "{secret2}"}
	none := map[string]string{}
	honor := func(s *scanner.Scanner) { s.HonorIgnoresForLive = true }
	for _, tt := range []struct {
		name    string
		texts   history
		least   detectors.Confidence
		secrets map[string]string // that the provider knows
		state   verifier.State    // of other ids
		set     func(*scanner.Scanner)
		want    []string
	}{
		{"live", one, detectors.Medium, live, "", nil, []string{"{AKIA1} {secret1}, 1 a/x, secret 1 b/y, high live"}},
		{"live_and_high", one, detectors.High, live, "", nil, []string{"{AKIA1} {secret1}, 1 a/x, secret 1 b/y, high live"}},
		{"live_path", path, detectors.High, live, "", nil, []string{"{AKIA1} {secret1}, 1 a/x, secret 2 a/x, high live"}},
		{"the_id_lives", one, detectors.High, wrong, "", nil, []string{"{AKIA1}, 1 a/x, high id-active-secret-mismatch"}},
		{"legacy_and_live", old, detectors.High, live, "", nil, []string{legacy + " {secret1}, 1 a/x, secret 1 b/y, high live"}},
		{"legacy_id_that_lives", old, detectors.High, wrong, "", nil, []string{legacy + ", 1 a/x, high id-active-secret-mismatch"}},
		{"legacy_and_not_asked", old, detectors.High, none, verifier.Skipped, nil, nil},
		{"hex_and_live", hex, detectors.High, map[string]string{"{AKIA1}": hash}, "", nil, []string{"{AKIA1} " + hash + ", 1 a/x, high live"}},
		{"hex_and_the_id_lives", hex, detectors.High, wrong, "", nil, []string{"{AKIA1} " + hash + ", 1 a/x, high id-active-secret-mismatch"}},

		{"no_answer", one, detectors.Medium, none, verifier.Unknown, nil, []string{"{AKIA1}, 1 a/x, high unknown", "{secret1}, 1 b/y, medium skipped"}},
		{"dead", one, detectors.High, none, verifier.Invalid, nil, []string{"{AKIA1}, 1 a/x, high invalid"}},
		{"not_asked", one, detectors.Medium, none, verifier.Skipped, nil, []string{"{AKIA1}, 1 a/x, high skipped", "{secret1}, 1 b/y, medium skipped"}},
		{"not_asked_and_high", one, detectors.High, none, verifier.Skipped, nil, []string{"{AKIA1}, 1 a/x, high skipped"}},
		{"not_asked_path", path, detectors.Medium, none, verifier.Skipped, nil, []string{"{AKIA1} {secret1}, 1 a/x, secret 2 a/x, medium skipped"}},
		{"not_asked_path_and_high", path, detectors.High, none, verifier.Skipped, nil, []string{"{AKIA1}, 1 a/x, high skipped"}},
		{"hex_not_asked", hex, detectors.Medium, none, verifier.Skipped, nil, []string{"{AKIA1} " + hash + ", 1 a/x, medium skipped"}},
		{"hex_not_asked_and_high", hex, detectors.High, none, verifier.Skipped, nil, []string{"{AKIA1}, 1 a/x, high skipped"}},

		{"ignores_are_honored", one, detectors.Medium, live, "", honor, []string{"{AKIA1}, 1 a/x, high skipped", "{secret1}, 1 b/y, medium skipped"}},
		{"ignores_are_honored_and_nothing_is_in_doubt", one, detectors.Low, live, "", honor, []string{"{AKIA1} {secret1}, 1 a/x, secret 1 b/y, high live"}},
		{"hex_with_ignores_honored", hex, detectors.High, map[string]string{"{AKIA1}": hash}, "", honor, []string{"{AKIA1}, 1 a/x, high skipped"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := provider{map[string]string{}, tt.state}
			for id, secret := range tt.secrets {
				v.secrets[detectorstest.Fill(id)] = detectorstest.Fill(secret)
			}
			if diff := cmp.Diff(fillAll(tt.want), reported(scanAt(t, tt.texts, v, tt.least, tt.set))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestConfidenceIsMonotone: whoever asks for less confidence is told of at least the same
// key ids, and everybody is told of each live key, with its secret. Whatever the
// provider knows and the user ignores.
func TestConfidenceIsMonotone(t *testing.T) {
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 14))
		h, v, set := randomLeak(r)
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			s := scanner.Scanner{}
			set(&s)
			var ids, alive [3]map[string]bool
			for i, least := range levels {
				ids[i], alive[i] = map[string]bool{}, map[string]bool{}
				for _, f := range scanAt(t, h, v, least, set).Findings {
					if c := f.Match.Credential; f.Ignored == "" && c.ID != "" {
						ids[i][c.ID] = true
						if f.Verdict.State == verifier.Live {
							alive[i][partsOf(c)] = true
						}
					}
				}
			}
			for i := range levels[1:] {
				for id := range ids[i+1] {
					if !ids[i][id] {
						t.Errorf("%s is reported at %s and not at %s", id, levels[i+1], levels[i])
					}
				}
				if !s.HonorIgnoresForLive && !maps.Equal(alive[i], alive[i+1]) {
					t.Errorf("live at %s: %v, at %s: %v", levels[i], alive[i], levels[i+1], alive[i+1])
				}
			}
			if t.Failed() {
				t.Logf("%v\n%v", h, v)
			}
		})
	}
}

// randomLeak returns a small history of ids, secrets and tokens in several texts, a
// provider that knows some of them, and the ignores of a user.
func randomLeak(r *rand.Rand) (history, provider, func(*scanner.Scanner)) {
	one := func(list ...string) string { return list[r.IntN(len(list))] }
	id := func() string {
		return one("{AKIA1}", "{AKIA2}", "{ASIA3}", legacyID(), "AKIA"+"7777777777777777")
	}
	secret := func() string { return one("{secret1}", "{secret2}", "{secret3}", detectorstest.Hex(40, 1)) }
	h := history{}
	for range 2 + r.IntN(4) {
		text := ""
		for range 1 + r.IntN(3) {
			text += one("id="+id()+"\n", "id="+id()+"\n", one("aws_secret=", "secret=", "JWT_SECRET=", "DEV_SECRET=")+secret()+"\n", "token={token3}\n", "\n\n")
		}
		h[one("1", "2", "3")+" "+one("a", "b")+"/"+one("x", "y")] = text
	}
	v := provider{map[string]string{}, verifier.State(one(string(verifier.Skipped), string(verifier.Unknown), string(verifier.Invalid)))}
	if v.state != verifier.Skipped {
		for range r.IntN(3) {
			v.secrets[detectorstest.Fill(id())] = detectorstest.Fill(secret())
		}
	}
	var ignored string
	if r.IntN(2) == 0 {
		ignored = detectorstest.Fill(one(id(), secret(), id()+" "+secret()))
	}
	known := func(f *finding.Finding) string {
		if ignored == partsOf(f.Match.Credential) {
			return "known"
		}
		return ""
	}
	where, honor := r.IntN(3), r.IntN(3) == 0
	return h, v, func(s *scanner.Scanner) {
		s.HonorIgnoresForLive = honor
		switch where {
		case 0:
			s.Filters = []scanner.Filter{known}
		case 1:
			s.Allow = []scanner.Filter{known}
		}
	}
}
