package notifyflags

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
)

// A Collector is a handler that keeps what there is to tell, for a command that remembers no
// earlier scan: each live key, and each finding that may be live. It has to be given findings
// without secrets.
type Collector struct {
	finding.Handler
	live, others []finding.AlertFinding
}

// Finding implements finding.Handler.
func (c *Collector) Finding(f finding.Finding) error {
	if f.MayBeLive() {
		event, list := finding.EventNew, &c.others
		if f.Verdict.State == verifier.Live {
			event, list = finding.EventLive, &c.live
		}
		var where *finding.Location
		repository, page := "", ""
		if len(f.Locations) > 0 {
			where = &f.Locations[0]
			page = where.Repo
			if u, err := url.Parse(page); err == nil {
				repository = strings.Trim(u.Path, "/")
			}
		}
		told := finding.NewAlertFinding(&f, where, repository, page, event, "", time.Now())
		told.Places, told.Repositories = len(f.Locations)+f.Omitted, repositoriesOf(f.Locations)
		*list = append(*list, told)
	}
	return c.Handler.Finding(f)
}

func repositoriesOf(locations []finding.Location) int {
	seen := map[string]bool{}
	for i := range locations {
		seen[locations[i].Repo] = true
	}
	return len(seen)
}

// maxFindings is the most findings of an alert.
const maxFindings = 500

// Tell tells the receivers of the live keys, and in a digest of the other findings. The error
// names each receiver that could not be told.
func (c *Collector) Tell(ctx context.Context, receivers []Receiver, page string) error {
	var errs []error
	for _, kind := range []string{finding.AlertNews, finding.AlertDigest} {
		findings := c.live
		if kind == finding.AlertDigest {
			findings = c.others
		}
		if len(findings) == 0 {
			continue
		}
		shown := findings[:min(len(findings), maxFindings)]
		a := &finding.Alert{Delivery: rand.Text(), Kind: kind, Time: time.Now().UTC().Truncate(time.Second), Page: page, Findings: shown, Omitted: len(findings) - len(shown)}
		a.Complete()
		for _, r := range receivers {
			if err := Send(ctx, r, a); err != nil {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

// tries and maxPause bound the time that a command waits for a receiver when its work is done.
const (
	tries    = 3
	maxPause = 30 * time.Second
)

// Send sends an alert, in a few attempts.
func Send(ctx context.Context, r Receiver, a *finding.Alert) error {
	pause := time.Second
	for n := 1; ; n++ {
		err := r.Send(ctx, a)
		if err == nil {
			return nil
		}
		err = fmt.Errorf("telling %s: %w", r.Name(), err)
		var asks interface{ RetryAfter() time.Duration }
		if errors.As(err, &asks) && asks.RetryAfter() > 0 {
			pause = asks.RetryAfter()
		}
		if n == tries || pause > maxPause {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		}
		pause *= 2
	}
}
