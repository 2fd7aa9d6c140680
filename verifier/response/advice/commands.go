package advice

import (
	"fmt"
	"strings"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/response"
)

// Flags are the flags that were typed for a command of stanch and that the next command needs
// as well. The environment and the operator's own file give that one the rest.
type Flags struct {
	Accounts                  []string
	Profile, Role, ExternalID string
	BreakGlass, Journal       string
	Findings                  string // a report with secrets; "-" for standard input
	Proxy                     string // to ask STS through, without a password
	Self                      bool
}

// apply returns the command that applies plan, which is in file.
func (f Flags) apply(file string, plan response.Plan) string {
	s := f.onPlan("apply", file) + f.findings()
	if n := len(plan.Keys); n > 1 {
		s += fmt.Sprintf(" --max-keys %d", n)
	}
	return s + " --plan " + plan.Hash
}

// onPlan returns the command that does verb, such as "undo", with the plan in file.
func (f Flags) onPlan(verb, file string) string {
	s := "stanch respond " + verb + " " + printable.ShellWord(file) + flag("accounts", strings.Join(f.Accounts, ",")) + f.identity() +
		flag("break-glass", f.BreakGlass) + flag("journal", f.Journal) + flag("sts-proxy", f.Proxy)
	if f.Self {
		s += " --self"
	}
	return s
}

// findings returns the flag that names the report with the secrets. Standard input, where the
// next command expects an answer, cannot be read again.
func (f Flags) findings() string {
	switch {
	case f.Findings != "-":
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

// Renew returns two commands for a leak of a saved report: one that asks AWS again, and one
// that then makes a plan. The first asks STS if the report has the secret, or IAM about a
// key of a user that was live. Otherwise it is the scan that found the leak, if that is one
// command. report is the name of the file, "-" for standard input; source and target
// describe its scan.
func (f Flags) Renew(report, source, target string) func(*finding.Finding) []string {
	plan := "stanch respond plan fresh.jsonl" + flag("accounts", strings.Join(f.Accounts, ",")) + f.identity() + flag("break-glass", f.BreakGlass) + flag("sts-proxy", f.Proxy)
	if f.Self {
		plan += " --self"
	}
	return func(leak *finding.Finding) []string {
		const fresh = " --format json --output fresh.jsonl"
		command, operand := "stanch verify", " REPORT"
		if report != "-" {
			operand = " " + printable.ShellWord(report)
		}
		ofUser := strings.HasPrefix(leak.Match.Credential.ID, "AKIA") && leak.Verdict.Identity.Kind == "user"
		switch {
		case !leak.Match.Credential.Secret.IsZero():
		case ofUser && leak.Verdict.State == verifier.Live && !f.Self:
			command += " --iam" + f.identity()
		case source == "git" && f.Self:
			command, operand = "stanch git --show-secrets", " "+printable.ShellWord(target)
		case source == "git":
			command, operand = "stanch git", " "+printable.ShellWord(target)
		default:
			return nil
		}
		return []string{command + flag("sts-proxy", f.Proxy) + fresh + operand, plan}
	}
}

func flag(name, value string) string {
	if value == "" {
		return ""
	}
	return " --" + name + " " + printable.ShellWord(value)
}

// Plan returns the command that plans for a key by its id alone.
func (f Flags) Plan(id string) string {
	return "stanch respond plan " + printable.ShellWord(id) + flag("accounts", strings.Join(f.Accounts, ",")) + f.identity() + flag("break-glass", f.BreakGlass)
}
