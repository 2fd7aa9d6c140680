package planner

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/activity"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/response"
)

const (
	// ownCall bounds the difference between IAM's last use of a key and the time when
	// stanch asked STS about it. Within this bound the two are taken for the same call:
	// clocks differ, and IAM is slow.
	ownCall = 15 * time.Minute
	// whoAmI is the call with which stanch and others find out whose a key is.
	whoAmI = "sts:GetCallerIdentity"
)

// inUse judges whether something of the owner's works with the key. There are two witnesses.
// IAM knows the last use of any service, but not by whom; a question to STS is a use, too.
// CloudTrail knows by whom, but not of reads and writes of data. So the last use is an
// intruder's only if CloudTrail shows that very call, from an address that is new since the
// leak, and in the last 24 hours no call from an address of before. If the call is so new that
// CloudTrail does not tell of it yet, the one before it of the same service counts: else an
// intruder who works all the time would hold the key for good.
func (p *Planner) inUse(ctx context.Context, s *operator.Session, k *response.Key, used operator.LastUsed, v verifier.Verdict) error {
	last, doubt := p.lastUse(k, used, v)
	log := p.logs.read(ctx, p.trail(k.Account), s, k).Log
	if by := p.ownersUse(log); by != "" {
		return p.hold(k, by)
	}
	if !p.recent(last) || last.Service == "sts" {
		if doubt {
			k.Warnings = append(k.Warnings, doubtful(log))
		}
		return nil
	}
	address, use, ok := log.Caller(last.Service, last.At)
	if !ok && p.now().Sub(last.At) < activity.Delay {
		if a, u, found := log.Lately(last.Service); found && log.IsNew(a) {
			address, use, ok = a, u, true
		}
	}
	by := describe(address, use)
	switch {
	case ok && log.IsNew(address):
	case ok:
		return p.hold(k, last.String()+" ("+by+"; whether by an intruder is not known: "+cmp.Or(log.Incomparable(), log.Changing())+")")
	default:
		return p.hold(k, last.String()+p.unexplained(log, last))
	}
	k.LastUsed += ", by " + by
	k.Warnings = append(k.Warnings, "used by "+by+", an address that is new since the leak. If it is yours, give whatever uses the key another one first. CloudTrail shows no use from an earlier address in the last 24 hours, but it does not show reads and writes of data, such as s3:GetObject")
	return nil
}

// lastUse returns the last use of a key that is not a question of stanch to STS, as far as
// that is known, and notes it in k. IAM keeps only the last use, used. If that is such a
// question, the use before it counts, if the scan has noted it. doubt says that the question
// may be somebody else's: of an earlier scan, or of somebody who found the key.
func (p *Planner) lastUse(k *response.Key, used operator.LastUsed, v verifier.Verdict) (last operator.LastUsed, doubt bool) {
	k.LastUsed = used.String()
	if !p.recent(used) || used.Service != "sts" {
		return used, false
	}
	before, known := operator.FindUsedBefore(v.Facts)
	inUse := known && p.recent(before) && before.Service != "sts"
	switch {
	case !known:
		return used, true
	case used.At.Sub(askedSTS(v)).Abs() <= ownCall && (inUse || !p.recent(before)):
		k.LastUsed = fmt.Sprintf("%s, before stanch asked", before)
		return before, false
	case inUse:
		return before, true
	}
	return used, true
}

// ownersUse names a call of the last 24 hours from an address of before the leak: of the key,
// or of a session that was issued to it. It returns "" if there is none.
func (p *Planner) ownersUse(log activity.Log) string {
	const note = ", an address from before the leak"
	for _, place := range log.Known() {
		if use, ok := lastOf(place); ok {
			return describe(place.Address, use) + note
		}
		for _, c := range log.Calls {
			if c.ID != log.KeyID && c.Address == place.Address && c.Action != whoAmI && p.now().Sub(c.Last) <= recentUse {
				return describe(place.Address, activity.Use{Action: c.Action, Time: c.Last}) + ", with " + c.ID + note
			}
		}
	}
	return ""
}

// lastOf returns the last call of the last 24 hours from a place. A question who the caller
// is uses nothing.
func lastOf(place activity.Place) (activity.Use, bool) {
	for _, use := range place.Recent {
		if use.Action != whoAmI {
			return use, true
		}
	}
	return activity.Use{}, false
}

func describe(address string, use activity.Use) string {
	return address + ", " + use.Action + ", " + use.Time.UTC().Format(time.RFC3339)
}

// unexplained says why CloudTrail does not tell by whom a last use was.
func (p *Planner) unexplained(log activity.Log, last operator.LastUsed) string {
	switch {
	case len(log.Unread) > 0 && log.Unread[0].Err != nil:
		return " (" + response.NotKnown("by whom", log.Unread[0].Err) + ")"
	case len(log.Unread) > 0:
		return " (CloudTrail has more than was read, which may tell by whom)"
	case p.now().Sub(last.At) < activity.Delay:
		return fmt.Sprintf(" (CloudTrail does not show yet by whom: plan again in %d minutes)", int(activity.Delay.Minutes()))
	}
	return " (CloudTrail does not show by whom)"
}

// doubtful warns of a last use that may be a question of stanch, or may not.
func doubtful(log activity.Log) string {
	const text = "its last use may be a call of stanch: "
	for _, place := range log.Places {
		if use, ok := lastOf(place); ok && place.Address != "" {
			return text + "CloudTrail shows " + describe(place.Address, use) + ": look whether that is an intruder"
		}
	}
	if len(log.Unread) > 0 {
		return text + "CloudTrail says whether something works with it (stanch assess)"
	}
	return text + "CloudTrail shows no other in the last 24 hours, but does not see reads and writes of data, such as s3:GetObject"
}

// hold refuses a key that something works with, or warns of it with --force-in-use.
func (p *Planner) hold(k *response.Key, used string) error {
	if !p.Rules.ForceInUse {
		return response.Refuse(response.GateInUse, "it was used: %s. Give whatever uses it another key first, or plan with --force-in-use", used)
	}
	k.Warnings = append(k.Warnings, fmt.Sprintf("in use (%s): whatever uses it will stop working", used))
	return nil
}

func (p *Planner) recent(used operator.LastUsed) bool {
	return !used.At.IsZero() && p.now().Sub(used.At) <= recentUse
}

// askedSTS returns when STS was asked about the key, after the use in the fact UsedBefore.
// The verdict v may come from a later question, or from IAM, and asking IAM is no use of
// the key.
func askedSTS(v verifier.Verdict) time.Time {
	for _, f := range v.Facts {
		if f.Name == operator.UsedBeforeAt {
			at, _ := time.Parse(time.RFC3339, f.Value) // zero, which is long ago, if it cannot be read
			return at
		}
	}
	return v.At
}
