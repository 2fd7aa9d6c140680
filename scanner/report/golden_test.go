package report

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
)

var update = flag.Bool("update", false, "write the golden files")

// Key-shaped text is made at run time, so that no scanner finds this file. In
// golden files all ids hold EXAMPLE, which marks documentation.
func keyID(body string) string { return "AKIA" + body + "EXAMPLE" }

func secretKey(n byte) string {
	return strings.Repeat(string(rune('a'+n))+"B3/", 5) + strings.Repeat("x+9"+string(rune('A'+n)), 5)
}

var (
	accessKey = &detectors.Rule{ID: "aws-access-key", Title: "AWS access key",
		Help: "A long-term key of an IAM user or of the root user.\n\nWho holds it *is* that user, from anywhere."}
	sessionKey = &detectors.Rule{ID: "aws-session-key", Title: "AWS session credentials",
		Help: "Temporary credentials. They expire after 15 minutes to 36 hours."}
	testRules = []*detectors.Rule{accessKey, sessionKey}

	day = time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
)

func sha(b byte) string { return strings.Repeat(string(rune(b))+"0", 20) }

func blob(path string, line int, atHead bool) finding.Location {
	return finding.Location{Blob: scanner.BlobID(sha('b')), Line: line, Column: 21, EndColumn: 41, SecretLine: line + 1,
		Kind: scanner.KindBlob, Path: path, Commit: sha('c'),
		Author: "Jane Doe", Email: "jane@example.com", Time: day.AddDate(-1, 0, line), AtHead: atHead}
}

func leaked(id string, n byte, state verifier.State, where ...finding.Location) *finding.Finding {
	return &finding.Finding{
		Match: detectors.Match{Rule: accessKey, Grade: "strong", Confidence: detectors.High,
			Credential: detectors.Credential{ID: keyID(id), Secret: detectors.NewSecret(secretKey(n))}},
		Locations: where,
		Verdict: verifier.Verdict{State: state, At: day,
			Identity: verifier.Identity{Account: "111122223333"}},
	}
}

// reported returns a finding as a saved report has it: with the hash of its secret only.
func reported(rule, id, secretSHA256 string, state verifier.State) finding.Finding {
	return finding.Finding{
		Match:   detectors.Match{Rule: &detectors.Rule{ID: rule}, Credential: detectors.Credential{ID: id}},
		Digest:  &finding.Digest{SecretSHA256: secretSHA256},
		Verdict: verifier.Verdict{State: state},
	}
}

// several holds a finding of each class, and each kind of location.
func several() []*finding.Finding {
	user := leaked("Q7GLPMN5Z", 0, verifier.Live,
		blob("config/prod.env", 3, true), blob("deploy.sh", 10, false), blob("a", 1, false),
		blob("b", 1, false), blob("c", 1, false), blob("d", 1, false), blob("e", 1, false))
	user.Verdict.Identity = verifier.Identity{Account: "111122223333", Kind: "user", Name: "deploy",
		ARN: "arn:aws:iam::111122223333:user/ci/deploy", UserID: "AIDA" + "USERIDEXAMPLE"}
	user.Verdict.Facts = []verifier.Fact{{Name: "policy", Value: "AdministratorAccess", Risk: 3},
		{Name: "last used", Value: "2026-03-01", Risk: 1}, {Name: "partition", Value: "aws"}}
	root := leaked("RXROOTKEY", 1, verifier.Live, blob("terraform/main.tf", 7, true))
	root.Verdict.Identity.Kind = "root"
	session := leaked("SXSESSION", 2, verifier.Live, finding.Location{Line: 4, Column: 1, EndColumn: 21, SecretLine: 4,
		Blob: scanner.BlobID(sha('d')), Kind: scanner.KindCommit, Commit: sha('d'), Author: "Bob", Time: day})
	session.Match.Rule = sessionKey
	session.Match.Credential.Token = detectors.NewSecret("tok" + secretKey(9))
	session.Verdict.Identity.Kind, session.Verdict.Identity.Name = "role", "ci"
	active := leaked("TXIDLIVES", 3, verifier.IDActive, blob("x.py", 2, true))
	active.Match.Rank = 1
	unsure := leaked("UXUNKNOWN", 4, verifier.Unknown, blob("y.py", 2, true))
	unsure.Verdict.Reason, unsure.Match.Confidence = "the answer did not come from AWS", detectors.Medium
	skipped := leaked("VXSKIPPED", 5, verifier.Skipped, blob("z.py", 2, true))
	skipped.Verdict.Reason, skipped.Match.Grade = "verification is off", "legacy"
	lone := leaked("WXLONEIDX", 6, verifier.Skipped, finding.Location{Line: 1, Column: 6, EndColumn: 26,
		Blob: scanner.BlobID(sha('e')), Kind: scanner.KindRefName, Path: "refs/heads/try"})
	lone.Match.Credential.Secret = detectors.Secret{}
	trap := leaked("XXCANARYX", 7, verifier.CanarySuspected, blob("aws/credentials", 2, true))
	old := leaked("YXEXPIRED", 8, verifier.Expired, blob("old.log", 200, false))
	gone := leaked("ZXINVALID", 10, verifier.Invalid, blob("gone.rb", 12, false))
	allowed := leaked("QXALLOWED", 11, verifier.Skipped, blob("testdata/key.txt", 1, true))
	allowed.Ignored = "allowed by .stanchignore: test data"
	return []*finding.Finding{gone, old, trap, lone, allowed, skipped, unsure, active, session, user, root}
}

// held holds a finding for each kind of thing that may hold a text.
func held() []*finding.Finding {
	at := func(kind scanner.Kind, path, commit, unreachable string, refs ...string) finding.Location {
		l := blob(path, 3, false)
		l.Kind, l.Commit, l.Unreachable, l.Refs = kind, commit, unreachable, refs
		if commit == "" {
			l.Author, l.Email, l.Time = "", "", time.Time{}
		}
		return l
	}
	many := at(scanner.KindBlob, "many.env", sha('c'), "", "refs/heads/main", "refs/heads/dev", "refs/tags/v1", "refs/remotes/origin/x", "refs/pull/7/head")
	many.MoreRefs, many.AtHead = 12340, true
	var fs []*finding.Finding
	for i, l := range []finding.Location{
		at(scanner.KindBlob, "one.env", sha('c'), "", "refs/heads/main"),
		at(scanner.KindBlob, "two.env", sha('c'), "", "refs/heads/main", "refs/tags/v1"),
		many,
		at(scanner.KindCommit, "", sha('d'), "", "refs/heads/main"),
		at(scanner.KindBlob, "amended.env", sha('c'), "reflog HEAD@{2}"),
		at(scanner.KindBlob, "dropped.env", sha('c'), "dangling commit"),
		at(scanner.KindCommit, "", sha('d'), "ORIG_HEAD"),
		at(scanner.KindTag, "", sha('d'), "dangling tag"),
		at(scanner.KindBlob, "treed.env", "", "dangling tree "+sha('f')),
		at(scanner.KindBlob, "", "", "no ref, reflog, commit or tree leads to it"),
		at(scanner.KindPath, "", "", "no ref, reflog, commit or tree leads to it"),
		at(scanner.KindIndex, "staged.env", "", ""),
		at(scanner.KindConfig, "config", "", ""),
		at(scanner.KindReflog, "logs/HEAD", "", ""),
	} {
		state := []verifier.State{verifier.Live, verifier.Unknown, verifier.Invalid}[i%3]
		fs = append(fs, leaked("Q7HELD"+string(rune('A'+i))+"XYZ", byte(i), state, l))
	}
	// A place that a branch holds is enough.
	fs[4].Locations = append(fs[4].Locations, at(scanner.KindBlob, "also.env", sha('c'), "", "refs/heads/main"))
	return fs
}

// aged holds answers that are not of the scan: kept by an earlier run, of a time that is
// still to come, and those of a saved report that was verified again (see aging).
func aged() []*finding.Finding {
	at := func(id string, n byte, state verifier.State, before time.Duration) *finding.Finding {
		f := leaked(id, n, state, blob("prod.env", int(n)+1, true))
		f.Verdict.At = day.Add(-before)
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

// every holds a finding in which everything is set that a scan can set, and one of a rule
// of the user.
func every() []*finding.Finding {
	l := finding.Location{
		Blob: scanner.BlobID(sha('b')), Line: 3, Column: 21, EndColumn: 41, SecretLine: 4, Part: finding.PartSecret, Ignored: "allowed here",
		Repo: "https://github.com/example/other", Kind: scanner.KindBlob, Path: "config/prod.env", Commit: sha('c'), Author: "Jane Doe", Email: "jane@example.com",
		Time: day.In(time.FixedZone("", 3600)), AtHead: true, Refs: []string{"refs/heads/main", "refs/tags/" + secretKey(20)}, MoreRefs: 7, Unreachable: "reflog HEAD@{2}",
		Around: &finding.Around{Before: detectors.NewSecret("before"), Line: detectors.NewSecret("line"), SecretLine: detectors.NewSecret("secret line")},
	}
	same := l
	same.SecretLine, same.Part, same.Ignored = same.Line, "", ""
	f := leaked("QEVERYONE", 12, verifier.Live, l, same)
	f.Match.Rule, f.Match.Confidence, f.Match.IDConfidence, f.Match.Rank = sessionKey, detectors.Medium, detectors.High, 2
	f.Match.Credential.Token, f.Match.Credential.Partition = detectors.NewSecret("tok"+secretKey(13)), "aws-cn"
	f.Match.Account, f.Match.Group, f.Match.Unverifiable = "999988887777", "prod", "not reported"
	f.Match.Expires, f.Match.SignedUntil = day.In(time.FixedZone("", -3600)), day.AddDate(1, 0, 0)
	f.Match.Facts = []verifier.Fact{{Name: "text", Value: secretKey(12) + " stands in a fact", Risk: 2, Source: "sts:GetCallerIdentity"}}
	f.Others = []detectors.Secret{detectors.NewSecret(secretKey(20))}
	f.Omitted, f.Ignored, f.Overruled = 9, "known: in old.jsonl", "allowed by .stanch.toml"
	f.Verdict.At = day.In(time.FixedZone("", 7200))
	f.Verdict.Reason = "asked with " + secretKey(12)
	f.Verdict.Identity = verifier.Identity{Account: "111122223333", ARN: "arn:aws:sts::111122223333:assumed-role/ci/" + secretKey(20), UserID: "AROA" + "USERIDEXAMPLE", Kind: "role", Name: "ci"}
	f.Verdict.Facts = []verifier.Fact{{Name: "account-name", Value: "prod", Source: "organizations:DescribeAccount"}}
	own := &detectors.Rule{ID: "own-rule", Title: "Own rule", Value: true}
	value := &finding.Finding{
		Match:     detectors.Match{Rule: own, Confidence: detectors.High, Credential: detectors.Credential{Secret: detectors.NewSecret("hunter2!")}},
		Locations: []finding.Location{{Line: 1, Column: 1, EndColumn: 9, SecretLine: 1, Blob: "x", Kind: scanner.KindBlob, Path: "has hunter2! in it"}},
	}
	return []*finding.Finding{f, value}
}

// odd holds strings that break terminals, URIs and SARIF messages.
func odd() []*finding.Finding {
	paths := []string{"a b/ü#?%41:c.txt", "c:\\dir\\key.txt", "../../etc/passwd", "/abs/path", "new\nline\x1b[31m",
		"bad\xff\xfeutf8", "mailto:x", "rtl\u202egpj.exe", "-rf", "[link](http://evil.example)", "..", "日本語/鍵"}
	var fs []*finding.Finding
	for i, p := range paths {
		f := leaked("Q7ODD"+string(rune('A'+i))+"XYZ", byte(i), verifier.Unknown, blob(p, 1, true), blob("x/"+p, 2, false))
		f.Locations[0].Refs, f.Locations[0].MoreRefs = []string{"refs/heads/" + p, "refs/tags/\x1b[2J", "", "refs/heads/"}, i
		f.Locations[1].Unreachable = "reflog refs/heads/" + p + "@{0}"
		f.Locations[0].Author = "Eve\x1b]0;pwned\a\r\n" + p
		f.Verdict.Reason = "[click](http://evil.example) {0}\x1b[2J\u009b2J " + p
		f.Verdict.Identity = verifier.Identity{Account: "1\x1b[0m", Kind: "user", Name: "x; rm -rf ~", ARN: "arn\n" + p}
		fs = append(fs, f)
	}
	return fs
}

// fleet is what a sweep knows of several findings, and the records of its repositories.
func fleet(f *finding.Finding) {
	at := func(days int) time.Time { return day.AddDate(0, 0, days) }
	switch f.Verdict.State {
	case verifier.Live:
		f.History = &finding.History{FirstSeen: at(-40), LastSeen: day}
		if f.Verdict.Identity.Kind == "root" {
			f.History.AcknowledgedBy, f.History.Note, f.History.AcknowledgedUntil = "ops@example.com", "rotation\nplanned", at(9)
		}
	case verifier.Invalid:
		f.History = &finding.History{FirstSeen: at(-300), LastSeen: day, GoneSince: at(-200), DeadSince: at(-290)}
	case verifier.Unknown:
		f.History = &finding.History{FirstSeen: day.Add(time.Minute), LastSeen: day.Add(time.Minute)}
	}
}

var fleetRepositories = []finding.Repository{
	{Name: "example/app", URL: "https://github.com/example/app", State: finding.RepositorySwept, At: day, Objects: 24154, Fetched: 124_000_000, Private: true},
	{Name: "example/fork", URL: "https://github.com/example/fork", State: finding.RepositoryUnchanged, At: day, ForkOf: "upstream/fork"},
	{Name: "example/old", URL: "https://github.com/example/old", State: finding.RepositoryFailed, Why: "fetching:\nthe server hung up", Archived: true},
	{Name: "example/big", State: finding.RepositorySkipped, Why: "larger than 1 GB"},
}

// A sweeping handler turns the report of a scan into one of a sweep.
type sweeping struct{ finding.Handler }

func (h sweeping) Finding(f finding.Finding) error {
	fleet(&f)
	return h.Handler.Finding(f)
}

func (h sweeping) Summary(s finding.Summary) error {
	for _, r := range fleetRepositories {
		if err := h.Repository(r); err != nil {
			return err
		}
	}
	return h.Handler.Summary(s)
}

var sums = map[string]finding.Summary{
	"several": {Findings: 10, Ignored: 1, Live: 3, Unknown: 1, Objects: 24154, Bytes: 124_000_000, ElapsedMS: 4100},
	"fleet": {Findings: 10, Ignored: 1, Live: 3, Unknown: 1, Objects: 24154, Bytes: 124_000_000, ElapsedMS: 4100,
		Unread: []finding.Unread{{What: "https://github.com/example/old", Why: "fetching:\nthe server hung up"}, {What: "https://github.com/example/later", Why: "it waits for its turn"}}},
	"every": {Findings: 1, Ignored: 1, Live: 1, Unknown: 3, Objects: 4, Bytes: 5, ElapsedMS: 1, Stopped: true,
		Unread:   []finding.Unread{{What: "a " + secretKey(12), Why: "damaged", Blob: scanner.BlobID(sha('d'))}},
		Accepted: []finding.Unread{{What: "b", Why: "too large", Blob: "b", Accepted: "known to us"}}},
	"aged": {Findings: 10, Live: 6, Objects: 14, Bytes: 1500, ElapsedMS: 12},
	"held": {Findings: 14, Live: 5, Unknown: 5, Objects: 14, Bytes: 1500, ElapsedMS: 12},
	"none": {Objects: 1, Bytes: 1500, ElapsedMS: 12},
	"odd": {Findings: 12, Unknown: 12, Objects: 99, Bytes: 12_345, ElapsedMS: 60_000,
		Unread: []finding.Unread{{What: "objects/pack/\x1b[31mpack-1.pack", Why: "checksum\nmismatch"}, {What: "tree " + sha('f'), Why: "missing"}}},
	"unread": {Objects: 5, Unread: []finding.Unread{{What: "tree " + sha('f'), Why: "missing"}}},
}

func testFindings(set string) []*finding.Finding {
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

// write reports a set of findings in a format.
func write(t testing.TB, format, set string, o Options, show bool) []byte {
	t.Helper()
	var b bytes.Buffer
	o.Rules = testRules
	h, err := New(format, &b, o)
	if err != nil {
		t.Fatal(err)
	}
	switch set {
	case "fleet":
		h = sweeping{h}
	case "aged":
		h = aging{h}
	}
	sink := finding.NewSink(h, finding.Scan{Version: "0.1.0", Source: "git", Target: "https://github.com/example/app", Started: day}, nil, show)
	for _, f := range testFindings(set) {
		if err := sink.Finding(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := sink.Close(sums[set]); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// withoutAssets leaves the style and the script out of a page: they are files already.
func withoutAssets(page []byte) []byte {
	return []byte(strings.NewReplacer(pageStyle, "…", pageScript, "…", ContentSecurityPolicy(), "…").Replace(string(page)))
}

func TestGolden(t *testing.T) {
	for _, tt := range []struct {
		file, format string
		o            Options
	}{
		{"several.txt", "text", Options{}},
		{"several.verbose.txt", "text", Options{Verbose: true}},
		{"several.color.txt", "text", Options{Color: true}},
		{"several.json", "json", Options{}},
		{"several.sarif", "sarif", Options{}},
		{"fleet.txt", "text", Options{}},
		{"fleet.json", "json", Options{}},
		{"fleet.html", "html", Options{}},
		{"none.html", "html", Options{}},
		{"odd.html", "html", Options{}},
		{"held.txt", "text", Options{}},
		{"held.json", "json", Options{}},
		{"held.sarif", "sarif", Options{}},
		{"aged.txt", "text", Options{Now: func() time.Time { return day.Add(30 * time.Second) }, Again: "--no-cache"}},
		{"aged.later.txt", "text", Options{Now: func() time.Time { return day.AddDate(0, 0, 3) }, Again: "stanch verify"}},
		{"aged.json", "json", Options{}},
		{"aged.sarif", "sarif", Options{}},
		{"aged.html", "html", Options{}},
		{"aged.md", "markdown", Options{}},
		{"aged.annotations", "github", Options{Again: "--no-cache"}},
		{"aged.junit.xml", "junit", Options{Now: func() time.Time { return day.AddDate(0, 0, 3) }, Again: "stanch verify"}},
		{"every.txt", "text", Options{Verbose: true}},
		{"every.json", "json", Options{}},
		{"every.shown.json", "json", Options{}},
		{"every.sarif", "sarif", Options{}},
		{"every.html", "html", Options{}},
		{"none.txt", "text", Options{}},
		{"none.json", "json", Options{}},
		{"none.sarif", "sarif", Options{}},
		{"odd.txt", "text", Options{}},
		{"odd.json", "json", Options{}},
		{"odd.sarif", "sarif", Options{}},
		{"unread.txt", "text", Options{}},
		{"unread.sarif", "sarif", Options{}},
		{"several.annotations", "github", Options{}},
		{"several.md", "markdown", Options{}},
		{"several.junit.xml", "junit", Options{}},
		{"odd.annotations", "github", Options{}},
		{"odd.md", "markdown", Options{}},
		{"odd.junit.xml", "junit", Options{}},
		{"none.annotations", "github", Options{}},
		{"none.md", "markdown", Options{}},
		{"none.junit.xml", "junit", Options{}},
		{"unread.annotations", "github", Options{}},
		{"unread.md", "markdown", Options{}},
		{"unread.junit.xml", "junit", Options{}},
	} {
		t.Run(tt.file, func(t *testing.T) {
			set, _, _ := strings.Cut(tt.file, ".")
			got := withoutAssets(write(t, tt.format, set, tt.o, strings.Contains(tt.file, ".shown.")))
			for _, n := range []byte{12, 13, 20} { // no golden file holds a secret
				got = bytes.ReplaceAll(got, []byte(secretKey(n)), fmt.Appendf(nil, "{secret%d}", n))
			}
			file := filepath.Join("testdata", tt.file)
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), string(got)); d != "" {
				t.Errorf("run with -update if it is right (-want +got):\n%s", d)
			}
		})
	}
}
