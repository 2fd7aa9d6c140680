package advice

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/response/journal"
)

// WritePlan writes plan for people. file is where it was saved, or "". The command that
// applies it has the flags of f.
func WritePlan(w io.Writer, plan response.Plan, file string, f Flags) error {
	if file == "" {
		return writePlan(w, plan, "Nothing was changed. To apply it, save the plan with --output FILE.\n")
	}
	return writePlan(w, plan, fmt.Sprintf("Nothing was changed. To shut %s off, before %s:\n  %s\n",
		them(plan), plan.Expires.Format(time.TimeOnly+" MST"), oneLine(f.apply(file, plan))))
}

// ShowPlan writes plan, which is in file, for people who are asked about it next.
func ShowPlan(w io.Writer, plan response.Plan, file string) error {
	return writePlan(w, plan, fmt.Sprintf("Nothing is changed yet. The plan is in %s\n", oneLine(file)))
}

// them stands for the keys of plan in a sentence.
func them(plan response.Plan) string {
	if len(plan.Keys) == 1 {
		return "it"
	}
	return "them"
}

// writePlan writes plan, and after its keys how to go on.
func writePlan(w io.Writer, plan response.Plan, next string) error {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "  %-9s %s\n", name, oneLine(fmt.Sprintf(format, args...)))
	}
	for _, k := range plan.Keys {
		fmt.Fprintf(&b, "SHUT OFF  %s  %s of account %s\n", oneLine(k.KeyID), Principal(k), k.Account)
		line("where", "%s", cmp.Or(k.Where, "not known: the id alone was given"))
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
			line(fmt.Sprintf("step %d", i+1), "%s (%s)", describe(k, s), permission(k, s))
		}
		for _, left := range remnants(k.Left) {
			line("left", "%s", left)
		}
		for _, made := range remnants(k.Made) {
			line("made", "%s", made)
		}
		b.WriteByte('\n')
	}
	for _, r := range plan.Refused {
		fmt.Fprintf(&b, "LEFT ALONE  %s  %s\n", oneLine(r.KeyID), r.Gate)
		line("why", "%s", r.Why)
		for _, do := range r.Do {
			line("do", "%s", do)
		}
		b.WriteByte('\n')
	}
	if len(plan.Keys) == 0 {
		next = "Nothing is planned.\n"
	}
	b.WriteString(next)
	_, err := io.WriteString(w, b.String())
	return err
}

// oneLine returns s as a part of a line: a path, a name in CloudTrail or a text of AWS cannot
// write a line of its own, which somebody might take for a command.
func oneLine(s string) string { return strings.ReplaceAll(printable.Text(s), "\n", "; ") }

// Principal names the user or role of a key, for people.
func Principal(k response.Key) string {
	if k.Kind == "root" {
		return "the root user"
	}
	return k.Kind + " " + oneLine(k.Name)
}

func describe(k response.Key, s response.Step) string {
	if looks(k, s) {
		return "see that the key stays off: it is " + k.Status
	}
	switch s.Do {
	case response.DenySessions:
		return fmt.Sprintf("deny everything to sessions of %s %s that were issued until then, with the policy %s", s.Kind, s.Name, s.Object)
	case response.DenyConsole:
		return fmt.Sprintf("deny everything to all sessions of user %s, including new ones and those of the console, with the policy %s", s.Name, s.Object)
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

// looks reports whether the step s finds nothing to change, since k was off when the plan was
// made. It holds that the key is off when its sessions are denied.
func looks(k response.Key, s response.Step) bool {
	return s.Do == response.Deactivate && k.Status != response.Active
}

func permission(k response.Key, s response.Step) string {
	if looks(k, s) {
		return "iam:ListAccessKeys"
	}
	return s.Permission()
}

// undone describes a key after an undo. Not every undo makes a key work: somebody else may
// have shut it off, or no step of the plan was in effect.
func undone(o response.Outcome) string {
	text := "Nothing had to be undone: no step of the plan was in effect. "
	switch {
	case slices.Contains(o.Undid, response.Deactivate), slices.Contains(o.Undid, response.DisableServiceCredential):
		return "It works again, for everybody who has it. Shut it off soon."
	case slices.Contains(o.Undid, response.DenySessions), slices.Contains(o.Undid, response.DenyConsole):
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
	return text + "The state of the key was not read."
}

// urgent returns the task that cannot wait, "" if there is none.
func urgent(o response.Outcome) string {
	const again = "steps that are done are not repeated."
	self := len(o.Key.Steps) > 0 && o.Key.Steps[0].Do == response.DeactivateSelf
	if o.Result == response.NotUndone && o.Status == "absent" {
		return "The key was deleted at AWS: nothing can make it work again."
	}
	switch o.Result {
	case response.Undone:
		return undone(o)
	case response.NotUndone:
		return "Put that right, and run the same command again: " + again
	case response.Incomplete, response.Unconfirmed:
		if self { // a key that switches itself off cannot do more
			return ""
		}
	case response.Contained:
		return ""
	}
	switch {
	case o.Closed && (o.Status == "Inactive" || o.Status == "absent"):
		return "The plan was undone and cannot be applied again."
	case o.Closed:
		return "The plan was undone and cannot be applied again. Make a new one: stanch respond plan " + printable.CommandWord(o.Key.KeyID, "KEY")
	}
	return "Put that right, and apply the plan again: " + again
}

// WriteOutcomes writes the outcome for each key of plan, which is in file, the tasks that are
// left, and the commands that come next, with the flags of f.
func WriteOutcomes(w io.Writer, outcomes []response.Outcome, file string, plan response.Plan, f Flags) error {
	var b strings.Builder
	for _, o := range outcomes {
		fmt.Fprintf(&b, "%s  %s  %s of account %s\n", strings.ToUpper(string(o.Result)), oneLine(o.Key.KeyID), Principal(o.Key), o.Key.Account)
		for _, why := range o.Why {
			fmt.Fprintf(&b, "  %-9s %s\n", "why", oneLine(why))
			writeCommands(&b, commandsFor(o, why))
		}
		for _, note := range o.Notes {
			fmt.Fprintf(&b, "  %-9s %s\n", "note", oneLine(note))
		}
		if task := urgent(o); task != "" {
			fmt.Fprintf(&b, "  %-9s %s\n", "do", task)
		}
		if o.Result == response.Undone || o.Result == response.NotUndone {
			continue
		}
		if worksOn(o) { // the rest comes when it is off
			writeTasks(&b, append(made(o), sentence(tellOwner(o.Key))))
			continue
		}
		writeTasks(&b, tasks(o))
	}
	if off := keysOff(outcomes); len(off) > 0 {
		if len(outcomes) > 1 {
			b.WriteString("For all of them\n")
		}
		writeTasks(&b, cleanUp(off))
	}
	writeTotal(&b, outcomes)
	f.writeNext(&b, outcomes, file, plan)
	_, err := io.WriteString(w, b.String())
	return err
}

// worksOn reports whether a key could not be shut off.
func worksOn(o response.Outcome) bool {
	return o.Result == response.Untouched || o.Result == response.Partly
}

// keysOff returns the keys of outcomes that were shut off.
func keysOff(outcomes []response.Outcome) (keys []response.Key) {
	for _, o := range outcomes {
		if o.Result != response.Undone && o.Result != response.NotUndone && !worksOn(o) {
			keys = append(keys, o.Key)
		}
	}
	return keys
}

// writeTasks writes each task with its commands below.
func writeTasks(b *strings.Builder, list []task) {
	for _, t := range list {
		fmt.Fprintf(b, "  %-9s %s\n", "next", oneLine(t.text))
		writeCommands(b, t.commands)
	}
}

// writeCommands writes each command on a line of its own, after its name.
func writeCommands(b *strings.Builder, commands [][2]string) {
	for _, c := range commands {
		fmt.Fprintf(b, "  %-9s   %s\n", c[0], oneLine(c[1]))
	}
}

// writeTotal writes how many of several keys have which result, and names those that are not
// as they should be: the list above is longer than a screen.
func writeTotal(b *strings.Builder, outcomes []response.Outcome) {
	if len(outcomes) < 2 {
		return
	}
	fmt.Fprintf(b, "%d keys\n", len(outcomes))
	for _, result := range []response.Result{response.Contained, response.Undone} {
		n := 0
		for _, o := range outcomes {
			if o.Result == result {
				n++
			}
		}
		if n > 0 {
			fmt.Fprintf(b, "  %d %s\n", n, result)
		}
	}
	for _, o := range outcomes {
		if o.Result != response.Contained && o.Result != response.Undone {
			fmt.Fprintf(b, "  %s  %s  %s of account %s\n", strings.ToUpper(string(o.Result)), oneLine(o.Key.KeyID), Principal(o.Key), o.Key.Account)
		}
	}
}

// writeNext writes the commands that come after a plan was applied or confirmed.
func (f Flags) writeNext(b *strings.Builder, outcomes []response.Outcome, file string, plan response.Plan) {
	command := func(purpose, command string) { fmt.Fprintf(b, "%s:\n  %s\n", purpose, oneLine(command)) }
	in := func(results ...response.Result) func(response.Outcome) bool {
		return func(o response.Outcome) bool { return slices.Contains(results, o.Result) }
	}
	begun := slices.DeleteFunc(slices.Clone(outcomes), in(response.Undone, response.NotUndone))
	if len(begun) == 0 {
		return
	}
	if slices.ContainsFunc(begun, func(o response.Outcome) bool { return o.Result != response.Contained && !o.Closed }) {
		command("To continue where it stopped", f.apply(file, plan))
	}
	command(readBack(begun), f.onPlan("confirm", file)+f.findings())
	untouched := !slices.ContainsFunc(begun, func(o response.Outcome) bool { return o.Result != response.Untouched })
	if undo := f.undo(file, plan); undo != "" && !untouched {
		command("If a service breaks, undo it", undo)
	}
}

// WriteRecord writes a record of the journal in a line.
func WriteRecord(w io.Writer, r journal.Record) {
	parts := []string{r.Time.Format(time.RFC3339), r.Event, r.KeyID}
	if r.Step != nil {
		do := string(r.Step.Do)
		if r.Step.Kind == "role" {
			do += " of role " + r.Step.Name
		}
		parts = append(parts, do)
	}
	if r.Before != "" || r.After != "" {
		parts = append(parts, strings.TrimSpace(r.Before+" -> "+r.After))
	}
	for _, text := range []string{r.Result, r.Code, r.Why} {
		if text != "" {
			parts = append(parts, text)
		}
	}
	fmt.Fprintln(w, oneLine(strings.Join(parts, "  ")))
}
