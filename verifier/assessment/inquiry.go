package assessment

import (
	"cmp"
	"context"
	"time"

	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/operator"
)

const (
	// maxPages bounds the questions for one list, see eachPage.
	maxPages = 200
	// maxGroups bounds the facts.
	maxGroups = 50
)

// An inquiry is the assessment of one key.
type inquiry struct {
	*Assessor
	notes
	account  *account
	keyID    string
	identity verifier.Identity // of its owner, as the finding says
	exposure Exposure
	used     *operator.LastUsed // before STS was asked about it; nil asks IAM now
	last     operator.LastUsed  // as the fact last-used tells it
	user     string             // the owner, as far as known
	arn      string             // of the principal that has the policies
	region   string             // of the key's last use; "" if it is not known
}

func (a *Assessor) pace() time.Duration { return cmp.Or(a.Pace, 550*time.Millisecond) }

func (a *Assessor) sleep(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
