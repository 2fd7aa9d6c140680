package requests

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/printable"
)

// Limits keeps until when budgets are spent, for all processes that have the same ones. A
// limit is given by how long it lasts, since the clocks of the processes may differ. It is
// used concurrently.
type Limits interface {
	// Limit returns for how long a budget is spent, 0 if it is not, and why.
	Limit(ctx context.Context, budget string) (left time.Duration, why string, err error)
	// PutLimit notes for how long a budget is spent, and why.
	PutLimit(ctx context.Context, budget string, left time.Duration, why string) error
}

// limitName returns the name of b in Limits for a request with token, "" if Limits is not to
// be asked: the tokens are not for another host, nor are their limits.
func (t *Transport) limitName(req *http.Request, b *budget, token detectors.Secret) string {
	if t.Limits == nil || req.URL.Host != t.host {
		return ""
	}
	return t.nameOf(b, token)
}

func (t *Transport) nameOf(b *budget, token detectors.Secret) string {
	id := b.ID
	if hash := token.SHA256(); id == "" && hash != "" {
		id = hash[:12]
	}
	return t.host + " " + cmp.Or(id, "without a token")
}

// learn notes in b until when it is spent, if another process knows. name is that of b in
// Limits, "" if none is asked.
func (t *Transport) learn(ctx context.Context, b *budget, name string) error {
	if name == "" || time.Until(b.limited().Until) > 0 {
		return nil
	}
	left, why, err := t.Limits.Limit(ctx, name)
	if err != nil {
		return fmt.Errorf("reading until when GitHub answers no more requests: %w", err)
	}
	if left > 0 {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.until, b.said = time.Now().Add(left), why
	}
	return nil
}

// usedUp says which limit an answer has used up, "" if there is none: an answer with the
// status 200 may be the last one, and says no more than that.
func usedUp(a *reply) string {
	if a.Header.Get("X-Ratelimit-Remaining") != "0" || a.StatusCode >= http.StatusInternalServerError {
		return ""
	}
	number := ""
	if n, err := strconv.Atoi(a.Header.Get("X-Ratelimit-Limit")); err == nil {
		number = printable.Thousands(n) + " "
	}
	whose := "of this token"
	if a.anonymous {
		whose = "without a token"
	}
	switch resource := a.Header.Get("X-Ratelimit-Resource"); resource {
	case "", "core":
		return "the " + number + "requests an hour " + whose + " are used up"
	case "graphql":
		return "the " + number + "points of GraphQL an hour " + whose + " are used up"
	default: // some are counted by the minute
		return "the " + number + "requests " + whose + " for " + resource + " are used up"
	}
}
