package main

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/report"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/response/advice"
)

// showPlan prints plan for people. file is where it was written, or "".
func (f *respondFlags) showPlan(w io.Writer, plan response.Plan, file string) error {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "  %-9s %s\n", name, printable.Text(fmt.Sprintf(format, args...)))
	}
	for _, k := range plan.Keys {
		fmt.Fprintf(&b, "SHUT OFF  %s  %s of account %s\n", printable.Text(k.KeyID), principal(k), k.Account)
		line("where", "%s", k.Where)
		if k.Status != "" {
			made := ""
			if !k.Created.IsZero() {
				made = "made " + k.Created.Format(time.DateOnly) + ", "
			}
			line("key", "%s, %slast used %s", k.Status, made, k.LastUsed)
		}
		line("by", "%s", k.Responder)
		for _, warning := range k.Warnings {
			line("warning", "%s", warning)
		}
		for i, s := range k.Steps {
			line(fmt.Sprintf("step %d", i+1), "%s (%s)", describe(s), s.Permission())
		}
		b.WriteByte('\n')
	}
	for _, r := range plan.Refused {
		fmt.Fprintf(&b, "LEFT ALONE  %s  %s\n", printable.Text(r.KeyID), r.Gate)
		line("why", "%s", r.Why)
		for _, do := range r.Do {
			line("do", "%s", do)
		}
		b.WriteByte('\n')
	}
	switch {
	case len(plan.Keys) == 0:
		b.WriteString("Nothing is planned.\n")
	case file == "":
		b.WriteString("Nothing was changed. To apply it, save the plan with --output FILE.\n")
	default:
		fmt.Fprintf(&b, "Nothing was changed. Until %s:\n  stanch respond apply %s\nIts hash is %s\n",
			plan.Expires.Format(time.TimeOnly+" MST"), printable.Text(shellWord(file)+f.same(len(plan.Keys))), plan.Hash)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// same returns the flags that the next command needs for a plan of n keys, as a shell
// reads them.
func (f *respondFlags) same(n int) string {
	var b strings.Builder
	b.WriteString(shellFlag("accounts", strings.Join(f.accounts, ",")) + identityFlags(&f.OperatorFlags) +
		shellFlag("break-glass", f.breakGlass) + shellFlag("journal", f.journal))
	if n > 1 {
		fmt.Fprintf(&b, " --max-keys %d", n)
	}
	if f.self {
		b.WriteString(" --self --findings REPORT")
	}
	return b.String()
}

// identityFlags are those of f that say who the operator is, as a shell reads them.
func identityFlags(f *cli.OperatorFlags) string {
	return shellFlag("profile", f.Profile) + shellFlag("role", f.Role) + shellFlag("external-id", f.ExternalID)
}

func shellFlag(name, value string) string {
	if value == "" {
		return ""
	}
	return " --" + name + " " + shellWord(value)
}

// renew returns the commands that have AWS asked again about a leak of a report, and plan
// for it then: STS with the secret, if the report has it; IAM about a key of a user that
// was live; else the scan that found it, if that is one command.
func (f *respondFlags) renew(name string, scan report.Scan) func(response.Leak) []string {
	plan := "stanch respond plan fresh.jsonl" + shellFlag("accounts", strings.Join(f.accounts, ",")) + identityFlags(&f.OperatorFlags) + shellFlag("break-glass", f.breakGlass)
	if f.self {
		plan += " --self"
	}
	return func(leak response.Leak) []string {
		const fresh = " --format json --output fresh.jsonl"
		command, of := "stanch verify", " REPORT"
		if name != "-" {
			of = " " + shellWord(name)
		}
		ofUser := strings.HasPrefix(leak.Credential.ID, "AKIA") && leak.Verdict.Identity.Kind == "user"
		switch {
		case !leak.Credential.Secret.IsZero():
		case ofUser && leak.Verdict.State == verifier.Live && !f.self:
			command += " --iam" + identityFlags(&f.OperatorFlags)
		case scan.Source == "git" && f.self:
			command, of = "stanch git --show-secrets", " "+shellWord(scan.Target)
		case scan.Source == "git":
			command, of = "stanch git", " "+shellWord(scan.Target)
		default:
			return nil
		}
		return []string{command + fresh + of, plan}
	}
}

var plainWord = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_+=,.@:/-]+$`) })

func shellWord(s string) string {
	if plainWord().MatchString(s) {
		return s
	}
	return quoted(s)
}

func principal(k response.Key) string {
	if k.Kind == "root" {
		return "the root user"
	}
	return k.Kind + " " + printable.Text(k.Name)
}

func describe(s response.Step) string {
	switch s.Do {
	case response.DenySessions:
		return fmt.Sprintf("deny everything to sessions of %s %s that were issued until then, by the policy %s", s.Kind, s.Name, s.Object)
	case response.Deactivate:
		return "set the key to Inactive"
	case response.DeactivateSelf:
		return "let the leaked key set itself to Inactive"
	case response.Quarantine:
		return "attach " + s.Object
	case response.DisableServiceCredential:
		return "set the service credential " + s.Object + " to Inactive"
	}
	return string(s.Do)
}

// undone says how a key is after an undo. Not every undo makes a key work: somebody else
// may have shut it off, or nothing of the plan was in effect.
func undone(o response.Outcome) string {
	text := "Nothing had to be taken back: no step of the plan was in effect. "
	switch {
	case slices.Contains(o.Undid, response.Deactivate), slices.Contains(o.Undid, response.DisableServiceCredential):
		return "It works again, for everybody who has it. Shut it off soon."
	case slices.Contains(o.Undid, response.DenySessions):
		text = "Sessions that were made with it work again until they are over. "
	case len(o.Undid) > 0:
		text = ""
	}
	switch o.Status {
	case "Active":
		return text + "The key is Active, as it was before, and works for everybody who has it. Shut it off soon."
	case "Inactive":
		return text + "The key is still Inactive: this plan has not shut it off."
	case "absent":
		return text + "There is no such key any more."
	}
	if len(o.Undid) > 0 {
		return "Its sessions work again until they are over, for everybody who has them. Shut them off soon."
	}
	return text + "How the key is was not seen."
}

// urgent says what has to be done at once, "" for nothing.
func urgent(o response.Outcome) string {
	const again = "what is done is not done twice."
	self := len(o.Key.Steps) > 0 && o.Key.Steps[0].Do == response.DeactivateSelf
	if o.Result == response.NotUndone && o.Status == "absent" {
		return "The key was deleted at AWS: nothing makes it work again."
	}
	switch o.Result {
	case response.Undone:
		return undone(o)
	case response.NotUndone:
		return "Put that right, and run the same command again: " + again
	case response.Incomplete, response.Unconfirmed:
		if self { // it cannot do more
			return ""
		}
	case response.Contained:
		return ""
	}
	switch {
	case o.Closed && (o.Status == "Inactive" || o.Status == "absent"):
		return "The plan was undone, and cannot be applied again."
	case o.Closed:
		return "The plan was undone, and cannot be applied again: make a new one (stanch respond plan REPORT)."
	}
	return "Put that right, and apply the plan again (stanch respond apply PLAN): " + again
}

// showOutcomes prints how it went, and what is left to do.
func showOutcomes(w io.Writer, outcomes []response.Outcome) error {
	var b strings.Builder
	for _, o := range outcomes {
		fmt.Fprintf(&b, "%s  %s  %s of account %s\n", strings.ToUpper(string(o.Result)), printable.Text(o.Key.KeyID), principal(o.Key), o.Key.Account)
		for _, why := range o.Why {
			fmt.Fprintf(&b, "  %-9s %s\n", "why", printable.Text(why))
		}
		for _, note := range o.Notes {
			fmt.Fprintf(&b, "  %-9s %s\n", "note", printable.Text(note))
		}
		if now := urgent(o); now != "" {
			fmt.Fprintf(&b, "  %-9s %s\n", "now", now)
		}
		if o.Result == response.Undone || o.Result == response.NotUndone {
			continue
		}
		for _, step := range advice.Next(o) {
			fmt.Fprintf(&b, "  %-9s %s\n", "next", printable.Text(step))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
