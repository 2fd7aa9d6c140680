// Package reporttest has findings of every kind for the tests of formats.
package reporttest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
)

// KeyID returns a key id. It is made at run time, so that no scanner finds this file, and
// holds EXAMPLE, which marks documentation, so that none finds the golden files.
func KeyID(body string) string { return "AKIA" + body + "EXAMPLE" }

// SecretKey returns a secret of AWS's shape.
func SecretKey(n byte) string {
	return strings.Repeat(string(rune('a'+n))+"B3/", 5) + strings.Repeat("x+9"+string(rune('A'+n)), 5)
}

// The rules of all findings, and the day of the scan.
var (
	AccessKey = &detectors.Rule{ID: "aws-access-key", Title: "AWS access key",
		Help: "A long-term key of an IAM user or of the root user.\n\nWho holds it *is* that user, from anywhere."}
	sessionKey = &detectors.Rule{ID: "aws-session-key", Title: "AWS session credentials",
		Help: "Temporary credentials. They expire after 15 minutes to 36 hours."}
	Rules = []*detectors.Rule{AccessKey, sessionKey}

	Day = time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
)

// SHA returns the id of an object.
func SHA(b byte) string { return strings.Repeat(string(rune(b))+"0", 20) }

// Blob returns a place in a file.
func Blob(path string, line int, atHead bool) finding.Location {
	return finding.Location{Blob: finding.BlobID(SHA('b')), Line: line, Column: 21, EndColumn: 41, SecretLine: line + 1,
		Kind: finding.KindBlob, Path: path, Commit: SHA('c'),
		Author: "Jane Doe", Email: "jane@example.com", Time: Day.AddDate(-1, 0, line), AtHead: atHead}
}

// Leaked returns a finding of a scan.
func Leaked(id string, n byte, state verifier.State, where ...finding.Location) *finding.Finding {
	return &finding.Finding{
		Match: detectors.Match{Rule: AccessKey, Grade: "strong", Confidence: detectors.High,
			Credential: detectors.Credential{ID: KeyID(id), Secret: detectors.NewSecret(SecretKey(n))}},
		Locations: where,
		Verdict: verifier.Verdict{State: state, At: Day,
			Identity: verifier.Identity{Account: "111122223333"}},
	}
}

// Reported returns a finding as a saved report has it: with the hash of its secret only.
func Reported(rule, id, secretSHA256 string, state verifier.State) finding.Finding {
	return finding.Finding{
		Match:   detectors.Match{Rule: &detectors.Rule{ID: rule}, Credential: detectors.Credential{ID: id}},
		Digest:  &finding.Digest{SecretSHA256: secretSHA256},
		Verdict: verifier.Verdict{State: state},
	}
}

// several holds a finding of each class, and each kind of location.
func several() []*finding.Finding {
	user := Leaked("Q7GLPMN5Z", 0, verifier.Live,
		Blob("config/prod.env", 3, true), Blob("deploy.sh", 10, false), Blob("a", 1, false),
		Blob("b", 1, false), Blob("c", 1, false), Blob("d", 1, false), Blob("e", 1, false))
	user.Verdict.Identity = verifier.Identity{Account: "111122223333", Kind: "user", Name: "deploy",
		ARN: "arn:aws:iam::111122223333:user/ci/deploy", UserID: "AIDA" + "USERIDEXAMPLE"}
	user.Verdict.Facts = []verifier.Fact{{Name: "policy", Value: "AdministratorAccess", Risk: 3},
		{Name: "last used", Value: "2026-03-01", Risk: 1}, {Name: "partition", Value: "aws"}}
	root := Leaked("RXROOTKEY", 1, verifier.Live, Blob("terraform/main.tf", 7, true))
	root.Verdict.Identity.Kind = "root"
	session := Leaked("SXSESSION", 2, verifier.Live, finding.Location{Line: 4, Column: 1, EndColumn: 21, SecretLine: 4,
		Blob: finding.BlobID(SHA('d')), Kind: finding.KindCommit, Commit: SHA('d'), Author: "Bob", Time: Day})
	session.Match.Rule = sessionKey
	session.Match.Credential.Token = detectors.NewSecret("tok" + SecretKey(9))
	session.Verdict.Identity.Kind, session.Verdict.Identity.Name = "role", "ci"
	active := Leaked("TXIDLIVES", 3, verifier.IDActive, Blob("x.py", 2, true))
	active.Match.Rank = 1
	active.Candidates = []finding.Candidate{candidate(21, Blob("x.py", 9, true)), candidate(22, Blob("old/x.py", 2, false))}
	unsure := Leaked("UXUNKNOWN", 4, verifier.Unknown, Blob("y.py", 2, true))
	unsure.Verdict.Reason, unsure.Match.Confidence = "the answer did not come from AWS", detectors.Medium
	skipped := Leaked("VXSKIPPED", 5, verifier.Skipped, Blob("z.py", 2, true))
	skipped.Verdict.Reason, skipped.Match.Grade = "AWS was not asked (--verify does)", "legacy"
	lone := Leaked("WXLONEIDX", 6, verifier.Skipped, finding.Location{Line: 1, Column: 6, EndColumn: 26,
		Blob: finding.BlobID(SHA('e')), Kind: finding.KindRefName, Path: "refs/heads/try"})
	lone.Match.Credential.Secret = detectors.Secret{}
	trap := Leaked("XXCANARYX", 7, verifier.CanarySuspected, Blob("aws/credentials", 2, true))
	old := Leaked("YXEXPIRED", 8, verifier.Expired, Blob("old.log", 200, false))
	gone := Leaked("ZXINVALID", 10, verifier.Invalid, Blob("gone.rb", 12, false))
	allowed := Leaked("QXALLOWED", 11, verifier.Skipped, Blob("testdata/key.txt", 1, true))
	allowed.Ignored = "allowed by .stanchignore: test data"
	return []*finding.Finding{gone, old, trap, lone, allowed, skipped, unsure, active, session, user, root}
}

// candidate returns another secret, with its hashes, of the id of a finding.
func candidate(n byte, where ...finding.Location) finding.Candidate {
	secret := detectors.NewSecret(SecretKey(n))
	return finding.Candidate{
		Fingerprint: strings.Repeat(string(rune('a'+n%6)), 32), SecretSHA256: secret.SHA256(), Secret: secret,
		Confidence: detectors.Low, State: verifier.Skipped, Locations: where,
	}
}

// held holds a finding for each kind of text.
func held() []*finding.Finding {
	at := func(kind finding.Kind, path, commit, unreachable string, refs ...string) finding.Location {
		l := Blob(path, 3, false)
		l.Kind, l.Commit, l.Unreachable, l.Refs = kind, commit, unreachable, refs
		if commit == "" {
			l.Author, l.Email, l.Time = "", "", time.Time{}
		}
		return l
	}
	Many := at(finding.KindBlob, "many.env", SHA('c'), "", "refs/heads/main", "refs/heads/dev", "refs/tags/v1", "refs/remotes/origin/x", "refs/pull/7/head")
	Many.MoreRefs, Many.AtHead = 12340, true
	var fs []*finding.Finding
	for i, l := range []finding.Location{
		at(finding.KindBlob, "one.env", SHA('c'), "", "refs/heads/main"),
		at(finding.KindBlob, "two.env", SHA('c'), "", "refs/heads/main", "refs/tags/v1"),
		Many,
		at(finding.KindCommit, "", SHA('d'), "", "refs/heads/main"),
		at(finding.KindBlob, "amended.env", SHA('c'), "reflog HEAD@{2}"),
		at(finding.KindBlob, "dropped.env", SHA('c'), "dangling commit"),
		at(finding.KindCommit, "", SHA('d'), "ORIG_HEAD"),
		at(finding.KindTag, "", SHA('d'), "dangling tag"),
		at(finding.KindBlob, "treed.env", "", "dangling tree "+SHA('f')),
		at(finding.KindBlob, "", "", "no ref, reflog, commit or tree leads to it"),
		at(finding.KindPath, "", "", "no ref, reflog, commit or tree leads to it"),
		at(finding.KindIndex, "staged.env", "", ""),
		at(finding.KindConfig, "config", "", ""),
		at(finding.KindReflog, "logs/HEAD", "", ""),
	} {
		state := []verifier.State{verifier.Live, verifier.Unknown, verifier.Invalid}[i%3]
		fs = append(fs, Leaked("Q7HELD"+string(rune('A'+i))+"XYZ", byte(i), state, l))
	}
	// A place that a branch holds is enough.
	fs[4].Locations = append(fs[4].Locations, at(finding.KindBlob, "also.env", SHA('c'), "", "refs/heads/main"))
	return fs
}

// aged holds answers from another time than the scan: kept by an earlier run, from the
// future, and from a saved report that was verified again (see aging).
func aged() []*finding.Finding {
	at := func(id string, n byte, state verifier.State, before time.Duration) *finding.Finding {
		f := Leaked(id, n, state, Blob("prod.env", int(n)+1, true))
		f.Verdict.At = Day.Add(-before)
		return f
	}
	root := at("QCSTALERT", 0, verifier.Live, 2*time.Hour)
	root.Verdict.Identity.Kind = "root"
	never := at("QCSTALENO", 1, verifier.Skipped, 0)
	never.Verdict.At = time.Time{}
	nowhere := at("QCNOTTOLD", 2, verifier.Live, 0)
	nowhere.Verdict.At = time.Time{}
	return []*finding.Finding{
		at("QCCACHEDX", 3, verifier.Live, 12*time.Minute), at("QCCACHEDY", 4, verifier.Invalid, 23*time.Hour),
		at("QCNOWASKD", 5, verifier.Live, -time.Second), at("QCTOMORRW", 6, verifier.Live, -25*time.Hour),
		root, at("QCSTALELV", 7, verifier.Live, 26*time.Hour), at("QCSTALEID", 8, verifier.IDActive, 26*time.Hour),
		at("QCSTALEDD", 9, verifier.Invalid, 26*time.Hour), at("QCSTALEFT", 10, verifier.Live, -25*time.Hour), never, nowhere,
	}
}

// An aging handler turns the report of a scan into one that was verified again.
type aging struct{ finding.Handler }

func (h aging) Finding(f finding.Finding) error {
	if strings.Contains(f.Match.Credential.ID, "STALE") {
		f.Stale = "not asked again: the report holds no secret"
		if f.Verdict.State == verifier.Skipped {
			f.Stale = "not asked: the report holds no secret"
		}
	}
	return h.Handler.Finding(f)
}

func (h aging) Summary(s finding.Summary) error {
	s.Again = &finding.Again{Asked: 1, Of: 7}
	return h.Handler.Summary(s)
}

// every holds a finding with every field that a scan can set, and a finding of a user's
// rule.
func every() []*finding.Finding {
	l := finding.Location{
		Blob: finding.BlobID(SHA('b')), Line: 3, Column: 21, EndColumn: 41, SecretLine: 4, Part: finding.PartSecret, Ignored: "allowed here",
		Repo: "https://github.com/example/other", Kind: finding.KindBlob, Path: "config/prod.env", Commit: SHA('c'), Author: "Jane Doe", Email: "jane@example.com",
		Time: Day.In(time.FixedZone("", 3600)), AtHead: true, Refs: []string{"refs/heads/main", "refs/tags/" + SecretKey(20)}, MoreRefs: 7, Unreachable: "reflog HEAD@{2}",
		Around: &finding.Around{Before: detectors.NewSecret("before"), Line: detectors.NewSecret("line"), SecretLine: detectors.NewSecret("secret line")},
	}
	same := l
	same.SecretLine, same.Part, same.Ignored = same.Line, "", ""
	f := Leaked("QEVERYONE", 12, verifier.Live, l, same)
	f.Match.Rule, f.Match.Confidence, f.Match.IDConfidence, f.Match.Rank = sessionKey, detectors.Medium, detectors.High, 2
	f.Match.Credential.Token, f.Match.Credential.Partition = detectors.NewSecret("tok"+SecretKey(13)), "aws-cn"
	f.Match.Account, f.Match.Group, f.Match.Unverifiable = "999988887777", "prod", "not reported"
	f.Match.Expires, f.Match.SignedUntil = Day.In(time.FixedZone("", -3600)), Day.AddDate(1, 0, 0)
	f.Match.Facts = []verifier.Fact{{Name: "text", Value: SecretKey(12) + " stands in a fact", Risk: 2, Source: "sts:GetCallerIdentity"}}
	f.Others = []detectors.Secret{detectors.NewSecret(SecretKey(20))}
	f.Candidates, f.CandidatesOmitted = []finding.Candidate{candidate(23, l)}, 3
	f.Candidates[0].Locations[0].Path = "also/" + SecretKey(23)
	f.Candidates[0].Omitted = 5
	f.Omitted, f.Ignored, f.Overruled = 9, "known: in old.jsonl", "allowed by .stanch.toml"
	f.Verdict.At = Day.In(time.FixedZone("", 7200))
	f.Verdict.Reason = "asked with " + SecretKey(12)
	f.Verdict.Identity = verifier.Identity{Account: "111122223333", ARN: "arn:aws:sts::111122223333:assumed-role/ci/" + SecretKey(20), UserID: "AROA" + "USERIDEXAMPLE", Kind: "role", Name: "ci"}
	f.Verdict.Facts = []verifier.Fact{{Name: "account-name", Value: "prod", Source: "organizations:DescribeAccount"}}
	own := &detectors.Rule{ID: "own-rule", Title: "Own rule", Value: true}
	value := &finding.Finding{
		Match:     detectors.Match{Rule: own, Confidence: detectors.High, Credential: detectors.Credential{Secret: detectors.NewSecret("hunter2!")}},
		Locations: []finding.Location{{Line: 1, Column: 1, EndColumn: 9, SecretLine: 1, Blob: "x", Kind: finding.KindBlob, Path: "has hunter2! in it"}},
	}
	return []*finding.Finding{f, value}
}

// odd holds strings that break terminals, URIs and SARIF messages.
func odd() []*finding.Finding {
	paths := []string{"a b/ü#?%41:c.txt", "c:\\dir\\key.txt", "../../etc/passwd", "/abs/path", "new\nline\x1b[31m",
		"bad\xff\xfeutf8", "mailto:x", "rtl\u202egpj.exe", "-rf", "[link](http://evil.example)", "..", "日本語/鍵"}
	var fs []*finding.Finding
	for i, p := range paths {
		f := Leaked("Q7ODD"+string(rune('A'+i))+"XYZ", byte(i), verifier.Unknown, Blob(p, 1, true), Blob("x/"+p, 2, false))
		f.Locations[0].Refs, f.Locations[0].MoreRefs = []string{"refs/heads/" + p, "refs/tags/\x1b[2J", "", "refs/heads/"}, i
		f.Locations[1].Unreachable = "reflog refs/heads/" + p + "@{0}"
		f.Locations[0].Author = "Eve\x1b]0;pwned\a\r\n" + p
		f.Verdict.Reason = "[click](http://evil.example) {0}\x1b[2J\u009b2J " + p
		f.Verdict.Identity = verifier.Identity{Account: "1\x1b[0m", Kind: "user", Name: "x; rm -rf ~", ARN: "arn\n" + p}
		fs = append(fs, f)
	}
	return fs
}

// fleet adds the history of several findings in a sweep.
func fleet(f *finding.Finding) {
	at := func(days int) time.Time { return Day.AddDate(0, 0, days) }
	switch f.Verdict.State {
	case verifier.Live:
		f.History = &finding.History{FirstSeen: at(-40), LastSeen: Day}
		if f.Verdict.Identity.Kind == "root" {
			f.History.AcknowledgedBy, f.History.Note, f.History.AcknowledgedUntil = "ops@example.com", "rotation\nplanned", at(9)
		}
	case verifier.Invalid:
		f.History = &finding.History{FirstSeen: at(-300), LastSeen: Day, GoneSince: at(-200), DeadSince: at(-290)}
	case verifier.Unknown:
		f.History = &finding.History{FirstSeen: Day.Add(time.Minute), LastSeen: Day.Add(time.Minute), New: true}
	}
}

var fleetRepositories = []finding.Repository{
	{Name: "example/app", URL: "https://github.com/example/app", State: finding.RepositorySwept, At: Day, Objects: 24154, Fetched: 124_000_000, Private: true},
	{Name: "example/fork", URL: "https://github.com/example/fork", State: finding.RepositoryUnchanged, At: Day, ForkOf: "upstream/fork"},
	{Name: "example/old", URL: "https://github.com/example/old", State: finding.RepositoryFailed, Why: "fetching:\nthe server hung up", Archived: true},
	{Name: "example/big", State: finding.RepositorySkipped, Why: "larger than 1 GB"},
}

// A Sweeping handler turns the report of a scan into one of a sweep.
type Sweeping struct{ finding.Handler }

// Finding adds the history of f.
func (h Sweeping) Finding(f finding.Finding) error {
	fleet(&f)
	return h.Handler.Finding(f)
}

// Summary reports the repositories before it.
func (h Sweeping) Summary(s finding.Summary) error {
	for _, r := range fleetRepositories {
		if err := h.Repository(r); err != nil {
			return err
		}
	}
	return h.Handler.Summary(s)
}

// Sums are the summaries of the sets.
var Sums = map[string]finding.Summary{
	"several": {Findings: 10, Ignored: 1, Live: 3, Unknown: 1, MayBeLive: 7, Objects: 24154, Bytes: 124_000_000, ElapsedMS: 4100},
	"fleet": {Findings: 10, Ignored: 1, Live: 3, Unknown: 1, MayBeLive: 7, Objects: 24154, Bytes: 124_000_000, ElapsedMS: 4100,
		Unread: []finding.Unread{{What: "https://github.com/example/old", Why: "fetching:\nthe server hung up"}, {What: "https://github.com/example/later", Why: "it waits for its turn"}}},
	"every": {Findings: 1, Ignored: 1, Live: 1, Unknown: 3, MayBeLive: 6, Objects: 4, Bytes: 5, ElapsedMS: 1, Stopped: true,
		Unread:   []finding.Unread{{What: "a " + SecretKey(12), Why: "damaged", Blob: finding.BlobID(SHA('d'))}},
		Accepted: []finding.Unread{{What: "b", Why: "too large", Blob: "b", Accepted: "known to us"}}},
	"aged": {Findings: 10, Live: 6, MayBeLive: 9, Objects: 14, Bytes: 1500, ElapsedMS: 12},
	"held": {Findings: 14, Live: 5, Unknown: 5, MayBeLive: 10, Objects: 14, Bytes: 1500, ElapsedMS: 12},
	"none": {Objects: 1, Bytes: 1500, ElapsedMS: 12},
	"odd": {Findings: 12, Unknown: 12, MayBeLive: 12, Objects: 99, Bytes: 12_345, ElapsedMS: 60_000,
		Unread: []finding.Unread{{What: "objects/pack/\x1b[31mpack-1.pack", Why: "checksum\nmismatch"}, {What: "tree " + SHA('f'), Why: "missing"}}},
	"unread": {Objects: 5, Unread: []finding.Unread{{What: "tree " + SHA('f'), Why: "missing"}}},
}

// Set returns the findings of a set.
func Set(set string) []*finding.Finding {
	switch set {
	case "several", "fleet":
		return several()
	case "held":
		return held()
	case "aged":
		return aged()
	case "every":
		return every()
	case "odd":
		return odd()
	}
	return nil
}

// Many reports n findings, the live one last, and two unread things.
func Many(t *testing.T, h finding.Handler, n int) {
	t.Helper()
	errs := []error{h.Scan(finding.Scan{})}
	for i := range n {
		f := Reported("r", fmt.Sprint("KEY", i), "x", verifier.Skipped)
		f.Match.Rule.Title, f.Match.Confidence = "AWS access key", detectors.High
		f.Locations = []finding.Location{{Kind: finding.KindBlob, Path: "dir/file.txt", Line: 1, Column: 1, EndColumn: 2}}
		if i%2 == 0 {
			f.Match.Confidence = detectors.Medium
		}
		if i == n-1 {
			f.Verdict.State = verifier.Live
		}
		errs = append(errs, h.Finding(f))
	}
	if err := errors.Join(append(errs, h.Summary(finding.Summary{Findings: n}))...); err != nil {
		t.Fatal(err)
	}
}

// Harmless checks that s can move no cursor.
func Harmless(t *testing.T, s string) {
	t.Helper()
	if !utf8.ValidString(s) {
		t.Fatalf("not UTF-8: %q", s)
	}
	for i, r := range s {
		if r != '\n' && !strconv.IsPrint(r) {
			t.Fatalf("offset %d: %q in:\n%q", i, r, s)
		}
	}
}

// Write reports a set of findings to h.
func Write(t testing.TB, h finding.Handler, set string, showSecrets bool) {
	t.Helper()
	switch set {
	case "fleet":
		h = Sweeping{h}
	case "aged":
		h = aging{h}
	}
	sink := finding.NewSink(h, finding.Scan{Version: "0.1.0", Source: "git", Target: "https://github.com/example/app", Started: Day}, nil, showSecrets)
	for _, f := range Set(set) {
		if err := sink.Finding(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := sink.Close(Sums[set]); err != nil {
		t.Fatal(err)
	}
}
