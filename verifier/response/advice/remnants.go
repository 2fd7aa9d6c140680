package advice

import (
	"fmt"
	"time"

	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/verifier/activity"
	"github.com/stanch-dev/stanch/verifier/response"
)

// shownRemnants is how many remnants of a key are written for people. The plan has all.
const shownRemnants = 20

// remnants returns a sentence for each of list, and how many are left out.
func remnants(list []response.Remnant) (lines []string) {
	for i, r := range list {
		if i == shownRemnants {
			return append(lines, fmt.Sprintf("and %d more, see the plan in JSON", len(list)-i))
		}
		lines = append(lines, r.Why)
	}
	return lines
}

// commandsFor returns the commands that look at the thing that why is about, and remove it,
// each with its name.
func commandsFor(o response.Outcome, why string) (commands [][2]string) {
	for _, r := range o.Left {
		if r.Why == why {
			commands = append(commands, commandsOf(r)...)
		}
	}
	return commands
}

func commandsOf(r response.Remnant) (commands [][2]string) {
	if r.Look != "" {
		commands = append(commands, [2]string{"look", r.Look})
	}
	if r.Remove != "" {
		commands = append(commands, [2]string{"remove", r.Remove})
	}
	return commands
}

// made returns a task for each thing that the key made and that gives no access.
func made(o response.Outcome) (list []task) {
	for i, r := range o.Made {
		if i == shownRemnants {
			return append(list, command(fmt.Sprintf("The same for %d more:", len(o.Made)-i), "stanch assess "+printable.CommandWord(o.Key.KeyID, "KEY")))
		}
		list = append(list, task{"It may run, or cost money: " + r.Why, commandsOf(r)})
	}
	return list
}

// readBack says when to look whether the steps of outcomes still hold: an intruder with the
// rights can undo them, and CloudTrail tells of that late.
func readBack(outcomes []response.Outcome) string {
	var off time.Time
	for _, o := range outcomes {
		if o.Off.After(off) {
			off = o.Off
		}
	}
	when := "In five minutes"
	if !off.IsZero() {
		when = fmt.Sprintf("After %s, when CloudTrail knows everything (it is up to %d minutes late)",
			off.Add(activity.Delay).UTC().Format(time.TimeOnly+" MST"), int(activity.Delay.Minutes()))
	}
	return when + ", check that no intruder has undone it"
}

// console is the task about the password of a user, which undo cannot bring back.
func console(k response.Key) []task {
	for _, s := range k.Steps {
		if s.Do == response.DenyConsole {
			name := printable.CommandWord(k.Name, "NAME")
			return []task{
				command("The console password of the user still signs in, to a console that is denied everything. Delete it, which cannot be undone:",
					"aws iam delete-login-profile --user-name "+name),
				command("Then remove the policy:", "aws iam delete-user-policy --user-name "+name+" --policy-name "+s.Object),
			}
		}
	}
	return nil
}
