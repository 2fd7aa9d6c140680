package planner

import (
	"fmt"
	"time"

	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/response"
)

// ownCall bounds the difference between IAM's last use of a key and the time when stanch
// asked STS about it. Within this bound the two are taken for the same call: clocks differ,
// and IAM is slow.
const ownCall = 15 * time.Minute

// inUse judges whether something works with the key. IAM keeps only the last use, and a
// question to STS is a use. If the last use is such a question, the use before it counts
// too, if the scan has noted it.
func (p *Planner) inUse(k *response.Key, used operator.LastUsed, v verifier.Verdict) error {
	if err := p.holdUse(k, used); err != nil || !p.recent(used) || used.Service != "sts" {
		return err
	}
	before, known := operator.FindUsedBefore(v.Facts)
	if known {
		if err := p.holdUse(k, before); err != nil {
			return err
		}
	}
	// A question to STS before that may come from an earlier scan, or from somebody who
	// found the key.
	if known && used.At.Sub(askedSTS(v)).Abs() <= ownCall && (!p.recent(before) || before.Service != "sts") {
		k.LastUsed = fmt.Sprintf("%s, before stanch asked", before)
		return nil
	}
	k.Warnings = append(k.Warnings, "its last use may be a question of stanch: CloudTrail says whether something works with it (stanch assess)")
	return nil
}

// holdUse refuses a key that something works with, or warns of it with --force-in-use.
func (p *Planner) holdUse(k *response.Key, used operator.LastUsed) error {
	if !p.recent(used) || used.Service == "sts" {
		return nil
	}
	if !p.Rules.ForceInUse {
		return response.Refuse(response.GateInUse, "it was used %s: give what uses it another key first, or plan with --force-in-use", used)
	}
	k.Warnings = append(k.Warnings, fmt.Sprintf("in use (%s): what works with it will stop", used))
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
