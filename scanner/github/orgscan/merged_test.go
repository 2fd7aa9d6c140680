package orgscan

import (
	"slices"
	"testing"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/finding"
)

// TestMerged: one key in two repositories, ignored in one of them. It counts, whichever
// comes first, and the secrets that reports are to be rid of are those of both.
func TestMerged(t *testing.T) {
	leak := func(n uint64, ignored string) *finding.Finding {
		f := &finding.Finding{Ignored: ignored, Omitted: 1, Others: []detectors.Secret{detectors.NewSecret(detectorstest.SecretKey(n))}}
		f.Match.Rule = &detectors.Rule{ID: "aws-access-key"}
		f.Match.Credential.ID = detectorstest.KeyID("AKIA", detectorstest.Account, 9)
		f.Locations = []finding.Location{{Line: int(n)}}
		return f
	}
	for _, list := range [][]*finding.Finding{
		{leak(1, ""), leak(2, "known")},
		{leak(1, "known"), leak(2, "")},
	} {
		all := newMerged()
		for i, f := range list {
			part := partOf{all, []string{"first", "second"}[i]}
			if err := part.Finding(f); err != nil {
				t.Fatal(err)
			}
			if err := part.Close(finding.Summary{Objects: 2, Unread: []finding.Unread{{What: "f"}}}); err != nil {
				t.Fatal(err)
			}
		}
		if len(all.findings) != 1 {
			t.Fatalf("%d findings", len(all.findings))
		}
		f := all.findings[0]
		if f.Ignored != "" || f.Omitted != 2 || len(f.Locations) != 2 {
			t.Errorf("ignored %q, %d omitted, %d locations", f.Ignored, f.Omitted, len(f.Locations))
		}
		for n := range uint64(2) {
			if !slices.ContainsFunc(f.Others, func(s detectors.Secret) bool { return s.Reveal() == detectorstest.SecretKey(n+1) }) {
				t.Errorf("secret %d is forgotten, and may be printed", n+1)
			}
		}
		if u := all.sum.Unread; all.sum.Objects != 4 || len(u) != 2 || u[0].What != "first f" || u[1].What != "second f" {
			t.Errorf("summary %+v", all.sum)
		}
	}
}
