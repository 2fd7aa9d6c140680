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
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/scannertest"
	"github.com/stanch-dev/stanch/verifier"
)

// texts is a source of the given texts; a text that begins with "error:" cannot
// be read.
type texts map[string]string

func (s texts) Blobs(ctx context.Context, yield func(scanner.Blob) error) error {
	for name, text := range s {
		b := scanner.Blob{ID: finding.BlobID(name), Kind: finding.KindBlob, Name: name, Data: []byte(detectorstest.Fill(text))}
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

func (s texts) Locate(_ context.Context, ids []finding.BlobID, yield func(finding.BlobID, finding.Location) error) error {
	for _, id := range ids {
		if err := yield(id, finding.Location{Kind: finding.KindBlob, Path: string(id), Time: time.Unix(int64(len(id)), 0)}); err != nil {
			return err
		}
	}
	return nil
}

// oracle is a verifier that knows the state of "id secret", and records all that it
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

// lines renders findings: id, secret, where, state, why ignored, and the token if
// there is one.
func lines(sink *scannertest.Sink) []string {
	var out []string
	for _, f := range sink.Findings {
		c := f.Match.Credential
		var where []string
		for _, l := range f.Locations {
			where = append(where, fmt.Sprintf("%s:%d:%d", l.Path, l.Line, l.Column))
		}
		line := strings.Join([]string{c.ID, c.Secret.Reveal(), strings.Join(where, ","), string(f.Verdict.State), f.Ignored}, " | ")
		if !c.Token.IsZero() {
			line += " | " + c.Token.Reveal()
		}
		out = append(out, line)
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
		{"lone_secret_joins_its_pair", texts{"a": "aws_secret_key={secret1}", "b": "{AKIA1} {secret1}"}, []string{"{AKIA1} | {secret1} | b:1:1,a:1:16 | unknown | "}},
		{"two_secrets_of_one_id_in_two_files", texts{"a": "{AKIA1} {secret1}", "b": "{AKIA1} {secret2}"},
			[]string{"{AKIA1} | {secret1} | a:1:1,b:1:1 | unknown | "}},
		{"token_joins_its_key", texts{"a": "{ASIA1} {secret1}", "b": "{ASIA1} {token1}"}, []string{"{ASIA1} | {secret1} | a:1:1,b:1:1 | unknown |  | {token1}"}},
		{"each_token_joins_its_own_key",
			texts{"a": "{ASIA1} {secret1}\n{token1}\n\n{token1}", "b": "{ASIA2} {secret2}\n{token2}\n\n{token2}", "c": "{token2}\n\n{token3}", "d": "{token4}"},
			[]string{"{ASIA1} | {secret1} | a:1:1,a:4:1 | unknown |  | {token1}", "{ASIA2} | {secret2} | b:1:1,b:4:1,c:1:1 | unknown |  | {token2}",
				" |  | c:3:1 |  |  | {token3}", " |  | d:1:1 |  |  | {token4}"}},
		{"columns_on_a_long_line", texts{"a": "é {AKIA1} é {AKIA3}\nx {AKIA1}"}, []string{"{AKIA1} |  | a:1:3,a:2:3 | unknown | ", "{AKIA3} |  | a:1:26 | unknown | "}},
		{"columns_count_characters", texts{"a": "キー: {AKIA1}"}, []string{"{AKIA1} |  | a:1:5 | unknown | "}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := &oracle{states: map[string]verifier.State{}}
			for _, id := range []string{"{AKIA1}", "{AKIA3}", "{AKIA1} {secret1}", "{AKIA1} {secret2}", "{ASIA1} {secret1}", "{ASIA2} {secret2}"} {
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
		name            string
		best, next      verifier.State
		reported, other string // the secret reported, and the other one
		ignored         int    // 1 if the other is known to be wrong; else it is a candidate
		asked           int
	}{
		{"best_is_live", verifier.Live, verifier.Live, "{secret1}", "{secret2}", 1, 1},
		{"id_is_dead", verifier.Invalid, verifier.Live, "{secret1}", "{secret2}", 0, 1},
		{"offline", verifier.Skipped, verifier.Skipped, "{secret1}", "{secret2}", 0, 1},
		{"no_answer", verifier.Unknown, verifier.Unknown, "{secret1}", "{secret2}", 0, 1},
		{"next_is_live", verifier.IDActive, verifier.Live, "{secret2}", "{secret1}", 1, 2},
		{"none_is_live", verifier.IDActive, verifier.IDActive, "{secret1}", "{secret2}", 1, 2},
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
			if sink.Summary.Findings != 1 || sink.Summary.Ignored != tt.ignored {
				t.Errorf("summary %+v", sink.Summary)
			}
			if tt.ignored == 0 && candidates(sink.Findings[0]) != detectorstest.Fill(tt.other)+" a:2" {
				t.Errorf("candidates %s", candidates(sink.Findings[0]))
			}
		})
	}
}

// TestCandidatesBesideAllowed: a secret near an id is not hidden by a better one that the user
// ignores, and one that the user ignores too is not asked about.
func TestCandidatesBesideAllowed(t *testing.T) {
	const text = "id={AKIA1}\nsecret={secret1}\nx {secret2}\ny {secret3}"
	best, next := detectorstest.Fill("{AKIA1} {secret1}"), detectorstest.Fill("{AKIA1} {secret2}")
	for _, tt := range []struct {
		name       string
		allowed    string         // secrets
		best, next verifier.State // the last one is unknown
		reported   string
		asked      int
	}{
		{"offline", "{secret1}", verifier.Skipped, verifier.Skipped, "{secret2}", 2},
		{"no_answer", "{secret1}", verifier.Unknown, verifier.Unknown, "{secret2}", 2},
		{"id_is_dead", "{secret1}", verifier.Invalid, verifier.Invalid, "{secret2}", 1},
		{"best_is_live", "{secret1}", verifier.Live, verifier.Skipped, "{secret1}", 1},
		{"next_is_live", "{secret1}", verifier.IDActive, verifier.Live, "{secret2}", 2},
		{"next_is_refused", "{secret1}", verifier.IDActive, verifier.IDActive, "{secret3}", 3},
		{"next_too", "{secret1}{secret2}", verifier.Unknown, verifier.Unknown, "{secret3}", 2},
		{"all", "{secret1}{secret2}{secret3}", verifier.Unknown, verifier.Unknown, "", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := &oracle{states: map[string]verifier.State{best: tt.best, next: tt.next, detectorstest.Fill("{AKIA1} {secret3}"): verifier.Unknown}}
			s := scanner.Scanner{Detectors: detectors.NewSet(awskeys.Detector{}), Verifier: v, Allow: []scanner.Filter{func(f *finding.Finding) string {
				if strings.Contains(detectorstest.Fill(tt.allowed), f.Match.Credential.Secret.Reveal()) {
					return "known"
				}
				return ""
			}}}
			sink := &scannertest.Sink{}
			if err := s.Scan(t.Context(), texts{"a": text}, sink); err != nil {
				t.Fatal(err)
			}
			reported := ""
			for _, f := range sink.Findings {
				if f.Ignored == "" {
					reported += f.Match.Credential.Secret.Reveal()
				}
			}
			if reported != detectorstest.Fill(tt.reported) || len(v.asked) != tt.asked {
				t.Errorf("asked %d times, want %d\n%s", len(v.asked), tt.asked, strings.Join(lines(sink), "\n"))
			}
		})
	}
}

// maxTried is how many secrets of one key id are asked about, as docs/verification.md
// says.
const maxTried = 10

// TestSecretsOfOneID: maxTried secrets are tried for an id, and none after the right
// one; the places of wrong ones are places of the id that lives.
func TestSecretsOfOneID(t *testing.T) {
	const n = maxTried + 2
	key := func(i int) string { return detectorstest.Fill("{AKIA1} ") + detectorstest.SecretKey(uint64(i)) }
	src := texts{}
	for i := range n {
		src[fmt.Sprint(string(rune('a'+i)))] = key(i)
	}
	for _, tt := range []struct {
		name       string
		right      int // which secret is
		others     verifier.State
		asked      int
		candidates int
	}{
		{"none", -1, verifier.IDActive, maxTried, n - 1},
		{"the_second", 1, verifier.IDActive, 2, 0},
		{"the_last_that_is_tried", maxTried - 1, verifier.IDActive, maxTried, 0},
		{"one_too_late", maxTried, verifier.IDActive, maxTried, n - 1},
		{"no_answer", -1, verifier.Unknown, maxTried, n - 1},
		{"dead", -1, verifier.Invalid, 1, n - 1},
		{"offline", -1, verifier.Skipped, n, n - 1}, // the verifier says so each time, and asks nobody
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := &oracle{states: map[string]verifier.State{}}
			for i := range n {
				v.states[key(i)] = tt.others
			}
			if tt.right >= 0 {
				v.states[key(tt.right)] = verifier.Live
			}
			sink := scan(t, src, v)
			if len(v.asked) != tt.asked || sink.Summary.Findings != 1 {
				t.Errorf("asked %d times, %d findings, want %d and 1", len(v.asked), sink.Summary.Findings, tt.asked)
			}
			state := tt.others
			if tt.candidates == 0 {
				state = verifier.Live
			}
			for _, f := range sink.Findings {
				if f.Ignored == "" && (len(f.Locations) != n || len(f.Candidates) != tt.candidates || f.Verdict.State != state) {
					t.Errorf("%s at %d places, %d candidates", f.Verdict.State, len(f.Locations), len(f.Candidates))
				}
			}
		})
	}
}

// TestProvedSecretIsReportedOnce: a secret that the provider proved to be that of the id
// is no finding of its own, wherever else it stands, and there is no doubt about it.
func TestProvedSecretIsReportedOnce(t *testing.T) {
	for _, tt := range []struct {
		name  string
		texts texts
		want  string
	}{
		{"in_its_text", texts{"a": "aws_secret={secret1}\nid={AKIA1} aws_secret={secret2}\n"}, "{AKIA1} | {secret1} | a:2:4 | live | "},
		{"and_elsewhere", texts{"a": "aws_secret={secret1}\nid={AKIA1} aws_secret={secret2}\n", "b": "aws_secret={secret1}"},
			"{AKIA1} | {secret1} | a:2:4,b:1:12 | live | "},
		{"and_elsewhere_as_anybodys", texts{"a": "aws_secret={secret1}\nid={AKIA1} aws_secret={secret2}\n", "b": "secret={secret1}"},
			"{AKIA1} | {secret1} | a:2:4,b:1:8 | live | "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := &oracle{states: map[string]verifier.State{
				detectorstest.Fill("{AKIA1} {secret1}"): verifier.Live, detectorstest.Fill("{AKIA1} {secret2}"): verifier.IDActive,
			}}
			sink := scan(t, tt.texts, v)
			var got []string
			for i, f := range sink.Findings {
				if f.Ignored == "" {
					got = append(got, lines(sink)[i])
					if f.Match.Rank != 0 || f.Match.Confidence != detectors.High {
						t.Errorf("rank %d, confidence %s", f.Match.Rank, f.Match.Confidence)
					}
				}
			}
			if diff := cmp.Diff([]string{detectorstest.Fill(tt.want)}, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestSuppressedIsNotVerified(t *testing.T) {
	v := &oracle{}
	sink := scan(t, texts{"a": "{AKIA1} {secret1}"}, v,
		func(*finding.Finding) string { return "" }, func(*finding.Finding) string { return "known" })
	if len(v.asked) > 0 || sink.Findings[0].Ignored != "known" || sink.Summary.Ignored != 1 || sink.Summary.Findings != 0 {
		t.Errorf("asked %v, found %+v", v.asked, sink)
	}
}

func TestUnreadIsReported(t *testing.T) {
	sink := scan(t, texts{"b": "error:b: broken", "a": "error:denied", "c": "{AKIA1}"}, &oracle{})
	want := []finding.Unread{{What: "a", Why: "denied", Blob: "a"}, {What: "b", Why: "broken", Blob: "b"}}
	if diff := cmp.Diff(want, sink.Summary.Unread); diff != "" || len(sink.Findings) != 1 {
		t.Errorf("found %d (-want +got)\n%s", len(sink.Findings), diff)
	}
}

// TestCancelled: whenever the user loses patience, all findings until then are reported, as
// incomplete where it is, and the scan says that it was interrupted.
func TestCancelled(t *testing.T) {
	for _, stage := range []string{"read", "locate", "verify"} {
		t.Run(stage, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			src := cancelling{texts{"a": "{AKIA1} {secret1}"}, map[string]func(){stage: cancel}}
			s := scanner.Scanner{Detectors: detectors.NewSet(awskeys.Detector{}), Verifier: src}
			sink := &scannertest.Sink{}
			if err := s.Scan(ctx, src, sink); !errors.Is(err, context.Canceled) {
				t.Errorf("error %v", err)
			}
			if len(sink.Findings) != 1 || !sink.Closed {
				t.Errorf("got %+v", sink)
			}
			if incomplete := len(sink.Summary.Unread) > 0; incomplete != (stage != "verify") {
				t.Errorf("unread: %v", sink.Summary.Unread)
			}
			for _, part := range sink.Summary.Unread {
				if part.Why != "interrupted" {
					t.Errorf("%s: %s", part.What, part.Why)
				}
			}
			if !sink.Summary.Stopped {
				t.Error("the summary does not say that the scan was stopped")
			}
		})
	}
}

// cancelling is a source, and a verifier, that calls the function at when it gets
// there.
type cancelling struct {
	texts
	at map[string]func()
}

func (c cancelling) call(stage string) {
	if f := c.at[stage]; f != nil {
		f()
	}
}

func (c cancelling) Blobs(ctx context.Context, yield func(scanner.Blob) error) error {
	return c.texts.Blobs(ctx, func(b scanner.Blob) error {
		defer c.call("read")
		return yield(b)
	})
}

func (c cancelling) Locate(ctx context.Context, ids []finding.BlobID, yield func(finding.BlobID, finding.Location) error) error {
	c.call("locate")
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return c.texts.Locate(ctx, ids, yield)
}

func (c cancelling) Verify(ctx context.Context, _ detectors.Credential) verifier.Verdict {
	c.call("verify")
	return verifier.Verdict{State: verifier.Unknown, Reason: "interrupted", Err: ctx.Err()}
}

// TestManyPlaces: places that a hostile repository multiplies are counted, not listed.
func TestManyPlaces(t *testing.T) {
	src := multiplied{texts{"a": strings.Repeat("{AKIA1}\n", 300)}}
	s := scanner.Scanner{Detectors: detectors.NewSet(awskeys.Detector{}), Verifier: &oracle{}}
	sink := &scannertest.Sink{}
	if err := s.Scan(t.Context(), src, sink); err != nil {
		t.Fatal(err)
	}
	f := sink.Findings[0]
	if len(f.Locations) > 20_000 || len(f.Locations)+f.Omitted != 300*1000 {
		t.Errorf("%d places and %d omitted", len(f.Locations), f.Omitted)
	}
}

// multiplied is a source in which each text has a thousand places.
type multiplied struct{ texts }

func (multiplied) Locate(_ context.Context, ids []finding.BlobID, yield func(finding.BlobID, finding.Location) error) error {
	for i := range 1000 {
		if err := yield(ids[0], finding.Location{Kind: finding.KindBlob, Path: fmt.Sprint(i)}); err != nil {
			return err
		}
	}
	return nil
}

// TestSignedUntil: an id that stands in presigned requests alone ends with the last of
// them; one that stands elsewhere has no end.
func TestSignedUntil(t *testing.T) {
	end := time.Unix(1_700_000_000, 0).Add(time.Hour).UTC()
	later := strings.Replace(detectorstest.Fill("{presigned1}"), "X-Amz-Expires=3600", "X-Amz-Expires=7200", 1)
	for _, tt := range []struct {
		name  string
		texts texts
		want  time.Time
	}{
		{"one", texts{"a": "{presigned1}"}, end},
		{"twice", texts{"a": "{presigned1}", "b": "{presigned1} {presigned1}"}, end},
		{"another", texts{"a": "{presigned1}", "b": later}, end.Add(time.Hour)},
		{"and_its_id_elsewhere", texts{"a": "{presigned1}", "b": "{ASIA1}"}, time.Time{}},
		{"and_its_token_elsewhere", texts{"a": "{presigned1}", "b": "{token1}"}, time.Time{}},
		{"and_its_secret_elsewhere", texts{"a": "{presigned1}", "b": "{ASIA1} {secret1}"}, time.Time{}},
	} {
		ids := 0
		for _, f := range scan(t, tt.texts, &oracle{}).Findings {
			if f.Match.Credential.ID == "" {
				continue
			}
			ids++
			if until := f.Match.SignedUntil; !until.Equal(tt.want) {
				t.Errorf("%s: signed until %v, want %v", tt.name, until, tt.want)
			}
		}
		if ids != 1 {
			t.Errorf("%s: %d findings with an id", tt.name, ids)
		}
	}
}
