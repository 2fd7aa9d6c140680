package wording

import (
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/report/internal/reporttest"
	"github.com/stanch-dev/stanch/verifier"
)

// Commands are pasted into shells.
func TestCommandsTakeNoForeignText(t *testing.T) {
	for _, tt := range []struct{ id, kind, name, want string }{
		{reporttest.KeyID("Q7COMMAND"), "user", "jane.doe@example.com", " --user-name jane.doe@example.com"},
		{reporttest.KeyID("Q7COMMAND"), "user", "x; rm -rf ~", " --user-name USER"},
		{reporttest.KeyID("Q7COMMAND"), "user", "$(id)", " --user-name USER"},
		{reporttest.KeyID("Q7COMMAND"), "user", "--profile=x", " --user-name USER"},
		{reporttest.KeyID("Q7COMMAND"), "user", "x\nid", " --user-name USER"},
		{reporttest.KeyID("Q7COMMAND"), "", "", " --user-name USER"},
		{"A;id", "user", "x", "where it was issued."},
		{"", "user", "x", "where it was issued."},
	} {
		f := reporttest.Reported("r", tt.id, "", verifier.Live)
		f.Verdict.Identity.Kind, f.Verdict.Identity.Name = tt.kind, tt.name
		if got := strings.Join(Advice(&f)[:2], "\n"); !strings.Contains(got, tt.want) {
			t.Errorf("%q: %q, want %q", tt.name, got, tt.want)
		}
		if s := strings.Join(Advice(&f), ""); strings.ContainsAny(s, "$;~") && !strings.Contains(s, "key; then") {
			t.Errorf("%q: %q", tt.name, s)
		}
	}
}

// TestAdviceLeadsToPlan: what works is shut off with stanch first and by hand second, in the
// account that is known.
func TestAdviceLeadsToPlan(t *testing.T) {
	id := reporttest.KeyID("Q7COMMAND")
	session := "ASIA" + id[4:]
	for _, tt := range []struct {
		id            string
		state         verifier.State
		kind, account string
		want          string // at the end of the first command
	}{
		{id, verifier.Live, "user", "111122223333", id + " --accounts 111122223333 -o plan.json"},
		{id, verifier.Live, "user", "", id + " -o plan.json"},
		{id, verifier.Live, "user", "1; id", id + " -o plan.json"},
		{id, verifier.IDActive, "", "111122223333", id + " --accounts 111122223333 -o plan.json"},
		{session, verifier.Live, "user", "111122223333", session + " --accounts 111122223333 -o plan.json"},
		{session, verifier.Live, "role", "111122223333", session + " --accounts 111122223333 -o plan.json"},
	} {
		f := reporttest.Reported("r", tt.id, "", tt.state)
		f.Verdict.Identity.Kind, f.Verdict.Identity.Account = tt.kind, tt.account
		_, first, found := strings.Cut(strings.Join(Advice(&f), "\n"), "\nstanch respond plan ")
		first, second, _ := strings.Cut(first, "\n")
		if !found || first != tt.want || !strings.HasPrefix(second, "Or by hand") {
			t.Errorf("%s %s %s: %q, then %q", tt.id, tt.kind, tt.account, first, second)
		}
	}
}

// TestAdviceOfSessions: no session is advised to be deactivated, and no role of others to
// be changed in IAM.
func TestAdviceOfSessions(t *testing.T) {
	for _, tt := range []struct{ kind, name, want, not string }{
		{"root", "", "No call ends a session of the root user", "deactivate the key"},
		{"user", "deploy", "aws:TokenIssueTime", "update-access-key"},
		{"role", "builder", "Revoke sessions", "update-access-key"},
		{"role", "AWSReservedSSO_Admin_0123456789abcdef", "permission set", "Revoke sessions"},
		{"role", "AWSServiceRoleForSupport", "Stop the resource", "Revoke sessions"},
	} {
		f := reporttest.Reported("r", "ASIA"+reporttest.KeyID("Q7SESSION")[4:], "", verifier.Live)
		f.Verdict.Identity.Kind, f.Verdict.Identity.Name = tt.kind, tt.name
		if got := strings.Join(Advice(&f), "\n"); !strings.Contains(got, tt.want) || strings.Contains(got, tt.not) {
			t.Errorf("%s %s: %s", tt.kind, tt.name, got)
		}
	}
}

// TestAdviceOnKeysThatAreOff: IAM knows why a key does not work; what STS cannot know is not
// guessed beside its answer.
func TestAdviceOnKeysThatAreOff(t *testing.T) {
	id := reporttest.KeyID("Q7COMMAND")
	for _, tt := range []struct{ status, source, want, not string }{
		{"Inactive", "iam:ListAccessKeys", "It is off. Delete it some days later:\naws iam delete-access-key --access-key-id " + id + " --user-name jane", "does not know"},
		{"Inactive", "iam:ListAccessKeys", "stanch respond plan " + id, "never issued"},
		{"Expired", "iam:ListAccessKeys", "It is off.", "does not know"},
		{"deleted", "iam:ListAccessKeys", "It was deleted.", "aws iam delete-access-key"},
		{"not known: no answer", "iam:ListAccessKeys", "AWS does not know the key id", "It is off"},
		{"Inactive", "", "AWS does not know the key id", "It is off"}, // of a stranger
	} {
		f := reporttest.Reported("r", id, "", verifier.Invalid)
		f.Verdict.Identity.Kind, f.Verdict.Identity.Name = "user", "jane"
		f.Verdict.Facts = []verifier.Fact{{Name: "key-status", Value: tt.status, Source: tt.source}}
		if got := strings.Join(Advice(&f), "\n"); !strings.Contains(got, tt.want) || strings.Contains(got, tt.not) {
			t.Errorf("%s: %s", tt.status, got)
		}
	}
}

func TestNumbers(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{printable.Thousands(0), "0"}, {printable.Thousands(999), "999"}, {printable.Thousands(1000), "1,000"},
		{printable.Thousands(1234567), "1,234,567"}, {printable.Thousands(-1234), "-1,234"}, {printable.Thousands(-123), "-123"},
		{Size(0), "0 B"}, {Size(999), "999 B"}, {Size(1000), "1.0 kB"}, {Size(12_345), "12.3 kB"},
		{Size(999_999), "1.0 MB"}, {Size(124_000_000), "124 MB"}, {Size(7_500_000_000_000_000), "7500 TB"},
		{Elapsed(0), "0 ms"}, {Elapsed(4100), "4.1 s"}, {Elapsed(125_000), "2m5s"},
		{printable.Plural(1, "place"), "1 place"}, {printable.Plural(2000, "place"), "2,000 places"},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
}

func TestLevel(t *testing.T) {
	for _, tt := range []struct {
		state      verifier.State
		confidence detectors.Confidence
		secret     string
		want       string
	}{
		{verifier.Live, detectors.Low, "x", "error"},
		{verifier.IDActive, detectors.Low, "x", "error"},
		{verifier.Unknown, detectors.High, "x", "error"},
		{verifier.Unknown, detectors.Medium, "x", "warning"},
		{verifier.Skipped, detectors.Low, "x", "note"},
		{verifier.Skipped, detectors.High, "", "warning"},
		{verifier.Skipped, detectors.Medium, "", "note"},
		{verifier.CanarySuspected, detectors.High, "x", "warning"},
		{verifier.Invalid, detectors.High, "x", "warning"},
		{verifier.Expired, detectors.High, "x", "note"},
		{"of-a-later-version", detectors.High, "x", "error"},
	} {
		f := reporttest.Reported("r", "", tt.secret, tt.state)
		f.Match.Confidence = tt.confidence
		if got := Level(&f); got != tt.want {
			t.Errorf("%s, %s: %s, want %s", tt.state, tt.confidence, got, tt.want)
		}
	}
}

// TestRead: a scan of several repositories counts them by outcome, and says why some are
// left out; a sweep says so elsewhere.
func TestRead(t *testing.T) {
	left := func(why string) finding.Repository {
		return finding.Repository{State: finding.RepositorySkipped, Why: why}
	}
	swept, failed := finding.Repository{State: finding.RepositorySwept}, finding.Repository{State: finding.RepositoryFailed}
	for _, tt := range []struct {
		list []finding.Repository
		want string
	}{
		{nil, ""},
		{[]finding.Repository{swept}, "in 1 repository"},
		{[]finding.Repository{swept, swept}, "in 2 repositories"},
		{[]finding.Repository{failed}, "in 0 repositories (1 failed)"},
		{[]finding.Repository{swept, left("fork"), left("archived"), left("fork")}, "in 1 repository (3 left out: 1 archived, 2 forks)"},
		{[]finding.Repository{swept, failed, {State: finding.RepositoryWaiting}, left("")}, "in 1 repository (1 failed; 1 not reached; 1 left out)"},
		{[]finding.Repository{left("a\nb")}, `in 0 repositories (1 left out: 1 "a\nb")`},
		{[]finding.Repository{swept, {State: finding.RepositorySwept, At: reporttest.Day}}, ""},
	} {
		var s Swept
		for _, r := range tt.list {
			s.Add(r)
		}
		if got := s.Read(); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.list, got, tt.want)
		}
	}
}

// TestLocationIn: a place says in which repository it is unless the report is of that alone.
func TestLocationIn(t *testing.T) {
	l := finding.Location{Kind: finding.KindBlob, Path: "x", Line: 2, Repo: "app"}
	for target, want := range map[string]string{"app": "x:2", "app, web": "app  x:2"} {
		if got := LocationIn(&finding.Scan{Source: "git", Target: target}, &l); got != want {
			t.Errorf("of %s: %q, want %q", target, got, want)
		}
	}
}
