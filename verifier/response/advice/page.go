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

// A Page is text for people. Its sentences are wrapped between words, and its commands are not.
type Page struct {
	W     io.Writer
	Width int // of the terminal, in columns; 0 wraps nothing
	// Again leaves out the tasks that apply has written, which confirm does not change.
	Again bool

	text strings.Builder
}

// Ask writes a question, and the prompt for its answer.
func (p *Page) Ask(question string) error {
	p.rows("", "", question)
	p.text.WriteString("> ")
	return p.flush()
}

// WritePlan writes plan. file is where it was saved, or "". The command that applies it has the
// flags of f.
func (p *Page) WritePlan(plan response.Plan, file string, f Flags) error {
	p.plan(plan)
	switch {
	case len(plan.Keys) == 0:
	case file == "":
		p.rows("", "", "Nothing was changed. To apply it, save the plan with --output FILE.")
	default:
		p.next(fmt.Sprintf("Nothing was changed. To shut %s off, before %s", them(plan), plan.Expires.Format(time.TimeOnly+" MST")), f.apply(file, plan))
	}
	return p.flush()
}

// ShowPlan writes plan, which is in file, for people who are asked about it next.
func (p *Page) ShowPlan(plan response.Plan, file string) error {
	p.plan(plan)
	if len(plan.Keys) > 0 {
		p.ending("", "", "Nothing is changed yet. The plan is in", file)
	}
	return p.flush()
}

// them stands for the keys of plan in a sentence.
func them(plan response.Plan) string {
	if len(plan.Keys) == 1 {
		return "it"
	}
	return "them"
}

// plan writes the keys of plan.
func (p *Page) plan(plan response.Plan) {
	for _, k := range plan.Keys {
		p.about("SHUT OFF", k)
		p.field("where", cmp.Or(k.Where, "not known: the id alone was given"))
		if k.Status != "" {
			made := ""
			if !k.Created.IsZero() {
				made = "made " + k.Created.Format(time.DateOnly) + ", "
			}
			p.field("key", fmt.Sprintf("%s, %slast used %s", k.Status, made, k.LastUsed))
		}
		p.field("by", k.Responder)
		for _, warning := range k.Warnings {
			p.field("warning", warning)
		}
		for i, s := range k.Steps {
			p.field(fmt.Sprintf("step %d", i+1), fmt.Sprintf("%s (%s)", describe(k, s), permission(k, s)))
		}
		for _, left := range remnants(k.Left) {
			p.field("left", left)
		}
		for _, made := range remnants(k.Made) {
			p.field("made", made)
		}
		p.text.WriteByte('\n')
	}
	for _, r := range plan.Refused {
		p.rows("", "  ", fmt.Sprintf("LEFT ALONE  %s  %s", r.KeyID, r.Gate))
		p.field("why", r.Why)
		for _, do := range r.Do {
			p.do(do)
		}
		p.text.WriteByte('\n')
	}
	if len(plan.Keys) == 0 {
		p.text.WriteString("Nothing is planned.\n")
	}
}

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
// left, the commands that come next, with the flags of f, and the verdict: all that a terminal
// shows of a long list is its end.
func (p *Page) WriteOutcomes(outcomes []response.Outcome, file string, plan response.Plan, f Flags) error {
	for _, o := range outcomes {
		p.about(strings.ToUpper(string(o.Result)), o.Key)
		for _, why := range o.Why {
			p.field("why", why)
			p.commands(commandsFor(o, why))
		}
		for _, note := range o.Notes {
			p.field("note", note)
		}
		if task := urgent(o); task != "" {
			p.do(task)
		}
		if o.Result == response.Undone || o.Result == response.NotUndone {
			continue
		}
		switch {
		case worksOn(o): // the rest comes when it is off
			p.tasks(append(made(o), sentence(tellOwner(o.Key))))
		case p.Again:
			p.tasks(append(made(o), takeOff(o)...))
		default:
			p.tasks(tasks(o))
		}
	}
	if off := keysOff(outcomes); len(off) > 0 && !p.Again {
		if len(outcomes) > 1 {
			p.text.WriteString("For all of them\n")
		}
		p.tasks(cleanUp(off))
	}
	p.nextCommands(outcomes, file, plan, f)
	p.total(outcomes)
	return p.flush()
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

// nextCommands writes the commands that come after a plan was applied or confirmed.
func (p *Page) nextCommands(outcomes []response.Outcome, file string, plan response.Plan, f Flags) {
	in := func(results ...response.Result) func(response.Outcome) bool {
		return func(o response.Outcome) bool { return slices.Contains(results, o.Result) }
	}
	begun := slices.DeleteFunc(slices.Clone(outcomes), in(response.Undone, response.NotUndone))
	if len(begun) == 0 {
		return
	}
	if slices.ContainsFunc(begun, func(o response.Outcome) bool { return o.Result != response.Contained && !o.Closed }) {
		p.next("To continue where it stopped", f.apply(file, plan))
	}
	p.next(readBack(begun), f.onPlan("confirm", file)+f.findings())
	untouched := !slices.ContainsFunc(begun, func(o response.Outcome) bool { return o.Result != response.Untouched })
	if undo := f.undo(file, plan); undo != "" && !untouched {
		p.next("If a service breaks, undo it", undo)
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
