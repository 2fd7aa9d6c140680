package advice

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/response"
)

// Flags are the flags that were typed for a command of stanch and that the next command needs
// as well. The environment and the operator's own file give that one the rest.
type Flags struct {
	Accounts                  []string
	Profile, Role, ExternalID string
	BreakGlass, Journal       string
	Start                     string // the report or the event of a plan; "-" for standard input
	Sweep                     string // the target whose sweep is the start, "" for another start
	Findings                  string // a report with secrets; "-" for standard input
	Proxy                     string // to ask STS through, without a password
	Self                      bool
}

// apply returns the command that applies plan, which is in file.
func (f Flags) apply(file string, plan response.Plan) string {
	return f.onPlan("apply", file) + f.findings() + maxKeys(plan) + " --plan " + plan.Hash
}

// undo returns the command that takes plan back, "" if there is none: a key that is off cannot
// switch itself on.
func (f Flags) undo(file string, plan response.Plan) string {
	if slices.ContainsFunc(plan.Keys, response.Key.SwitchesItselfOff) {
		return ""
	}
	return f.onPlan("undo", file) + maxKeys(plan)
}

// maxKeys returns the flag without which a plan for several keys is refused.
func maxKeys(plan response.Plan) string {
	if n := len(plan.Keys); n > 1 {
		return fmt.Sprintf(" --max-keys %d", n)
	}
	return ""
}

// onPlan returns the command that does verb, such as "undo", with the plan in file.
func (f Flags) onPlan(verb, file string) string {
	return "stanch respond " + verb + " " + printable.ShellWord(file) + f.limits() + flag("journal", f.Journal) + f.asks()
}

// plan returns the command that makes a plan from start, into a file.
func (f Flags) plan(start string) string {
	return "stanch respond plan " + start + f.limits() + f.asks() + " -o plan.json"
}

// limits returns the flags that say which keys may be changed, and as whom.
func (f Flags) limits() string {
	return flag("accounts", strings.Join(f.Accounts, ",")) + f.identity() + flag("break-glass", f.BreakGlass)
}

// asks returns the flags that say how the leaked key is used.
func (f Flags) asks() string {
	if f.Self {
		return flag("sts-proxy", f.Proxy) + " --self"
	}
	return flag("sts-proxy", f.Proxy)
}

// Plan returns the command that plans for one key: from what the last plan started from, if
// that can be read again, or from the id.
func (f Flags) Plan(id string) string {
	if f.Sweep != "" {
		return f.plan("--sweep " + printable.ShellWord(f.Sweep) + " --key " + printable.ShellWord(id))
	}
	if f.canRead() {
		return f.plan(printable.ShellWord(f.Start) + " --key " + printable.ShellWord(id))
	}
	return f.plan(printable.ShellWord(id))
}

// canRead reports whether the start of the plan can be read again.
func (f Flags) canRead() bool { return f.Start != "" && f.Start != "-" }

// findings returns the flag that names the report with the secrets. Standard input, where the
// next command expects an answer, cannot be read again, and --findings takes no variable.
func (f Flags) findings() string {
	switch {
	case f.Findings != "-" && !strings.HasPrefix(f.Findings, "env:"):
		return flag("findings", f.Findings)
	case f.Self: // cannot do without
		return " --findings REPORT"
	}
	return ""
}

// identity returns the flags that say who the operator is.
func (f Flags) identity() string {
	return flag("profile", f.Profile) + flag("role", f.Role) + flag("external-id", f.ExternalID)
}

// Commands returns the commands of stanch for a leak that a plan leaves alone by a gate. source
// and target describe the scan of the report.
func (f Flags) Commands(source, target string) func(response.Gate, *finding.Finding) []string {
	return func(g response.Gate, leak *finding.Finding) []string {
		id := leak.Match.Credential.ID
		switch {
		case lacksProof(g, leak):
			return f.renew(source, target, leak)
		case g == response.GateRoot && !f.Self && f.canRead() && !leak.Match.Credential.Secret.IsZero() && !response.IsSession(id):
			own := Flags{Accounts: f.Accounts, BreakGlass: f.BreakGlass, Start: f.Start, Proxy: f.Proxy, Self: true}
			return []string{"To plan that the key switches itself off:", own.Plan(id) + " --force-in-use"}
		case !operator.IsAccessKeyID(id) || f.Self && !f.canRead():
			return nil
		case g == response.GateInUse:
			return []string{"If it has to go now, whatever stops working:", f.Plan(id) + " --force-in-use"}
		case g == response.GateState && leak.Verdict.State == verifier.IDActive:
			return []string{"If you know that it leaked, as by a mail of AWS, plan for it by its id:", f.Plan(id)}
		}
		return nil
	}
}

// lacksProof reports whether a gate refuses a leak for want of an answer from AWS.
func lacksProof(g response.Gate, leak *finding.Finding) bool {
	s := leak.Verdict.State
	return g == response.GateStale || g == response.GateState && (s == verifier.Unknown || s == verifier.Skipped)
}

// renew returns two commands for a leak of a saved report: one that asks AWS again, and one
// that then makes a plan. The first asks STS if the report has the secret, or IAM about a
// key of a user that was live. Otherwise it is the scan that found the leak, if that is one
// command.
func (f Flags) renew(source, target string, leak *finding.Finding) []string {
	if f.Sweep != "" { // which asks AWS about each key that may be live
		return []string{"stanch sweep run " + printable.ShellWord(f.Sweep), f.Plan(leak.Match.Credential.ID)}
	}
	const fresh = " --format json --output fresh.jsonl"
	command, operand := "stanch verify", " REPORT"
	if f.canRead() {
		operand = argument(f.Start)
	}
	ofUser := strings.HasPrefix(leak.Match.Credential.ID, "AKIA") && leak.Verdict.Identity.Kind == "user"
	switch {
	case !leak.Match.Credential.Secret.IsZero():
	case ofUser && leak.Verdict.State == verifier.Live && !f.Self:
		command += " --iam" + f.identity()
	case source == "git" && f.Self:
		command, operand = "stanch git --show-secrets", argument(target)
	case source == "git":
		command, operand = "stanch git", argument(target)
	default:
		return nil
	}
	return []string{command + flag("sts-proxy", f.Proxy) + fresh + operand, f.plan("fresh.jsonl")}
}

// argument returns the last argument of a command. A report names it, and may name a flag.
func argument(s string) string {
	if strings.HasPrefix(s, "-") {
		return " -- " + printable.ShellWord(s)
	}
	return " " + printable.ShellWord(s)
}

func flag(name, value string) string {
	if value == "" {
		return ""
	}
	return " --" + name + " " + printable.ShellWord(value)
}
