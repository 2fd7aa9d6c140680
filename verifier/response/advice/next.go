package advice

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/verifier/response"
)

// A task is left to people.
type task struct {
	text string
	// commands do it, each with its name or "". They are written on lines of their own, to be
	// copied.
	commands [][2]string
}

// sentence returns a task without a command.
func sentence(text string) task { return task{text: text} }

// command returns a task that one command does.
func command(text, command string) task { return task{text, [][2]string{{"", command}}} }

// tasks returns the tasks that are left after a key was shut off, in order.
func tasks(o response.Outcome) []task {
	k := o.Key
	id, name := printable.CommandWord(k.KeyID, "KEY"), printable.CommandWord(k.Name, "NAME")
	list := append(made(o), sentence(tellOwner(k)))
	if response.IsServiceCredentialID(k.KeyID) {
		list = append(list, sentence("Look in CloudTrail at what user "+name+" did with the service"+since(k)+"."))
		if o.Status != response.Absent {
			list = append(list, command("When nothing needs it any more:", "aws iam delete-service-specific-credential --service-specific-credential-id "+id+" --user-name "+name))
		}
		return append(list, places(k)...)
	}
	start := ""
	if !k.Since.IsZero() {
		start = " --start-time " + k.Since.UTC().Format(time.RFC3339)
	}
	list = append(list,
		command("Look at what it did, in each region:", "aws cloudtrail lookup-events --lookup-attributes AttributeKey=AccessKeyId,AttributeValue="+id+start),
		sentence("Look for things that were made with it"+since(k)+": IAM users, keys and roles, instances, functions, in regions that you do not use."))
	switch {
	case k.Kind == "user" && !response.IsSession(k.KeyID):
		list = append(list, console(k)...)
		list = append(list, rotate(o, id, name)...)
	case k.Kind == "root":
		list = append(list, sentence("Do not replace it: the root user needs no key. When nothing needs it any more, sign in as the root user and delete it."),
			sentence("Make sure that the root user has MFA, and a password that nobody else knows."))
	default:
		list = append(list, sentence("Find out where the session was issued from: the next one leaks the same way."))
	}
	return append(append(list, takeOff(o)...), places(k)...)
}

// takeOff returns the tasks that remove the policies of o when no session is left to deny.
func takeOff(o response.Outcome) (list []task) {
	k := o.Key
	for _, s := range k.Steps {
		if s.Do != response.DenySessions || o.Until.IsZero() {
			continue
		}
		when, name := "Not before "+o.Until.UTC().Format(time.RFC3339), printable.CommandWord(s.Name, "NAME")
		if slices.Contains(o.Managed, s) {
			arn := printable.CommandWord(s.ManagedARN(k), "ARN")
			list = append(list, task{fmt.Sprintf("%s, detach the managed policy %s from %s %s, and delete it. stanch respond undo would also let the key work again.", when, s.Object, s.Kind, name), [][2]string{
				{"detach", fmt.Sprintf("aws iam detach-%s-policy --%[1]s-name %s --policy-arn %s", s.Kind, name, arn)},
				{"delete", "aws iam delete-policy --policy-arn " + arn},
			}})
			continue
		}
		list = append(list, command(fmt.Sprintf("%s, %d hours after it was attached, remove the policy:", when, int(response.SessionLife.Hours())),
			fmt.Sprintf("aws iam delete-%s-policy --%[1]s-name %s --policy-name %s", s.Kind, name, s.Object)))
	}
	return list
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
func rotate(o response.Outcome, id, name string) (list []task) {
	k := o.Key
	if len(k.Others) > 0 {
		list = append(list, sentence("The user has another key ("+strings.Join(k.Others, "; ")+"): if it lay in the same place, shut it off too (stanch assess)."))
	}
	list = append(list, sentence("Move whatever used it to a role, without a key."))
	if len(k.Others) > 0 {
		list = append(list, sentence("If that is not possible, move it to the other key: a user has two at most."))
	} else {
		list = append(list, command("If that is not possible, create a new key, and keep it in a secret store, not in the repository:", "aws iam create-access-key --user-name "+name))
	}
	if o.Status == response.Absent {
		return list
	}
	return append(list,
		command("Check that nothing uses the old one any more:", "aws iam get-access-key-last-used --access-key-id "+id),
		command("Some days later:", "aws iam delete-access-key --access-key-id "+id+" --user-name "+name))
}

// places returns a task for each place where the key was found.
func places(k response.Key) (list []task) {
	const shown = 5
	for i, p := range k.Places {
		if i < shown {
			list = append(list, sentence("It is in "+p.String()))
		}
	}
	if n := len(k.Places) - shown; n > 0 {
		list = append(list, sentence(fmt.Sprintf("and in %d places more: see the report.", n)))
	}
	switch {
	case len(k.Places) > 0:
	case k.Where == "":
		list = append(list, sentence("Look for the place where it leaked, with stanch git and stanch github, and in the mail or the event that names it."))
	default:
		list = append(list, sentence("It is in "+k.Where))
	}
	return list
}

// cleanUp returns the tasks about the places of keys, which are the same for each key.
func cleanUp(keys []response.Key) (list []task) {
	atHead, path := false, ""
	for _, k := range keys {
		for _, p := range k.Places {
			atHead = atHead || p.AtHead
			if path == "" && p.Commit != "" && printable.CommandWord(p.Path, "") != "" {
				path = p.Path
			}
		}
	}
	if atHead {
		list = append(list, sentence("Take it out of the newest files first, and commit."))
	}
	if path != "" {
		list = append(list, command("To take it out of the history, in a fresh clone, with the secret in FILE:", "git filter-repo --replace-text FILE"),
			command("Or, if the file held nothing else:", "git filter-repo --invert-paths --path "+path),
			sentence("Then force-push, have everybody clone again, and ask the host to drop its caches and pull requests."))
	}
	return append(list,
		sentence("Rewriting history does not unleak it: only shutting it off does. Forks and clones keep it."),
		sentence("So that it does not happen again: stanch hook install, and stanch ci."),
		sentence("Answer AWS's support case, if there is one."))
}
