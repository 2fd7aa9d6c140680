package advice

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// TestNextCommands: the commands that come next are whole, and those that cannot help are not
// printed.
func TestNextCommands(t *testing.T) {
	plan := response.Plan{Hash: "abc", Keys: make([]response.Key, 2)}
	f := Flags{Accounts: []string{"111122223333", "222233334444"}, Role: "stanch", ExternalID: "a b", Journal: "j.jsonl", Findings: "scan.jsonl"}
	const rest = " 'my plan.json' --accounts 111122223333,222233334444 --role stanch --external-id 'a b' --journal j.jsonl"
	apply := "  stanch respond apply" + rest + " --findings scan.jsonl --max-keys 2 --plan abc\n"
	confirm := "  stanch respond confirm" + rest + " --findings scan.jsonl\n"
	undo := "  stanch respond undo" + rest + " --max-keys 2\n"
	for _, tt := range []struct {
		name     string
		outcomes []response.Outcome
		want     []string
	}{
		{"contained", []response.Outcome{{Result: response.Contained}}, []string{confirm, undo}},
		{"one is not", []response.Outcome{{Result: response.Contained}, {Result: response.Unconfirmed}}, []string{apply, confirm, undo}},
		{"undone, and not contained", []response.Outcome{{Result: response.Incomplete, Closed: true}}, []string{confirm, undo}},
		{"nothing was done", []response.Outcome{{Result: response.Untouched}}, []string{apply, confirm}},
		{"undone", []response.Outcome{{Result: response.Undone}}, nil},
		{"nothing", nil, nil},
	} {
		var b strings.Builder
		if err := (&Page{W: &b}).WriteOutcomes(tt.outcomes, "my plan.json", plan, f); err != nil {
			t.Fatal(err)
		}
		var got []string
		for line := range strings.Lines(b.String()) {
			if strings.HasPrefix(line, "  stanch respond ") {
				got = append(got, line)
			}
		}
		if strings.Join(got, "") != strings.Join(tt.want, "") {
			t.Errorf("%s:\n%swant\n%s", tt.name, strings.Join(got, ""), strings.Join(tt.want, ""))
		}
	}
}

// TestReadBack: it is as late as the last key was shut off.
func TestReadBack(t *testing.T) {
	off := time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)
	for want, outcomes := range map[string][]response.Outcome{
		"In five minutes, check":         {{}},
		"After 09:20:00 UTC, when Cloud": {{Off: off.Add(5 * time.Minute)}, {Off: off}, {}},
	} {
		if got := readBack(outcomes); !strings.HasPrefix(got, want) {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// TestUndoCommand: it is refused without the number of keys, and for a key that switches itself
// off.
func TestUndoCommand(t *testing.T) {
	self := response.Plan{Keys: []response.Key{{Steps: []response.Step{{Do: response.DeactivateSelf}}}}}
	for want, plan := range map[string]response.Plan{
		"stanch respond undo plan.json":              {Keys: make([]response.Key, 1)},
		"stanch respond undo plan.json --max-keys 3": {Keys: make([]response.Key, 3)},
		"": self,
	} {
		if got := (Flags{}).undo("plan.json", plan); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestCommandsOfPeople: a key that a person may decide about comes with the whole command,
// from the report of the plan if that can be read again.
func TestCommandsOfPeople(t *testing.T) {
	id := detectorstest.KeyID("AKIA", "111122223333", 1)
	lone := &finding.Finding{Verdict: verifier.Verdict{State: verifier.IDActive}}
	lone.Match.Credential.ID = id
	live := &finding.Finding{Verdict: verifier.Verdict{State: verifier.Live}}
	live.Match.Credential.ID = id
	withSecret := &finding.Finding{Verdict: live.Verdict}
	withSecret.Match.Credential = verifiertest.LongTerm("111122223333", 1)
	const rest = " --accounts 111122223333 --role stanch"
	for _, tt := range []struct {
		name, start string
		self        bool
		gate        response.Gate
		leak        *finding.Finding
		want        string
	}{
		{"in use, by a report", "my scan.jsonl", false, response.GateInUse, live, "stanch respond plan 'my scan.jsonl' --key " + id + rest + " -o plan.json --force-in-use"},
		{"in use, by an id", "", false, response.GateInUse, live, "stanch respond plan " + id + rest + " -o plan.json --force-in-use"},
		{"in use, by standard input", "-", false, response.GateInUse, live, "stanch respond plan " + id + rest + " -o plan.json --force-in-use"},
		{"in use, with the key itself", "scan.jsonl", true, response.GateInUse, live, "stanch respond plan scan.jsonl --key " + id + rest + " --self -o plan.json --force-in-use"},
		{"with the key itself, which an id does not tell", "-", true, response.GateInUse, live, ""},
		{"an active id", "scan.jsonl", false, response.GateState, lone, "stanch respond plan scan.jsonl --key " + id + rest + " -o plan.json"},
		{"of root", "scan.jsonl", false, response.GateRoot, withSecret, "stanch respond plan scan.jsonl --key " + id + " --accounts 111122223333 --self -o plan.json --force-in-use"},
		{"of root, without the secret", "scan.jsonl", false, response.GateRoot, live, ""},
		{"protected", "scan.jsonl", false, response.GateProtected, live, ""},
	} {
		f := Flags{Accounts: []string{"111122223333"}, Role: "stanch", Start: tt.start, Self: tt.self}
		got := f.Commands("git", ".")(tt.gate, tt.leak)
		if tt.want == "" && len(got) != 0 || tt.want != "" && (len(got) != 2 || got[1] != tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestNoLineOfTheirOwn: a path of the repository, a name that an intruder chose, and a text of
// AWS cannot write a line of their own.
func TestNoLineOfTheirOwn(t *testing.T) {
	const bad = "x\n  next      curl example.com | sh\nCONTAINED"
	key := response.Key{
		Subject:  finding.Subject{KeyID: bad, Kind: "user", Name: bad},
		Places:   []response.Place{{Path: bad}, {Repo: bad, Path: "a", Line: 1}},
		Warnings: []string{bad}, Left: []response.Remnant{{Why: bad, Look: bad}},
	}
	clean := key
	clean.KeyID, clean.Name, clean.Places, clean.Warnings, clean.Left = "x", "x", []response.Place{{Path: "x"}, {Path: "a"}}, []string{"x"}, []response.Remnant{{Why: "x", Look: "x"}}
	lines := func(k response.Key, why string) int {
		var b strings.Builder
		plan := response.Plan{Keys: []response.Key{k}, Refused: []response.Refusal{{Why: why, Do: []string{why}}}}
		_ = (&Page{W: &b}).WritePlan(plan, "plan.json", Flags{})
		_ = (&Page{W: &b}).WriteOutcomes([]response.Outcome{{Key: k, Why: []string{why}, Notes: []string{why}, Left: k.Left, Made: k.Left}}, "plan.json", plan, Flags{})
		return strings.Count(b.String(), "\n")
	}
	if got, want := lines(key, bad), lines(clean, "x"); got != want {
		t.Errorf("%d lines, want %d", got, want)
	}
}

// TestNoCommandOfTheirOwn: where rows are wrapped, no text of a stranger stands as a command does.
func TestNoCommandOfTheirOwn(t *testing.T) {
	const bad = "a name of so many words that it takes two rows: aws iam create-access-key --user-name eve"
	key := response.Key{
		Subject: finding.Subject{KeyID: "ID", Kind: "user", Name: bad, Account: bad, Where: bad}, Owner: bad, Others: []string{bad},
		Places: []response.Place{{Path: bad}}, Warnings: []string{bad}, Left: []response.Remnant{{Why: bad}}, Made: []response.Remnant{{Why: bad}},
	}
	var b strings.Builder
	p := &Page{W: &b, Width: 60}
	plan := response.Plan{Keys: []response.Key{key}, Refused: []response.Refusal{{KeyID: "ID", Why: bad}}}
	err := errors.Join(p.WritePlan(plan, "", Flags{}),
		p.WriteOutcomes([]response.Outcome{{Key: key, Result: response.Contained, Why: []string{bad}, Notes: []string{bad}, Left: key.Left, Made: key.Made}}, "plan.json", plan, Flags{}))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		if strings.Contains(line, "--user-name eve") && strings.HasPrefix(line, fieldIndent+" ") {
			t.Errorf("%q", line)
		}
	}
}

// TestFlagAsTarget: the target of a report is an argument of the command that scans it again,
// and no flag, whatever it says.
func TestFlagAsTarget(t *testing.T) {
	leak := &finding.Finding{Verdict: verifier.Verdict{State: verifier.Unknown}}
	leak.Match.Credential.ID = detectorstest.KeyID("AKIA", "111122223333", 1)
	for target, want := range map[string]string{
		"--sts-proxy=http://proxy.example.com": " fresh.jsonl -- --sts-proxy=http://proxy.example.com",
		"https://github.com/acme/app":          " fresh.jsonl https://github.com/acme/app",
	} {
		if got := (Flags{}).Commands("git", target)(response.GateState, leak); len(got) != 2 || !strings.HasSuffix(got[0], want) {
			t.Errorf("%q, want …%s", got, want)
		}
	}
}

// TestFindings: only a file is read again.
func TestFindings(t *testing.T) {
	for start, want := range map[string]string{"scan.jsonl": " --findings scan.jsonl", "-": "", "env:REPORT": "", "": ""} {
		if got := (Flags{Findings: start}).findings(); got != want {
			t.Errorf("%q: %q, want %q", start, got, want)
		}
	}
}

// TestTasksOfKeysThatWork: nobody is told how to clean up, or that a key is off, while it works.
func TestTasksOfKeysThatWork(t *testing.T) {
	key := response.Key{Subject: finding.Subject{KeyID: "ID", Kind: "user", Name: "alice", Account: "111122223333"}}
	for result, off := range map[response.Result]bool{
		response.Contained: true, response.Incomplete: true, response.Unconfirmed: true, response.Partly: false, response.Untouched: false,
	} {
		var b strings.Builder
		if err := (&Page{W: &b}).WriteOutcomes([]response.Outcome{{Key: key, Result: result}}, "plan.json", response.Plan{}, Flags{}); err != nil {
			t.Fatal(err)
		}
		for _, task := range []string{"delete-access-key", "Rewriting history"} {
			if strings.Contains(b.String(), task) != off {
				t.Errorf("%s: %q is there: %v\n%s", result, task, !off, b.String())
			}
		}
		if !strings.Contains(b.String(), "Tell the owner") {
			t.Errorf("%s: nobody is told", result)
		}
	}
}
