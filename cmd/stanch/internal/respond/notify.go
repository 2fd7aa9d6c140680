package respond

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/verifier/notify"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/response/advice"
)

// targets reads --notify, before anything is changed.
func (f *respondFlags) targets() ([]notify.Target, error) {
	var targets []notify.Target
	for _, s := range f.notify {
		t, err := notify.ParseTarget(s, os.Getenv)
		if err != nil {
			return nil, fmt.Errorf("--notify: %w", err)
		}
		targets = append(targets, t)
	}
	return targets, nil
}

// notifyAll sends notices of how it went. If op is nil, it signs in as the operator for
// targets at AWS.
func (f *respondFlags) notifyAll(ctx context.Context, version string, targets []notify.Target, op *operator.Operator, plan response.Plan, outcomes []response.Outcome) error {
	if len(targets) == 0 || len(outcomes) == 0 {
		return nil
	}
	n := notify.Notifier{Version: version}
	for _, t := range targets {
		if !t.AWS() || op != nil {
			continue
		}
		var err error
		if op, err = f.Open(ctx, version); err != nil {
			break // Send names the targets that it could not reach
		}
	}
	if op != nil {
		n.Operator = op.Own()
	}
	if f.Endpoint != "" {
		n.Wait = time.Millisecond // as for AWS
	}
	var notices []notify.Notice
	for _, o := range outcomes {
		notices = append(notices, noticeOf(plan, o))
	}
	if err := n.Send(ctx, targets, notices); err != nil {
		return cli.Unfinished(err)
	}
	return nil
}

// noticeOf says how it went for one key. Keys and outcomes hold no secret.
func noticeOf(plan response.Plan, o response.Outcome) notify.Notice {
	k := o.Key
	n := notify.Notice{
		Schema: notify.Schema, Time: time.Now().UTC().Truncate(time.Second), Planned: plan.Created, Plan: plan.Hash,
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
