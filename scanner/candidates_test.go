package scanner_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/scannertest"
	"github.com/stanch-dev/stanch/verifier"
)

// candidates renders the candidates of f, each with its places.
func candidates(f finding.Finding) string {
	var list []string
	for _, c := range f.Candidates {
		s := c.Secret.Reveal()
		for _, l := range c.Locations {
			s += fmt.Sprintf(" %s:%d", l.Path, l.Line)
		}
		list = append(list, s)
	}
	return strings.Join(list, ", ")
}

// TestOneFindingForAnID: an id that several secrets may belong to is one finding.
func TestOneFindingForAnID(t *testing.T) {
	const live, active, unknown = verifier.Live, verifier.IDActive, verifier.Unknown
	two := history{"1 a/x": "id={AKIA1} secret={secret1}", "2 b/y": "\nid={AKIA1}\nsecret={secret2}"}
	for _, tt := range []struct {
		name    string
		texts   history
		answers answers
		ignored string // the secret of a finding that the user ignores
		want    []string
	}{
		{"one_secret", history{"1 a/x": "id={AKIA1} secret={secret1}", "2 b/y": "id={AKIA1}"}, nil, "", []string{"{AKIA1} {secret1}, 2 places, skipped"}},
		{"two_texts", two, nil, "", []string{"{AKIA1} {secret1}, 2 places, skipped, or {secret2} b/y:2"}},
		{"the_surer_first", history{"1 a/x": "id={AKIA1}\nsecret=" + detectorstest.Hex(40, 1), "2 b/y": "id={AKIA1} secret={secret2}"}, nil, "",
			[]string{"{AKIA1} {secret2}, 2 places, skipped, or " + detectorstest.Hex(40, 1) + " a/x:1"}},
		{"one_text", history{"1 a/x": "id={AKIA1} secret={secret1}\n\n\nid={AKIA1} secret={secret2}"}, nil, "", []string{"{AKIA1} {secret1}, 2 places, skipped, or {secret2} a/x:4"}},
		{"the_second_is_live", two, answers{"{AKIA1} {secret1}": active, "{AKIA1} {secret2}": live}, "", []string{"{AKIA1} {secret2}, 2 places, live"}},
		{"the_second_is_unknown", two, answers{"{AKIA1} {secret1}": verifier.Expired, "{AKIA1} {secret2}": unknown}, "", []string{"{AKIA1} {secret2}, 2 places, unknown, or {secret1} a/x:1"}},
		{"the_first_is_ignored", two, nil, "{secret1}", []string{"{AKIA1} {secret2}, 1 places, skipped"}},
		{"the_second_is_ignored", two, nil, "{secret2}", []string{"{AKIA1} {secret1}, 1 places, skipped"}},

		{"elsewhere_alike", history{"1 a/x": "id={AKIA1}", "1 a/y": "secret={secret1}", "1 a/z": "secret={secret2}"}, nil, "",
			[]string{"{AKIA1}, 1 places, skipped, or {secret1} a/y:1, {secret2} a/z:1"}},
		{"elsewhere_in_a_file_without_a_name", history{"- a/key_id": "{AKIA1}", "- a/notes": "{secret1}"}, nil, "", []string{"{AKIA1}, 1 places, skipped, or {secret1} a/notes:1"}},
		{"in_the_text_without_a_name", history{"1 a/x": "id={AKIA1}" + strings.Repeat("\n", 120) + "x {secret1}"}, nil, "", []string{"{AKIA1}, 1 places, skipped, or {secret1} a/x:121"}},
		{"elsewhere_of_another_service", history{"1 a/x": "AWS_KEY={AKIA1}", "2 a/x": "JWT_SECRET={secret1}"}, nil, "", []string{"{AKIA1}, 1 places, skipped"}},
		{"elsewhere_refused", history{"1 a/x": "id={AKIA1}", "1 a/y": "secret={secret1}", "1 a/z": "secret={secret2}"}, answers{"{AKIA1} {secret1}": active, "{AKIA1} {secret2}": unknown}, "",
			[]string{"{AKIA1}, 1 places, id-active-secret-mismatch, or {secret2} a/z:1"}},
		{"elsewhere_paired", history{"1 a/x": "id={AKIA1}", "1 a/y": "secret={secret1}", "2 a/z": "aws_secret={secret2}"}, nil, "",
			[]string{"{AKIA1} {secret1}, 2 places, skipped", "{secret2}, 1 places, skipped"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sink := scan(t, tt.texts, tt.answers, func(f *finding.Finding) string {
				if secret := f.Match.Credential.Secret.Reveal(); secret != "" && secret == detectorstest.Fill(tt.ignored) {
					return "known"
				}
				return ""
			})
			var got []string
			for _, f := range sink.Findings {
				if f.Ignored != "" {
					continue
				}
				line := fmt.Sprintf("%s, %d places, %s", partsOf(f.Match.Credential), len(f.Locations), f.Verdict.State)
				if others := candidates(f); others != "" {
					line += ", or " + others
				}
				got = append(got, line)
			}
			slices.Sort(got)
			if diff := cmp.Diff(fillAll(tt.want), got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestEachSecret: a store that knows findings by their fingerprints gets each of them.
func TestEachSecret(t *testing.T) {
	s := scanner.Scanner{Detectors: detectors.NewSet(awskeys.Detector{}), Verifier: answers{}, EachSecret: true}
	sink := &scannertest.Sink{}
	if err := s.Scan(t.Context(), history{"1 a/x": "id={AKIA1} secret={secret1}", "2 b/y": "id={AKIA1} secret={secret2}"}, sink); err != nil {
		t.Fatal(err)
	}
	if sink.Summary.Findings != 2 || len(sink.Findings[0].Candidates) > 0 {
		t.Errorf("%+v", sink.Findings)
	}
}

// TestCandidateFingerprint: a candidate has the fingerprint that it would have as the
// finding, so that a baseline knows it whichever fits best.
func TestCandidateFingerprint(t *testing.T) {
	alone := scan(t, history{"1 b/y": "id={AKIA1} secret={secret2}"}, answers{}).Findings[0]
	c := scan(t, history{"1 a/x": "id={AKIA1} secret={secret1}", "2 b/y": "id={AKIA1} secret={secret2}"}, answers{}).Findings[0].Candidates[0]
	if c.Fingerprint != alone.Fingerprint() || c.SecretSHA256 != alone.SecretSHA256() {
		t.Errorf("%+v", c)
	}
}

// TestFoldCandidatesOfSeveralScans: what several repositories have is one finding, with each
// candidate once; and a proof in one of them refutes the secret of another.
func TestFoldCandidatesOfSeveralScans(t *testing.T) {
	one := func(secret string, state verifier.State, path string, candidates ...finding.Candidate) *finding.Finding {
		return &finding.Finding{
			Match:   detectors.Match{Rule: awskeys.AccessKey, Confidence: detectors.High, Credential: detectors.Credential{ID: "id", Secret: detectors.NewSecret(secret)}},
			Verdict: verifier.Verdict{State: state}, Locations: []finding.Location{{Path: path}}, Candidates: candidates,
		}
	}
	second := one("b", verifier.Unknown, "2")
	known := finding.Candidate{Fingerprint: second.Fingerprint(), Locations: []finding.Location{{Path: "1"}}}
	folded := scanner.FoldCandidates([]*finding.Finding{one("a", verifier.Unknown, "1", known), second})
	if len(folded) != 1 || len(folded[0].Candidates) != 1 || len(folded[0].Candidates[0].Locations) != 2 || len(folded[0].Locations) != 2 {
		t.Errorf("%+v", folded[0])
	}
	refuted := one("b", verifier.IDActive, "2")
	folded = scanner.FoldCandidates([]*finding.Finding{refuted, one("a", verifier.Live, "1")})
	if refuted.Ignored == "" || len(folded) != 2 || len(folded[1].Locations) != 2 {
		t.Errorf("%+v", folded)
	}
}

// TestManyCandidates: an id beside very many secrets costs little, and the report can be
// read again.
func TestManyCandidates(t *testing.T) {
	var text strings.Builder
	id := detectorstest.Fill("{AKIA1}")
	const n = 5000
	for i := range n {
		fmt.Fprintf(&text, "%s:%s\n\n", id, detectorstest.SecretKey(uint64(i)))
	}
	sink := scan(t, texts{"a": text.String()}, answers{})
	f := sink.Findings[0]
	if len(sink.Findings) != 1 || len(f.Candidates) != 1000 || len(f.Candidates)+f.CandidatesOmitted < n-n/100 {
		t.Errorf("%d findings, %d candidates and %d omitted", len(sink.Findings), len(f.Candidates), f.CandidatesOmitted)
	}
}
