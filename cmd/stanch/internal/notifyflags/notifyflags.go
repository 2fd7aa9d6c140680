// Package notifyflags holds the flags of commands that tell receivers about findings.
package notifyflags

import (
	"context"
	"fmt"
	"net/url"
	"os"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/respond"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier/notify"
)

// Flags say whom to tell.
type Flags struct {
	To   []string
	Page string
}

// Add adds the flags to a command.
func (f *Flags) Add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&f.To, "notify", nil, "alert `RECEIVER`: "+notify.Targets)
	flags.StringVar(&f.Page, "page-url", "", "link alerts to the page at `URL`")
	cli.Needs(cmd, []string{"page-url"}, "notify")
}

// A Receiver gets alerts. Its methods may be called concurrently.
type Receiver struct {
	target   notify.Target
	notifier *notify.Notifier
}

// Name names the receiver without its secret.
func (r *Receiver) Name() string { return r.target.Name() }

// Send sends an alert, in one attempt. Its error holds no secret.
func (r *Receiver) Send(ctx context.Context, a *finding.Alert) error {
	return r.notifier.SendAlert(ctx, r.target, a)
}

// Open returns the receivers. It signs in as the operator if one of them is at AWS.
func (f *Flags) Open(ctx context.Context, s *cli.Streams, owner *respond.OwnerFlags) ([]*Receiver, error) {
	if u, err := url.Parse(f.Page); f.Page != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.User != nil) {
		return nil, fmt.Errorf("--page-url: want the URL of the page, such as https://stanch.example.com, without a token")
	}
	var list []*Receiver
	n := &notify.Notifier{Version: s.Version}
	for _, to := range f.To {
		target, err := notify.ParseTarget(to, os.Getenv)
		if err != nil {
			return nil, fmt.Errorf("--notify: %w", err)
		}
		if target.AWS() && n.Operator == nil {
			op, err := owner.SignIn(ctx, s)
			if err != nil {
				return nil, fmt.Errorf("--notify %s: %w", target, err)
			}
			n.Operator = op.Own()
		}
		list = append(list, &Receiver{target, n})
	}
	return list, nil
}
