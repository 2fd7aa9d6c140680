package scanner_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/scannertest"
	"github.com/stanch-dev/stanch/verifier"
)

// texts is a source of the given texts; a text that begins with "error:" cannot
// be read.
type texts map[string]string

func (s texts) Blobs(ctx context.Context, yield func(scanner.Blob) error) error {
	for name, text := range s {
		b := scanner.Blob{ID: scanner.BlobID(name), Kind: scanner.KindBlob, Name: name, Data: []byte(detectorstest.Fill(text))}
		if why, bad := strings.CutPrefix(text, "error:"); bad {
			b.Data, b.Err = nil, errors.New(why)
		}
		if err := yield(b); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

func (s texts) Locate(_ context.Context, ids []scanner.BlobID, yield func(scanner.BlobID, scanner.Provenance) error) error {
	for _, id := range ids {
		if err := yield(id, scanner.Provenance{Kind: scanner.KindBlob, Path: string(id), Time: time.Unix(int64(len(id)), 0)}); err != nil {
			return err
		}
	}
	return nil
}

// oracle is a verifier that knows the state of "id secret", and records what it
// is asked.
type oracle struct {
	mu     sync.Mutex
	states map[string]verifier.State
	asked  []string
}

func (o *oracle) Verify(_ context.Context, c detectors.Credential) verifier.Verdict {
	o.mu.Lock()
	defer o.mu.Unlock()
	key := strings.TrimSpace(c.ID + " " + c.Secret.Reveal())
	o.asked = append(o.asked, key)
	return verifier.Verdict{State: o.states[key]}
}

func scan(t *testing.T, src scanner.Source, v verifier.Verifier, filters ...scanner.Filter) *scannertest.Sink {
	t.Helper()
	s := scanner.Scanner{Detectors: detectors.NewSet(awskeys.Detector{}), Verifier: v, Filters: filters, Workers: 2}
	sink := &scannertest.Sink{}
	if err := s.Scan(t.Context(), src, sink); err != nil {
		t.Fatal(err)
	}
	return sink
}

// lines renders findings: id, secret, where, state and why ignored.
func lines(sink *scannertest.Sink) []string {
	var out []string
	for _, f := range sink.Findings {
		c := f.Match.Credential
		var where []string
		for _, l := range f.Locations {
			where = append(where, fmt.Sprintf("%s:%d:%d", l.Path, l.Line, l.Column))
		}
		out = append(out, strings.Join([]string{c.ID, c.Secret.Reveal(), strings.Join(where, ","), string(f.Verdict.State), f.Ignored}, " | "))
	}
	return out
}

func TestScan(t *testing.T) {
	for _, tt := range []struct {
		name  string
		texts texts
		want  []string
	}{
		{"nothing", texts{"a": "text"}, nil},
		{"one_credential_in_two_files", texts{"a": "{AKIA1} {secret1}", "b": "\n x {AKIA1} {secret1}"}, []string{"{AKIA1} | {secret1} | a:1:1,b:2:4 | unknown | "}},
		{"lone_id_joins_its_pair", texts{"a": "see {AKIA1}", "b": "{AKIA1} {secret1}"}, []string{"{AKIA1} | {secret1} | a:1:5,b:1:1 | unknown | "}},
		{"lone_secret_joins_its_pair", texts{"a": "aws_secret_key={secret1}", "b": "{AKIA1} {secret1}"}, []string{"{AKIA1} | {secret1} | a:1:16,b:1:1 | unknown | "}},
		{"two_secrets_of_one_id_in_two_files", texts{"a": "{AKIA1} {secret1}", "b": "{AKIA1} {secret2}"},
			[]string{"{AKIA1} | {secret1} | a:1:1 | unknown | ", "{AKIA1} | {secret2} | b:1:1 | unknown | "}},
		{"columns_count_characters", texts{"a": "キー: {AKIA1}"}, []string{"{AKIA1} |  | a:1:5 | unknown | "}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := &oracle{states: map[string]verifier.State{}}
			for _, id := range []string{"{AKIA1}", "{AKIA1} {secret1}", "{AKIA1} {secret2}"} {
				v.states[detectorstest.Fill(id)] = verifier.Unknown
			}
			for i := range tt.want {
				tt.want[i] = detectorstest.Fill(tt.want[i])
			}
			if diff := cmp.Diff(tt.want, lines(scan(t, tt.texts, v))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestCandidates: of the secrets near an id, the next is tried only if STS says
// that the id is active and the last was not its own.
func TestCandidates(t *testing.T) {
	const text = "x {secret2}\nid={AKIA1}\nsecret={secret1}"
	best, next := detectorstest.Fill("{AKIA1} {secret1}"), detectorstest.Fill("{AKIA1} {secret2}")
	for _, tt := range []struct {
		name             string
		best, next       verifier.State
		reported, ignore string // the secret reported, and the one ignored
		asked            int
	}{
		{"best_is_live", verifier.Live, verifier.Live, "{secret1}", "{secret2}", 1},
		{"id_is_dead", verifier.Invalid, verifier.Live, "{secret1}", "{secret2}", 1},
		{"offline", verifier.Skipped, verifier.Skipped, "{secret1}", "{secret2}", 1},
		{"no_answer", verifier.Unknown, verifier.Unknown, "{secret1}", "{secret2}", 1},
		{"next_is_live", verifier.IDActive, verifier.Live, "{secret2}", "{secret1}", 2},
		{"none_is_live", verifier.IDActive, verifier.IDActive, "{secret1}", "{secret2}", 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := &oracle{states: map[string]verifier.State{best: tt.best, next: tt.next}}
			sink := scan(t, texts{"a": text}, v)
			if len(v.asked) != tt.asked || v.asked[0] != best {
				t.Errorf("asked for %d, want %d, best first", len(v.asked), tt.asked)
			}
			for _, f := range sink.Findings {
				secret := f.Match.Credential.Secret.Reveal()
				if reported := f.Ignored == ""; reported != (secret == detectorstest.Fill(tt.reported)) {
					t.Errorf("secret %s…: reported %v (%s)", secret[:4], reported, f.Ignored)
				}
			}
			if sink.Summary.Findings != 1 || sink.Summary.Ignored != 1 {
				t.Errorf("summary %+v", sink.Summary)
			}
		})
	}
}

func TestSuppressedIsNotVerified(t *testing.T) {
	v := &oracle{}
	sink := scan(t, texts{"a": "{AKIA1} {secret1}"}, v,
		func(*scanner.Finding) string { return "" }, func(*scanner.Finding) string { return "known" })
	if len(v.asked) > 0 || sink.Findings[0].Ignored != "known" || sink.Summary.Ignored != 1 || sink.Summary.Findings != 0 {
		t.Errorf("asked %v, found %+v", v.asked, sink)
	}
}

func TestUnreadIsReported(t *testing.T) {
	sink := scan(t, texts{"b": "error:broken", "a": "error:denied", "c": "{AKIA1}"}, &oracle{})
	want := []scanner.Unread{{What: "a", Why: "denied"}, {What: "b", Why: "broken"}}
	if diff := cmp.Diff(want, sink.Summary.Unread); diff != "" || len(sink.Findings) != 1 {
		t.Errorf("found %d (-want +got)\n%s", len(sink.Findings), diff)
	}
}

// TestCancelled: what was found before is reported, as incomplete.
func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	v := &oracle{}
	s := scanner.Scanner{Detectors: detectors.NewSet(awskeys.Detector{}), Verifier: v, Filters: []scanner.Filter{
		func(*scanner.Finding) string { return "" },
	}}
	sink := &scannertest.Sink{}
	src := cancelling{texts{"a": "{AKIA1} {secret1}"}, cancel}
	if err := s.Scan(ctx, src, sink); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if len(sink.Findings) != 1 || len(sink.Summary.Unread) == 0 || !sink.Closed {
		t.Errorf("got %+v", sink)
	}
}

// cancelling is a source during which the user loses patience.
type cancelling struct {
	texts
	cancel func()
}

func (c cancelling) Blobs(ctx context.Context, yield func(scanner.Blob) error) error {
	return c.texts.Blobs(ctx, func(b scanner.Blob) error {
		defer c.cancel()
		return yield(b)
	})
}
