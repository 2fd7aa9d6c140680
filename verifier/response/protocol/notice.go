package protocol

import (
	"fmt"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/verifier/notify"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/response/advice"
)

// NewNotice returns the notice of an outcome, at now. Plans and outcomes hold no secret.
func NewNotice(plan response.Plan, o response.Outcome, now time.Time) notify.Notice {
	k := o.Key
	n := notify.Notice{
		Schema: notify.Schema, Time: now.UTC().Truncate(time.Second), Planned: plan.Created, Plan: plan.Hash,
		Result: string(o.Result), Why: append([]string{}, o.Why...), Off: o.Result == response.Contained || o.Result == response.Incomplete, Status: o.Status,
		Subject: k.Subject, Created: k.Created,
	}
	n.Text = fmt.Sprintf("stanch: leaked key %s of %s in account %s: %s. Found in %s.",
		k.KeyID, advice.Principal(k), k.Account, strings.ReplaceAll(n.Result, "_", " "), k.Where)
	if len(o.Why) > 0 {
		n.Text += " " + strings.Join(o.Why, "; ") + "."
	}
	return n
}
