package suppress_test

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/detectors/rules"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/baseline"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/scannertest"
	"github.com/stanch-dev/stanch/scanner/suppress"
	"github.com/stanch-dev/stanch/verifier"
)

// now is between the dates of the rows.
var now = time.Date(2026, 11, 22, 23, 59, 0, 0, time.UTC)

// found is key 1 in app/a.ini: the id on line 3, the secret on line 4.
func found() *finding.Finding {
	secret := detectors.NewSecret
	return &finding.Finding{
		Match: detectors.Match{
			Rule:       awskeys.AccessKey,
			Credential: detectors.Credential{ID: detectorstest.Fill("{AKIA1}"), Secret: secret(detectorstest.Fill("{secret1}"))},
		},
		Locations: []finding.Location{{
			Kind: finding.KindBlob, Path: "app/a.ini", Commit: "0123456789abcdef0123456789abcdef01234567",
			Line: 3, SecretLine: 4,
			Around: &finding.Around{
				Before: secret("[default]"), Line: secret(detectorstest.Fill("id = {AKIA1}")), SecretLine: secret(detectorstest.Fill("key = {secret1}")),
			},
		}},
	}
}

// path is a Namer.
func path(l *finding.Location) string { return l.Path }

// hash1 is the hash of a text in a baseline of detect-secrets.
func hash1(text string) string {
	sum := sha1.Sum([]byte(detectorstest.Fill(text)))
	return hex.EncodeToString(sum[:])
}

// TestComments: each comment, where it counts and where it does not.
func TestComments(t *testing.T) {
	tests := []struct {
		name, before, line, secretLine string
		why, note                      string
	}{
		{"none", "", "id", "key", "", ""},
		{"ours", "", "id # stanch:allow a test account", "", "stanch:allow: a test account", ""},
		{"ours_on_the_line_of_the_secret", "", "id", "key /* stanch:allow a test account */", "stanch:allow: a test account", ""},
		{"ours_on_the_line_before", "# stanch:allow a test account", "id", "", "", ""},
		{"ours_without_a_reason", "", "id # stanch:allow", "", "", "app/a.ini:3: stanch:allow gives no reason: it hides nothing"},
		{"ours_with_a_date_alone", "", "id # stanch:allow until=2027-01-31", "", "", "app/a.ini:3: stanch:allow gives no reason: it hides nothing"},
		{"ours_until_a_day", "", "id <!-- stanch:allow demo until=2027-01-31 -->", "", "stanch:allow: demo", ""},
		{"ours_on_its_last_day", "", "id # stanch:allow demo until=2026-11-22", "", "stanch:allow: demo", ""},
		{"ours_that_is_over", "", "id # stanch:allow demo until=2026-11-21", "", "", "app/a.ini:3: stanch:allow ended on 2026-11-21: it hides nothing any more"},
		{"ours_with_a_date_of_another_form", "", "id # stanch:allow demo until=31.1.2027", "", "", "app/a.ini:3: stanch:allow until is not a date such as 2027-01-31: it hides nothing"},
		{"ours_in_a_longer_word", "", "id # notstanch:allowed demo", "", "", ""},
		{"gitleaks", "", "id # gitleaks:allow", "", "its line says gitleaks:allow", ""},
		{"trufflehog", "", "id # trufflehog:ignore", "", "its line says trufflehog:ignore", ""},
		{"pragma", "", "id # pragma: allowlist secret", "", "its line says pragma: allowlist secret", ""},
		{"old_pragma", "", "id # Pragma: whitelist-secret", "", "its line says pragma: allowlist secret", ""},
		{"pragma_for_the_next_line", "# pragma: allowlist nextline secret", "id", "", "the line before says: pragma: allowlist nextline secret", ""},
		{"pragma_for_the_next_line_after_words", "x = 1 # pragma: allowlist nextline secret", "id", "", "", ""},
		{"pragma_for_the_next_line_on_the_line", "", "id # pragma: allowlist nextline secret", "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := found()
			f.Locations[0].Around = &finding.Around{
				Before: detectors.NewSecret(tt.before), Line: detectors.NewSecret(tt.line), SecretLine: detectors.NewSecret(tt.secretLine),
			}
			var notes suppress.Notes
			why := suppress.Comments(now, &notes)(f, &f.Locations[0])
			if why != tt.why || strings.Join(notes.List(), "\n") != tt.note {
				t.Errorf("%q, notes %q; want %q, %q", why, notes.List(), tt.why, tt.note)
			}
		})
	}
	f := found()
	f.Locations[0].Around = nil
	if why := suppress.Comments(now, nil)(f, &f.Locations[0]); why != "" {
		t.Errorf("without a text around: %q", why)
	}
}

// TestAllow: all conditions of an [[allow]] hold, of each list one.
func TestAllow(t *testing.T) {
	fingerprint := found().Fingerprint()
	tests := []struct{ name, conditions, why, note string }{
		{"path", `paths = ['''^app/''']`, "x.toml:1: demo", ""},
		{"another_path", `paths = ['''^a\.ini''']`, "", ""},
		{"one_of_two_paths", `paths = ['''^b/''', '''\.ini$''']`, "x.toml:1: demo", ""},
		{"author", "author = 'Ada'\npaths = ['''^app/''']", "x.toml:1: demo (Ada)", ""},
		{"rule", "rules = ['aws-access-key']\nregexes = ['.']", "x.toml:1: demo", ""},
		{"another_rule", "rules = ['aws-session-key']\nregexes = ['.']", "", ""},
		{"fingerprint", `fingerprints = ["` + fingerprint + `"]`, "x.toml:1: demo", ""},
		{"another_fingerprint", `fingerprints = ["` + strings.Repeat("0", 32) + `"]`, "", ""},
		{"commit", `commits = ["0123456"]`, "x.toml:1: demo", ""},
		{"another_commit", `commits = ["1234567"]`, "", ""},
		{"line", `lines = ['''^id = ''']`, "x.toml:1: demo", ""},
		{"line_of_the_secret", `lines = ['''^app/a\.ini:4:key''']`, "x.toml:1: demo", ""},
		{"line_of_another_file", `lines = ['''^b\.ini:3:''']`, "", ""},
		{"regex_of_the_id", `regexes = ['''^AKIA''']`, "x.toml:1: demo", ""},
		{"another_regex", `regexes = ['''^ASIA''']`, "", ""},
		{"stopword", `stopwords = ["` + strings.ToUpper(found().Match.Credential.ID[4:9]) + `"]`, "x.toml:1: demo", ""},
		{"another_stopword", `stopwords = ["example"]`, "", ""},
		{"all_hold", "paths = ['''^app/''']\nrules = ['aws-access-key']", "x.toml:1: demo", ""},
		{"one_does_not", "paths = ['''^app/''']\nrules = ['aws-session-key']", "", ""},
		{"last_day", "expires = 2026-11-22\npaths = ['''^app/''']", "x.toml:1: demo", ""},
		{"over", "expires = 2026-11-21\npaths = ['''^app/''']", "", "x.toml: line 1: [[allow]] ended on 2026-11-21: it hides nothing any more"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			own, err := rules.ReadOwn("x.toml", []byte("[[allow]]\nreason = 'demo'\n"+tt.conditions), time.UTC)
			if err != nil {
				t.Fatal(err)
			}
			var notes suppress.Notes
			f := found()
			why := suppress.Allow(own, path, now, &notes)(f, &f.Locations[0])
			if why != tt.why || strings.Join(notes.List(), "\n") != tt.note {
				t.Errorf("%q, notes %q; want %q, %q", why, notes.List(), tt.why, tt.note)
			}
		})
	}
}

// TestFiles: the files of other tools, and reports, hide findings.
func TestFiles(t *testing.T) {
	ignore := func(data string) (scanner.LocationFilter, error) {
		return suppress.GitleaksIgnore("ignore", []byte(data), path, nil)
	}
	baseline := func(data string) (scanner.LocationFilter, error) {
		return suppress.DetectSecrets("baseline", []byte(data), path)
	}
	allowed := func(data string) (scanner.LocationFilter, error) {
		return suppress.GitSecrets("allowed", suppress.Lines([]byte(data)), path)
	}
	reported := func(data string) (scanner.LocationFilter, error) {
		return suppress.GitleaksReport("report", []byte(detectorstest.Fill(data)), path)
	}
	const commit = "0123456789abcdef0123456789abcdef01234567"
	tests := []struct {
		name string
		read func(string) (scanner.LocationFilter, error)
		data string
		why  string
	}{
		{"position", ignore, "app/a.ini:aws-access-token:3", "listed in ignore"},
		{"position_of_the_secret", ignore, "app/a.ini:generic-api-key:4", "listed in ignore"},
		{"position_in_a_commit", ignore, commit + ":app/a.ini:aws-access-token:3", "listed in ignore"},
		{"position_in_another_commit", ignore, strings.Repeat("f", 40) + ":app/a.ini:aws-access-token:3", ""},
		{"position_by_our_rule", ignore, "app/a.ini:aws-access-key:3", "listed in ignore"},
		{"position_by_a_rule_of_others", ignore, "app/a.ini:github-pat:3", ""},
		{"position_on_another_line", ignore, "app/a.ini:aws-access-token:5", ""},
		{"position_in_another_file", ignore, "a.ini:aws-access-token:3", ""},
		{"position_as_on_windows", ignore, `app\a.ini:aws-access-token:3`, "listed in ignore"},
		{"comment_of_a_list", ignore, "# app/a.ini:aws-access-token:3", ""},

		{"hash_of_the_secret", baseline, `{"results":{"app/a.ini":[{"hashed_secret":"` + hash1("{secret1}") + `"}]}}`, "listed in baseline"},
		{"hash_of_the_id", baseline, `{"results":{"app/a.ini":[{"hashed_secret":"` + strings.ToUpper(hash1("{AKIA1}")) + `"}]}}`, "listed in baseline"},
		{"hash_of_another_secret", baseline, `{"results":{"app/a.ini":[{"hashed_secret":"` + hash1("{secret2}") + `"}]}}`, ""},
		{"hash_in_another_file", baseline, `{"results":{"b.ini":[{"hashed_secret":"` + hash1("{secret1}") + `"}]}}`, ""},
		{"audited_as_no_secret", baseline, `{"results":{"app/a.ini":[{"is_secret":false,"hashed_secret":"` + hash1("{secret1}") + `"}]}}`, "listed in baseline"},
		{"audited_as_a_secret", baseline, `{"results":{"app/a.ini":[{"is_secret":true,"hashed_secret":"` + hash1("{secret1}") + `"}]}}`, ""},
		{"nothing_known", baseline, `{"results":{}}`, ""},

		{"pattern_of_a_line", allowed, "# of the tests\n\nid = AKIA", "allowed by allowed"},
		{"pattern_of_a_place", allowed, "^app/a\\.ini:4:key", "allowed by allowed"},
		{"pattern_of_another_line", allowed, "^app/a\\.ini:3:key", ""},
		{"no_pattern", allowed, "\n", ""},

		{"report_with_the_secret", reported, `[{"RuleID":"aws-access-token","File":"gone.ini","Secret":"{AKIA1}"}]`, "known: in report"},
		{"report_of_another_secret", reported, `[{"RuleID":"aws-access-token","File":"app/a.ini","Secret":"{AKIA2}","StartLine":3}]`, ""},
		{"report_by_a_rule_of_others", reported, `[{"RuleID":"github-pat","File":"app/a.ini","Secret":"{AKIA1}"}]`, ""},
		{"report_without_secrets", reported, `[{"RuleID":"aws-access-token","File":"app/a.ini","Secret":"REDACTED","StartLine":3}]`, "listed in report"},
		{"report_without_secrets_of_another_line", reported, `[{"RuleID":"aws-access-token","File":"app/a.ini","Secret":"AKIA...","StartLine":9}]`, ""},
		{"empty_report", reported, `[]`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			filter, err := tt.read(tt.data)
			if err != nil {
				t.Fatal(err)
			}
			f := found()
			if why := filter(f, &f.Locations[0]); why != tt.why {
				t.Errorf("%q, want %q", why, tt.why)
			}
		})
	}
}

// TestConcurrently is for the race detector: sweeps run several scans with one filter.
func TestConcurrently(t *testing.T) {
	var notes suppress.Notes
	filter, err := suppress.GitleaksIgnore("file.x", []byte("a.ini:aws-access-token:3\n"), path, &notes)
	if err != nil {
		t.Fatal(err)
	}
	comments := suppress.Comments(time.Now(), &notes)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			f := found()
			f.Locations[0].Around.Switches = detectors.NewSecret("// secretlint-disable")
			filter(f, &f.Locations[0])
			comments(f, &f.Locations[0])
			notes.Add("%s", "ended")
			notes.New()
		})
	}
	group.Wait()
}

// TestBroken: a file that cannot be read is an error that names the file, and quotes none of
// it: never a filter that hides nothing, or all.
func TestBroken(t *testing.T) {
	secret := detectorstest.Fill("{secret1}")
	readers := map[string]func([]byte) (scanner.LocationFilter, error){
		"gitleaksignore": func(b []byte) (scanner.LocationFilter, error) { return suppress.GitleaksIgnore("file.x", b, path, nil) },
		"detect-secrets": func(b []byte) (scanner.LocationFilter, error) { return suppress.DetectSecrets("file.x", b, path) },
		"gitleaks":       func(b []byte) (scanner.LocationFilter, error) { return suppress.GitleaksReport("file.x", b, path) },
		"git-secrets": func(b []byte) (scanner.LocationFilter, error) {
			return suppress.GitSecrets("file.x", suppress.Lines(b), path)
		},
	}
	tests := []struct{ reader, data, says string }{
		{"gitleaksignore", "a\x00" + secret, "is not text"},
		{"detect-secrets", "", "not a baseline"},
		{"detect-secrets", `{"results":`, "not a baseline"},
		{"detect-secrets", secret, "not a baseline"},
		{"detect-secrets", `["` + secret + `"]`, "wrong type"},
		{"detect-secrets", `{"generated_at":"` + secret + `"}`, "it has no results"},
		{"detect-secrets", `{"results":null}`, "it has no results"},
		{"detect-secrets", `{"results":{"a":[{"type":"` + secret + `"}]}}`, "a secret without a SHA-1"},
		{"detect-secrets", `{"results":{"a":[{"hashed_secret":"` + secret + `"}]}}`, "a secret without a SHA-1"},
		{"gitleaks", "", "not a report"},
		{"gitleaks", `{"Secret":"` + secret + `"}`, "wrong type"},
		{"gitleaks", `[{"Secret":"` + secret + `"}]`, "finding 1 has no RuleID or File"},
		{"gitleaks", `[{"RuleID":"r"}]`, "finding 1 has no RuleID or File"},
		{"git-secrets", "fine\n" + "(", "pattern 2"},
	}
	for _, tt := range tests {
		filter, err := readers[tt.reader]([]byte(tt.data))
		if err == nil || filter != nil {
			t.Errorf("%s: %q is read", tt.reader, tt.data)
			continue
		}
		if !strings.HasPrefix(err.Error(), "file.x: ") || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %q: %v; want the file and %q, and no secret", tt.reader, tt.data, err, tt.says)
		}
	}
	var notes suppress.Notes
	if _, err := suppress.GitleaksIgnore("file.x", []byte("a:b\na:b:c\na:b:1\na:b:c:d:1\n"), path, &notes); err != nil || len(notes.List()) != 3 {
		t.Errorf("%v, %q; want a note for each of three lines", err, notes.List())
	}
	notes = suppress.Notes{}
	pasted := found().Fingerprint()
	if _, err := suppress.GitleaksIgnore("file.x", []byte("# ours\naws-access-key "+pasted+"\n"), path, &notes); err != nil ||
		!slices.Equal(notes.List(), []string{"file.x: line 2: is a fingerprint of stanch, which hides nothing here: run \"stanch allow " + pasted + " --reason REASON\""}) {
		t.Errorf("a fingerprint in the file of gitleaks: %v, notes %q", err, notes.List())
	}
}

// TestGitleaksAllowlists: those of a configuration of gitleaks are for findings of stanch
// by itself, and for no rule of the user.
func TestGitleaksAllowlists(t *testing.T) {
	c, err := (&rules.Gitleaks{}).Read("x.toml", []byte(`[[allowlists]]
description = "the tests"
paths = ['''^app/''']
[[rules]]
id = "github-pat"
regex = "ghp_[0-9a-f]{36}"
[[rules.allowlists]]
regexes = ['''AKIA''']
`))
	if err != nil {
		t.Fatal(err)
	}
	filter := suppress.Gitleaks(c, path)
	f := found()
	if why := filter(f, &f.Locations[0]); why != "allowlist of x.toml: the tests" {
		t.Errorf("%q", why)
	}
	f.Locations[0].Path = "other.ini" // the allowlist of another rule is not for AWS
	if why := filter(f, &f.Locations[0]); why != "" {
		t.Errorf("%q", why)
	}
	f = found()
	f.Match.Rule = &detectors.Rule{ID: "acme", Value: true}
	if why := filter(f, &f.Locations[0]); why != "" {
		t.Errorf("of a rule of the user: %q", why)
	}
}

// TestUnread: a text that is known to be unreadable is accepted by path and by object, until
// its last day.
func TestUnread(t *testing.T) {
	own, err := rules.ReadOwn("x.toml", []byte("[[unread]]\nreason = 'lost its tail'\npaths = ['''^old\\.zip$''']\nblobs = ['0123456789abcdef0123456789abcdef01234567']\n"+
		"[[unread]]\nreason = 'for now'\nexpires = 2026-11-21\npaths = ['''^new\\.zip$''']\n"), time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	var notes suppress.Notes
	accept := suppress.Unread(own, now, &notes)
	for _, tt := range []struct {
		part finding.Unread
		why  string
	}{
		{finding.Unread{What: "old.zip"}, "x.toml:1: lost its tail"},
		{finding.Unread{What: "x", Blob: "0123456789abcdef0123456789abcdef01234567"}, "x.toml:1: lost its tail"},
		{finding.Unread{What: "very/old.zip"}, ""},
		{finding.Unread{What: "new.zip"}, ""},
	} {
		if why := accept(tt.part); why != tt.why {
			t.Errorf("%v: %q, want %q", tt.part, why, tt.why)
		}
	}
	if want := []string{"x.toml: line 5: [[unread]] ended on 2026-11-21: it hides nothing any more"}; !slices.Equal(notes.List(), want) {
		t.Errorf("%q, want %q", notes.List(), want)
	}
}

// TestLive: what is live is reported, whatever allows it, unless the user says
// otherwise; a finding that a report lists is allowed like the rest.
func TestLive(t *testing.T) {
	all := regexp.MustCompile("")
	filters := map[string]func(*scanner.Scanner){
		"comment": func(s *scanner.Scanner) { s.AllowAt = []scanner.LocationFilter{suppress.Comments(now, nil)} },
		"allow": func(s *scanner.Scanner) {
			own := &rules.Own{Allow: []*rules.Allow{{Note: rules.Note{Reason: "demo"}, Paths: []*regexp.Regexp{all}}}}
			s.AllowAt = []scanner.LocationFilter{suppress.Allow(own, path, now, nil)}
		},
		"baseline": func(s *scanner.Scanner) {
			s.Allow = []scanner.Filter{suppress.Known("known", baseline.NewList(baseline.EntriesOf(found(), "")))}
		},
	}
	for name, allow := range filters {
		for _, tt := range []struct {
			state           verifier.State
			honor           bool
			ignored, asked  bool
			overruledByLive bool
		}{
			{verifier.Live, false, false, true, true},
			{verifier.Invalid, false, true, true, false},
			{verifier.Unknown, false, true, true, false},
			{verifier.Live, true, true, false, false},
		} {
			v := &answer{state: tt.state}
			sc := scanner.Scanner{Detectors: detectors.NewSet(awskeys.Detector{}), Verifier: v, HonorIgnoresForLive: tt.honor}
			allow(&sc)
			var sink scannertest.Sink
			if err := sc.Scan(t.Context(), text(detectorstest.Fill("{AKIA1} {secret1} # stanch:allow demo")), &sink); err != nil {
				t.Fatal(err)
			}
			if len(sink.Findings) != 1 {
				t.Fatalf("%s: %d findings", name, len(sink.Findings))
			}
			f := sink.Findings[0]
			if (f.Ignored != "") != tt.ignored || (f.Overruled != "") != tt.overruledByLive || v.asked != tt.asked {
				t.Errorf("%s, %v: ignored %q, overruled %q, asked %v", name, tt, f.Ignored, f.Overruled, v.asked)
			}
		}
	}
}

// answer is a verifier that knows one answer.
type answer struct {
	state verifier.State
	asked bool
}

func (a *answer) Verify(context.Context, detectors.Credential) verifier.Verdict {
	a.asked = true
	return verifier.Verdict{State: a.state}
}

// text is a source of one file.
type text string

func (s text) Blobs(_ context.Context, yield func(scanner.Blob) error) error {
	return yield(scanner.Blob{ID: "a.ini", Kind: finding.KindBlob, Name: "a.ini", Data: []byte(s)})
}

func (s text) Locate(_ context.Context, ids []finding.BlobID, yield func(finding.BlobID, finding.Location) error) error {
	for _, id := range ids {
		if err := yield(id, finding.Location{Kind: finding.KindBlob, Path: "a.ini"}); err != nil {
			return err
		}
	}
	return nil
}
