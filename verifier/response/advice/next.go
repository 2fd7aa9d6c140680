package advice

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/verifier/response"
)

// Next returns the tasks that are left after a key was shut off, in order: one command or
// sentence an element.
func Next(o response.Outcome) []string {
	k := o.Key
	id, name := shellWord(k.KeyID, "KEY"), shellWord(k.Name, "NAME")
	steps := append(made(o), tellOwner(k))
	if response.IsServiceCredentialID(k.KeyID) {
		steps = append(steps, "Look in CloudTrail at what user "+name+" did with the service"+since(k)+".")
		if o.Status != response.Absent {
			steps = append(steps, "When nothing misses it: aws iam delete-service-specific-credential --service-specific-credential-id "+id+" --user-name "+name)
		}
		return append(steps, purge(k)...)
	}
	start := ""
	if !k.Since.IsZero() {
		start = " --start-time " + k.Since.UTC().Format(time.RFC3339)
	}
	steps = append(steps,
		"Look at what it did, in each region: aws cloudtrail lookup-events --lookup-attributes AttributeKey=AccessKeyId,AttributeValue="+id+start,
		"Look for what was made with it"+since(k)+": IAM users, keys and roles, instances, functions, in regions that you do not use.")
	switch {
	case k.Kind == "user" && !response.IsSession(k.KeyID):
		steps = append(steps, console(k)...)
		steps = append(steps, rotate(o, id, name)...)
	case k.Kind == "root":
		steps = append(steps, "Do not replace it: the root user needs no key. When nothing misses it, sign in as the root user and delete it.",
			"See that the root user has MFA, and a password that nobody else knows.")
	default:
		steps = append(steps, "Find out where the session was issued from: the next one leaks the same way.")
	}
	for _, s := range k.Steps {
		if s.Do == response.DenySessions && !o.Until.IsZero() && slices.Contains(o.Managed, s) {
			steps = append(steps, fmt.Sprintf("Not before %s, take the managed policy %s off %s %s (aws iam detach-%s-policy) and delete it (aws iam delete-policy): stanch respond undo would also let the key work again.",
				o.Until.UTC().Format(time.RFC3339), s.Object, s.Kind, shellWord(s.Name, "NAME"), s.Kind))
		} else if s.Do == response.DenySessions && !o.Until.IsZero() {
			steps = append(steps, fmt.Sprintf("Not before %s, %d hours after it was put, take the policy off: aws iam delete-%s-policy --%[3]s-name %s --policy-name %s",
				o.Until.UTC().Format(time.RFC3339), int(response.SessionLife.Hours()), s.Kind, shellWord(s.Name, "NAME"), s.Object))
		}
	}
	return append(steps, purge(k)...)
}

func tellOwner(k response.Key) string {
	who := "Tell the owner of " + k.Kind + " " + k.Name + " in account " + k.Account
	if k.Kind == "root" {
		who = "Tell the owner of account " + k.Account
	}
	if k.Owner != "" {
		who += " (" + k.Owner + ")"
	}
	return who + "."
}

func since(k response.Key) string {
	if k.Since.IsZero() {
		return " since the leak"
	}
	return " since the leak (" + k.Since.UTC().Format(time.DateOnly) + ")"
}

// rotate returns the tasks that replace a key of a user.
func rotate(o response.Outcome, id, name string) (steps []string) {
	k := o.Key
	if len(k.Others) > 0 {
		steps = append(steps, "The user has another key ("+strings.Join(k.Others, "; ")+"): if it lay in the same place, shut it off too (stanch assess).")
	}
	steps = append(steps, "Give what used it a role in place of a key.")
	if len(k.Others) > 0 {
		steps = append(steps, "If that cannot be, move it to the other key: a user has two at most.")
	} else {
		steps = append(steps, "If that cannot be, a new key: aws iam create-access-key --user-name "+name+", into a secret store and not into the repository.")
	}
	if o.Status == response.Absent {
		return steps
	}
	return append(steps,
		"See that nothing tries the old one any more: aws iam get-access-key-last-used --access-key-id "+id,
		"Some days later: aws iam delete-access-key --access-key-id "+id+" --user-name "+name)
}

// purge returns the tasks in the places where the key was found.
func purge(k response.Key) []string {
	const shown = 5
	var steps []string
	atHead, paths := false, []string{}
	for i, p := range k.Places {
		atHead = atHead || p.AtHead
		if plainWord.MatchString(p.Path) && p.Commit != "" {
			paths = append(paths, p.Path)
		}
		if i < shown {
			steps = append(steps, "It stands in "+p.String())
		}
	}
	if n := len(k.Places) - shown; n > 0 {
		steps = append(steps, fmt.Sprintf("and in %d places more: see the report.", n))
	}
	switch {
	case len(k.Places) > 0:
	case k.Where == "":
		steps = append(steps, "Look for the place where it leaked: stanch git, stanch github, and the mail or the event that names it.")
	default:
		steps = append(steps, "It stands in "+k.Where)
	}
	if atHead {
		steps = append(steps, "Take it out of the newest files first, and commit.")
	}
	if len(paths) > 0 {
		steps = append(steps, "To take it out of the history, in a fresh clone: git filter-repo --replace-text FILE, with the secret in FILE; or, if the file held nothing else, "+
			"git filter-repo --invert-paths --path "+paths[0]+". Then push by force, have all clones made anew, and ask the host to drop its caches and pull requests.")
	}
	return append(steps,
		"Rewriting history does not unleak it: shutting it off did. Forks and clones keep it.",
		"So that it does not happen again: stanch hook install, and stanch ci.",
		"Answer AWS's support case, if there is one.")
}
