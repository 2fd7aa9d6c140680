package respond

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/verifier/notify"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/response/protocol"
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
func (f *respondFlags) notifyAll(ctx context.Context, s *cli.Streams, targets []notify.Target, op *operator.Operator, plan response.Plan, outcomes []response.Outcome) error {
	if len(targets) == 0 || len(outcomes) == 0 {
		return nil
	}
	n := notify.Notifier{Version: s.Version}
	for _, t := range targets {
		if !t.AWS() || op != nil {
			continue
		}
		var err error
		if op, err = f.Open(ctx, s); err != nil {
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
		notices = append(notices, protocol.NewNotice(plan, o, time.Now()))
	}
	if err := n.Send(ctx, targets, notices); err != nil {
		return cli.Unfinished(err)
	}
	return nil
}
