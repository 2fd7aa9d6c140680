// Package notifyflags holds the flags of commands that tell receivers about findings.
package notifyflags

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/respond"
	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/github"
	"github.com/stanch-dev/stanch/scanner/github/leakissues"
	"github.com/stanch-dev/stanch/scanner/github/login"
	"github.com/stanch-dev/stanch/verifier/notify"
)

// IssueTokenVariable has the token for issues, unless the one that reads repositories may write
// them too.
const IssueTokenVariable = "STANCH_ISSUE_TOKEN"

const receivers = notify.Targets + ", github-issue:REPO"

// Flags say whom to tell.
type Flags struct {
	To   []string
	Page string
}

// Add adds the flags to a command.
func (f *Flags) Add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&f.To, "notify", nil, "alert `RECEIVER`: "+receivers)
	flags.StringVar(&f.Page, "page-url", "", "link alerts to the page at `URL`")
	cli.Needs(cmd, []string{"page-url"}, "notify")
}

// A Receiver gets alerts. Its methods may be called concurrently.
type Receiver interface {
	// Name names the receiver without its secret.
	Name() string
	// Send sends an alert, in one attempt. Its error holds no secret.
	Send(ctx context.Context, a *finding.Alert) error
}

// A target is a receiver that package notify knows.
type target struct {
	notify.Target
	notifier *notify.Notifier
}

func (t *target) Send(ctx context.Context, a *finding.Alert) error {
	return t.notifier.SendAlert(ctx, t.Target, a)
}

// issues are a receiver at GitHub.
type issues struct{ leakissues.Repository }

func (i *issues) Name() string { return "github-issue:" + i.Repository.Name }

// An Identity says as whom receivers are told that ask for one.
type Identity struct {
	AWS    *respond.OwnerFlags
	GitHub login.Login
}

// Open returns the receivers. It signs in as the operator if one of them is at AWS.
func (f *Flags) Open(ctx context.Context, s *cli.Streams, as Identity) ([]Receiver, error) {
	if u, err := url.Parse(f.Page); f.Page != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.User != nil) {
		return nil, errors.New("--page-url: want the URL of the page, such as https://stanch.example.com, without a token")
	}
	var list []Receiver
	n := &notify.Notifier{Version: s.Version}
	for _, to := range f.To {
		if name, ok := strings.CutPrefix(to, "github-issue:"); ok {
			r, err := issuesIn(ctx, s, name, as.GitHub)
			if err != nil {
				return nil, fmt.Errorf("--notify %s: %w", to, err)
			}
			list = append(list, r)
			continue
		}
		t, err := notify.ParseTarget(to, os.Getenv)
		if errors.Is(err, notify.ErrUnknown) {
			err = errors.New("want one of " + receivers + "; env:VARIABLE in place of a URL")
		}
		if err != nil {
			return nil, fmt.Errorf("--notify: %w", err)
		}
		if t.AWS() && n.Operator == nil {
			op, err := as.AWS.SignIn(ctx, s)
			if err != nil {
				return nil, fmt.Errorf("--notify %s: %w", t, err)
			}
			n.Operator = op.Own()
		}
		list = append(list, &target{t, n})
	}
	return list, nil
}

// issuesIn returns the receiver that opens issues in a repository, with the token of
// STANCH_ISSUE_TOKEN or else the one that reads repositories.
func issuesIn(ctx context.Context, s *cli.Streams, name string, as login.Login) (*issues, error) {
	as.API = cmp.Or(as.API, os.Getenv("GITHUB_API_URL"), "https://api.github.com")
	as.Version = s.Version
	r := &issues{leakissues.Repository{Name: name, API: as.API, Version: s.Version}}
	if token := os.Getenv(IssueTokenVariable); token != "" {
		r.Token = func(context.Context) (detectors.Secret, error) { return detectors.NewSecret(token), nil }
	} else {
		owner, _, _ := strings.Cut(name, "/")
		lister, err := as.Lister(ctx, owner, time.Second, nil)
		if err != nil {
			return nil, err
		}
		r.Token = lister.Token
	}
	_, err := github.New(r.API, name, "", r.Version) // is it a repository?
	return r, err
}
