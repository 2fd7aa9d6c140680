package advice

import (
	"fmt"

	"github.com/stanch-dev/stanch/verifier/response"
)

// total writes the verdict about one key. About several keys it writes how many have which result,
// and the verdict about those that are not as they should be.
func (p *Page) total(outcomes []response.Outcome) {
	switch len(outcomes) {
	case 0:
		return
	case 1:
		p.rows("", "  ", verdict(outcomes[0]))
		return
	}
	fmt.Fprintf(&p.text, "%d keys\n", len(outcomes))
	for _, result := range []response.Result{response.Contained, response.Undone} {
		n := 0
		for _, o := range outcomes {
			if o.Result == result {
				n++
			}
		}
		if n > 0 {
			fmt.Fprintf(&p.text, "  %d %s\n", n, result)
		}
	}
	for _, o := range outcomes {
		if o.Result != response.Contained && o.Result != response.Undone {
			p.rows("  ", "    ", verdict(o))
		}
	}
}

// verdict says in a sentence what has become of a key.
func verdict(o response.Outcome) string {
	text := o.Key.KeyID + " " + state(o)
	switch n := len(o.Why); {
	case n == 1:
		text += `; 1 thing is open, see "why" above`
	case n > 1:
		text += fmt.Sprintf(`; %d things are open, see "why" above`, n)
	}
	return text
}

// state says whether the key of o is off, and whether its sessions are denied if that is known.
func state(o response.Outcome) string {
	text := ""
	switch {
	case o.Result == response.NotUndone:
		return "was not put back in full"
	case o.Result == response.Undone && o.Status == response.Active:
		return "is Active: the plan is undone"
	case o.Result == response.Undone:
		return "is as it was before the plan"
	case o.Status == response.Inactive:
		text = "is Inactive"
	case o.Status == response.Absent:
		text = "was deleted"
	case o.Status == response.Active, worksOn(o):
		text = "still works"
	case o.Result == response.Unconfirmed:
		return "may still work"
	default: // a session, or a key that IAM was not asked about
		text = "is shut off"
	}
	switch {
	case o.Result == response.Unconfirmed:
		return text + ", and AWS does not confirm every step"
	case o.Result == response.Partly:
		return text + ", but its older sessions are denied"
	case !o.Until.IsZero() && len(o.Why) <= len(o.Left): // else a step was not taken, perhaps this one
		return text + " and its sessions are denied"
	}
	return text
}
