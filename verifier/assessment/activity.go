package assessment

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/verifier/activity"
)

// lookUpEvents is the call that the facts of this file come from.
const lookUpEvents = "cloudtrail:LookupEvents"

// activity adds what CloudTrail tells about the key: its calls, the things that it made, the
// roles that it assumed, and the places that are new since the leak.
func (r *inquiry) activity(ctx context.Context, regions []string) {
	r.log.Pace = r.Pace
	r.log.Now = r.now
	r.log.Keys = len(r.account.keys)
	log := r.log.Read(ctx, r.session, r.keyID, r.exposure.Since, regions)
	if !r.account.allRegions { // the key may have been used elsewhere
		log.Whole = false
		log.Unread = append(log.Unread, activity.Gap{Why: "read in " + strings.Join(regions, ", ") + " only, since the regions are not known"})
	}
	for _, g := range log.Unread {
		switch {
		case g.Err != nil:
			r.addIn(g.Region, "activity", unknownPrefix+Why(g.Err), neutral, lookUpEvents)
		case g.Region != "":
			r.addIn(g.Region, "activity", g.Why, notable, lookUpEvents)
		default:
			r.add("activity", g.Why, notable, lookUpEvents)
		}
	}
	r.calls(log)
	r.made(log)
	r.assumed(log)
	r.newPlaces(log)
	r.lastUsedBy(log)
}

// lastUsedBy adds by whom the key was last used, if CloudTrail shows that call.
func (r *inquiry) lastUsedBy(log activity.Log) {
	if r.last.At.IsZero() {
		return
	}
	address, use, ok := log.Caller(r.last.Service, r.last.At)
	if !ok {
		return
	}
	text, risk := fmt.Sprintf("%s, %s, %s", address, use.Action, use.Time.UTC().Format(time.RFC3339)), neutral
	if log.IsNew(address) {
		text, risk = text+", new since the leak", bad
	}
	r.add("last-used-by", text, risk, lookUpEvents)
}

// times says how often.
func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// calls adds a fact for each group of calls, the dangerous first.
func (r *inquiry) calls(log activity.Log) {
	slices.SortStableFunc(log.Calls, func(a, b activity.Calls) int { return cmp.Compare(b.Harm(), a.Harm()) })
	for i, c := range log.Calls {
		if i == maxGroups {
			r.add("activity", fmt.Sprintf("%d more kinds of calls", len(log.Calls)-i), notable, lookUpEvents)
			break
		}
		text := fmt.Sprintf("%s, %s, from %s by %s, %s", c.Action, times(c.N), orNone(c.Address), orNone(c.Agent), c.Region)
		if c.Code != "" {
			text += ", " + c.Code
		}
		text += ", " + during(c.First, c.Last)
		if c.ID != log.KeyID {
			text += ", with " + c.ID
		}
		r.add("activity", text, int(c.Harm()), lookUpEvents)
	}
	if len(log.Calls) == 0 && len(log.Unread) == 0 {
		since := log.Since.UTC().Format(time.DateOnly)
		if !log.After {
			since += " (CloudTrail's history)"
		}
		r.add("activity", "none since "+since+", except for what data events would show", neutral, lookUpEvents)
	}
}

// during says when the first and the last of some calls were.
func during(first, last time.Time) string {
	s := first.UTC().Format(time.RFC3339)
	if last.After(first) {
		s += " to " + last.UTC().Format(time.RFC3339)
	}
	return s
}

// made adds a fact for each thing that the key made: first those from addresses that are new
// since the leak, and those that let somebody in. Sessions of one kind are one fact.
func (r *inquiry) made(log activity.Log) {
	sessions := map[string][]activity.Thing{}
	var things []activity.Thing
	for _, t := range log.Made {
		switch {
		case t.Call == "sts:AssumeRole": // another fact
		case t.Kind == activity.Session:
			sessions[t.Call] = append(sessions[t.Call], t)
		default:
			things = append(things, t)
		}
	}
	fresh := map[string]int{} // 1 if an address is new
	for _, p := range log.New() {
		if p.Address != "" {
			fresh[p.Address] = 1
		}
	}
	access := map[bool]int{true: 1}
	slices.SortStableFunc(things, func(a, b activity.Thing) int {
		return cmp.Or(cmp.Compare(fresh[b.Address], fresh[a.Address]), cmp.Compare(access[b.Access], access[a.Access]))
	})
	for _, call := range []string{"sts:GetSessionToken", "sts:GetFederationToken", "sts:AssumeRoot"} {
		if list := sessions[call]; len(list) > 0 {
			first, last := list[0].Time, list[len(list)-1].Time
			r.add("made", fmt.Sprintf("sessions by %s, %s, %s", call, times(len(list)), during(first, last)), act, lookUpEvents)
		}
	}
	for i, t := range things {
		if i == maxGroups {
			r.add("made", fmt.Sprintf("%d more things", len(things)-i), bad, lookUpEvents)
			break
		}
		text := fmt.Sprintf("%s, by %s, %s, %s", t, t.Call, t.Region, t.Time.UTC().Format(time.RFC3339))
		if t.By != log.KeyID {
			text += ", with " + t.By
		}
		if fresh[t.Address] > 0 {
			text += ", from " + t.Address + " (new since the leak)"
		}
		if t.Look != "" {
			text += "; look: " + t.Look
		}
		if t.Remove != "" {
			text += "; remove: " + t.Remove
		}
		risk := bad
		if t.Access {
			risk = act
		}
		r.add("made", text, risk, lookUpEvents)
	}
}

// assumed adds a fact for each role that the key assumed.
func (r *inquiry) assumed(log activity.Log) {
	byRole := map[string][]activity.AssumedRole{}
	var roles []string
	for _, a := range log.Roles {
		if byRole[a.ARN] == nil {
			roles = append(roles, a.ARN)
		}
		byRole[a.ARN] = append(byRole[a.ARN], a)
	}
	for _, role := range roles {
		list := byRole[role]
		var from []string
		for _, a := range list {
			if address := orNone(a.Address); !slices.Contains(from, address) {
				from = append(from, address)
			}
		}
		if more := len(from) - maxNames; more > 0 {
			from = append(from[:maxNames], fmt.Sprintf("%d more addresses", more))
		}
		text := fmt.Sprintf("%s, %s, from %s, %s", role, times(len(list)), strings.Join(from, ", "), during(list[0].Time, list[len(list)-1].Time))
		if account := list[0].Account; account != "" && account != r.session.Account {
			text += ", in account " + account
		}
		r.add("assumed-role", text, act, lookUpEvents)
	}
}

// newPlaces adds the addresses and regions that are new since the leak.
func (r *inquiry) newPlaces(log activity.Log) {
	if why := log.Incomparable(); why != "" {
		r.add("new-address", unknownPrefix+why, neutral, lookUpEvents)
		return
	}
	found := map[string]bool{}
	if why := log.Changing(); why != "" {
		found["new-address"] = true
		r.add("new-address", unknownPrefix+why, neutral, lookUpEvents)
	}
	addresses := 0
	for _, p := range log.New() {
		name, place := "new-address", p.Address
		if p.Region != "" {
			name, place = "new-region", p.Region
		}
		found[name] = true
		if p.Address != "" {
			if addresses++; addresses > maxGroups {
				continue
			}
		}
		text := place + ", " + during(p.First, p.Last)
		if actions := latest(p.Recent); len(actions) > 0 {
			text += ", in the last 24 hours " + strings.Join(actions, ", ")
		}
		r.add(name, text, bad, lookUpEvents)
	}
	if more := addresses - maxGroups; more > 0 {
		r.add("new-address", fmt.Sprintf("%d more addresses", more), bad, lookUpEvents)
	}
	for _, name := range []string{"new-address", "new-region"} {
		if !found[name] {
			r.add(name, "none since the leak", neutral, lookUpEvents)
		}
	}
}

// latest returns the actions of uses, the newest first, at most five.
func latest(uses []activity.Use) (actions []string) {
	for _, u := range uses {
		if !slices.Contains(actions, u.Action) && len(actions) < 5 {
			actions = append(actions, u.Action)
		}
	}
	return actions
}
