package wording

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/stanch-dev/stanch/scanner/finding"
)

// Patterns of text that goes into a command that people paste into a shell. A stream can come
// from anywhere, and so can a "user name" with a semicolon in it.
var (
	rulePattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`) })
	namePattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_+=,.@][A-Za-z0-9_+=,.@-]*$`) })
)

// isKeyID uses no regexp: one with a repetition of 128 takes half a millisecond to compile
// at each start.
func isKeyID(s string) bool {
	return len(s) >= 16 && len(s) <= 128 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}

func isAccount(s string) bool { return len(s) == 12 && strings.Trim(s, "0123456789") == "" }

// Advice returns the steps to take about f now, one an element. A step may go on,
// after a newline, with the command that does it.
func Advice(f *finding.Finding) []string {
	steps := remedy(f)
	c := UrgencyOf(f)
	switch {
	case StagedOnce(f):
		return adviceOnStaged(f, c, steps)
	case c <= Unverifiable && Buried(f):
		steps = slices.Insert(steps, 1, "No branch or tag leads to it, but it has leaked all the same: it is still in this clone, and perhaps on the server (GitHub keeps such commits). Shut it off.")
	}
	return steps
}

// adviceOnStaged changes steps, the remedy of f, which was staged once and is in no commit. It
// has leaked only if its owner has shown it elsewhere: a hook says the same about it.
func adviceOnStaged(f *finding.Finding, c Urgency, steps []string) []string {
	const (
		never  = "No commit has it: most likely it was staged once, and git has sent it nowhere."
		remove = "To remove it from this clone, with all else that no ref or reflog holds:\ngit gc --prune=now"
	)
	switch {
	case c == Canary: // it stays
		return steps
	case c > Unverifiable:
		return append(steps, remove)
	case f.Match.Rule.Value, c <= IDActive:
		return append(steps, never, remove)
	case c == Unverifiable: // its first step has the page of the rule
		return append(steps, never+" Replace it only if it was ever shared.", remove)
	}
	return []string{never + " Rotate it only if it was ever shared.", remove}
}

func remedy(f *finding.Finding) []string {
	session := strings.HasPrefix(f.Match.Credential.ID, "ASIA") || f.HasToken()
	switch c := UrgencyOf(f); {
	case c == LiveRoot && session:
		return []string{
			"No call ends a session of the root user, and no policy in the account can deny it anything. It expires by itself: within an hour if an access key issued it.",
			"Sign in as the root user of the account. If an access key issued it, deactivate that key: Security credentials > Access keys. If a sign-in did, change the password.",
			trail(f),
		}
	case c == LiveRoot:
		return []string{
			"Sign in as the root user of the account and deactivate the key now: Security credentials > Access keys.",
			"Do not replace it: no policy can limit a root key. Let whatever used it use a role.",
			trail(f),
		}
	case c == Live && session:
		return append(revoke(f), "Find out what issued it: the next one may leak the same way.", trail(f))
	case c == Live:
		return append(shutOff("Shut it off now", f), "Move whatever used it to a role or a new key, then delete this one.", trail(f))
	case c == IDActive:
		what := "The key id is live, but this is not its secret: the right one may be nearby."
		if f.SecretSHA256() == "" {
			what = "The key id is live, but none of the secrets that were tried belongs to it: the right one may be nearby."
		}
		if f.Stale != "" {
			what = strings.Replace(what, "is live", "was live", 1)
		}
		return append([]string{what}, shutOff("Rotate the key anyway: create a new one, then shut this one off", f)...)
	case f.Match.Rule.Value:
		return []string{"Find out what it opens. If it is real, replace it where it was issued, and remove it here. If it is none, run \"stanch allow\" with its fingerprint."}
	case c == Unknown, c == Unverified:
		return []string{"Treat it as live: rotate it, or scan again when AWS can be asked about it."}
	case c == Unverifiable:
		return []string{"Treat it as live. Its rule says what it opens and how to shut it off" + rulePage(f)}
	case c == LoneID:
		return []string{"The id alone opens nothing. Check that its secret is not nearby, then remove the id."}
	case c == Canary:
		return []string{"Do not use, test or remove it: it was planted to raise an alarm. Tell the security team."}
	case c == Expired:
		return []string{"It has expired, so there is nothing to shut off. Remove it, and find out what issued it."}
	}
	if status := statusAtIAM(f); status != "" {
		return adviceOnOff(f, status)
	}
	does := "does"
	if f.Stale != "" {
		does = "did"
	}
	return []string{"AWS " + does + " not know the key id: it was deleted, deactivated or never issued, or it belongs to AWS China or GovCloud. Remove it."}
}

// statusAtIAM returns the status of a key that IAM, and not STS, has called invalid, or "". IAM
// knows why a key does not work, and STS does not.
func statusAtIAM(f *finding.Finding) string {
	for _, x := range f.Verdict.Facts {
		if x.Name == "key-status" && strings.HasPrefix(x.Source, "iam:") && slices.Contains([]string{"Inactive", "Expired", "deleted"}, x.Value) {
			return x.Value
		}
	}
	return ""
}

// adviceOnOff returns the steps for a key that IAM says is off, with its status.
func adviceOnOff(f *finding.Finding, status string) []string {
	sessions := "The sessions that it had started go on until they end, or until you deny them"
	if status == "deleted" {
		return []string{"It was deleted. Remove it here.", sessions + "."}
	}
	if !isKeyID(f.Match.Credential.ID) {
		return []string{"It is off. Delete it some days later, where it was issued."}
	}
	return []string{
		"It is off. Delete it some days later:\naws iam delete-access-key --access-key-id " + f.Match.Credential.ID + " --user-name " + userName(f),
		sessions + plan(f),
	}
}

// rulePage ends a step with the command that prints the page of the rule.
func rulePage(f *finding.Finding) string {
	if !rulePattern().MatchString(f.Match.Rule.ID) {
		return "."
	}
	return ":\nstanch rules " + f.Match.Rule.ID
}

// shutOff returns the steps that shut off a key: with stanch, or by hand. Without --user-name
// the command for the hand would look for the key of the caller, so a placeholder is better
// than nothing.
func shutOff(what string, f *finding.Finding) []string {
	if !isKeyID(f.Match.Credential.ID) {
		return []string{what + ", where it was issued."}
	}
	return []string{
		what + plan(f),
		"Or by hand, which does not end the sessions that the key has started:\naws iam update-access-key --access-key-id " + f.Match.Credential.ID + " --status Inactive --user-name " + userName(f),
	}
}

// userName returns the user of the key of f for a command, USER if it is not known.
func userName(f *finding.Finding) string {
	if f.Verdict.Identity.Kind == "user" && namePattern().MatchString(f.Verdict.Identity.Name) {
		return f.Verdict.Identity.Name
	}
	return "USER"
}

// plan ends a step with the command that plans how to shut off a key or a session, which
// changes nothing yet, and prints the command that does. A log that everybody can read names no
// account: then the operator's own settings do.
func plan(f *finding.Finding) string {
	accounts := ""
	if isAccount(f.Verdict.Identity.Account) {
		accounts = " --accounts " + f.Verdict.Identity.Account
	}
	return ":\nstanch respond plan " + f.Match.Credential.ID + accounts + " -o plan.json"
}

// revoke returns the steps for temporary credentials, which cannot be deactivated.
func revoke(f *finding.Finding) []string {
	const s = "It expires by itself and cannot be deactivated. "
	byHand := "attach a policy to its user that denies everything where aws:TokenIssueTime is earlier than now."
	switch {
	case strings.HasPrefix(f.Verdict.Identity.Name, "AWSReservedSSO_"): // IAM does not change such roles
		return []string{s + "Deny it everything now, in the inline policy of its permission set: IAM Identity Center > Permission sets."}
	case strings.HasPrefix(f.Verdict.Identity.Name, "AWSServiceRoleFor"):
		return []string{s + "Stop the resource that uses it now: sessions of a service-linked role cannot be revoked."}
	case f.Verdict.Identity.Kind == "role":
		byHand = "IAM > Roles > Revoke sessions."
	}
	if !isKeyID(f.Match.Credential.ID) {
		return []string{s + "Find out where it was issued, and revoke it there."}
	}
	return []string{s + "Deny it everything now" + plan(f), "Or by hand: " + byHand}
}

func trail(f *finding.Finding) string {
	const s = "Look up in CloudTrail, in each region, what it was used for"
	if !isKeyID(f.Match.Credential.ID) {
		return s + "."
	}
	return s + ":\naws cloudtrail lookup-events --lookup-attributes AttributeKey=AccessKeyId,AttributeValue=" + f.Match.Credential.ID
}
