package report

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/report/internal/reporttest"
	"github.com/stanch-dev/stanch/verifier"
)

// TestAnonymous: no format names who owns a credential, and none loses its id.
func TestAnonymous(t *testing.T) {
	for _, format := range Formats {
		var b bytes.Buffer
		h, err := New(format, &b, Options{Verbose: true})
		if err != nil {
			t.Fatal(err)
		}
		sink := finding.NewSink(reporttest.Sweeping{Handler: Anonymous(h)}, finding.Scan{Source: "git"}, nil, false)
		for _, f := range reporttest.Set("several") {
			f.Verdict.Reason = "not of account 111122223333"
			if err := sink.Finding(f); err != nil {
				t.Fatal(err)
			}
		}
		if err := sink.Close(reporttest.Sums["several"]); err != nil {
			t.Fatal(err)
		}
		for _, owner := range []string{"111122223333", "deploy ", "AIDA" + "USERIDEXAMPLE", "Administrator", "arn:", "ops@example.com", "planned"} {
			if strings.Contains(b.String(), owner) {
				t.Errorf("%s names %q:\n%s", format, owner, b.String())
			}
		}
		if !strings.Contains(b.String(), reporttest.KeyID("Q7GLPMN5Z")) {
			t.Errorf("%s has lost an id", format)
		}
	}
}

// TestAll: each handler gets all, and each error counts.
func TestAll(t *testing.T) {
	var text, json bytes.Buffer
	sink := finding.NewSink(All(handler(t, "text", &text, Options{}), handler(t, "text", full{}, Options{}), finding.JSON(&json)), finding.Scan{}, nil, false)
	for _, f := range reporttest.Set("several") {
		_ = sink.Finding(f)
	}
	if err := sink.Close(reporttest.Sums["several"]); err == nil || text.Len() == 0 || !bytes.Contains(json.Bytes(), []byte(`"summary"`)) {
		t.Errorf("error %v, %d and %d bytes", err, text.Len(), json.Len())
	}
}

// TestPartsOfSeveralTexts: where the secret stands is said, however many places the
// id has.
func TestPartsOfSeveralTexts(t *testing.T) {
	f := reporttest.Leaked("Q7SEVERAL", 0, verifier.Live)
	for i := range 30 {
		f.Locations = append(f.Locations, reporttest.Blob("id"+strconv.Itoa(i), 1, true))
	}
	secret := reporttest.Blob("secret.env", 7, true)
	secret.SecretLine, secret.Part = 7, finding.PartSecret
	f.Locations = append(f.Locations, secret)
	for format, want := range map[string]string{
		"text":  "          secret in secret.env:7  commit",
		"sarif": "secret in secret.env:7  commit",
		"json":  `"path":"secret.env","part":"secret","line":7,"column":21,"end_column":41,"commit"`,
	} {
		var b bytes.Buffer
		h, err := New(format, &b, Options{Rules: reporttest.Rules})
		if err != nil {
			t.Fatal(err)
		}
		sink := finding.NewSink(h, finding.Scan{}, nil, false)
		if err := errors.Join(sink.Finding(f), sink.Close(finding.Summary{})); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s: no %q in\n%s", format, want, &b)
		}
		if more := "+ 26 more places"; format == "text" && !strings.Contains(b.String(), more) {
			t.Errorf("no %q in\n%s", more, &b)
		}
	}
}

func TestNew(t *testing.T) {
	if _, err := New("xml", nil, Options{}); err == nil || err.Error() != `unknown format "xml": known are `+strings.Join(Formats, ", ") {
		t.Error(err)
	}
}

// TestOfWhichRepository: in a report of several repositories, each format for people says in
// which of them a key is.
func TestOfWhichRepository(t *testing.T) {
	f := reporttest.Reported("aws-access-key", "KEY", "x", verifier.Live)
	f.Locations = []finding.Location{{Kind: finding.KindBlob, Repo: "https://github.com/acme/app", Path: "a", Line: 1}, {Kind: finding.KindBlob, Repo: "https://github.com/acme/other", Path: "a", Line: 1}}
	scans := []finding.Scan{{Source: "github", Target: "acme"}, {Source: "git", Target: "app, other"}} // the second is of two reports
	for _, format := range Formats {
		for _, scan := range scans {
			var b bytes.Buffer
			h := handler(t, format, &b, Options{})
			_ = h.Scan(scan)
			_ = h.Finding(f)
			if err := h.Summary(finding.Summary{}); err != nil {
				t.Fatal(err)
			}
			want := []string{"github.com/acme/app", "github.com/acme/other"}
			if format == "github" { // one place, that of the annotation
				want = want[:1]
			}
			for _, repo := range want {
				if !strings.Contains(b.String(), repo) {
					t.Errorf("%s of %s does not name %s:\n%s", format, scan.Source, repo, &b)
				}
			}
		}
	}
}
