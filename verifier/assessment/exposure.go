package assessment

import (
	"fmt"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/operator"
)

// An Exposure says since when a key could be read, and by whom. Fields that are not known
// are zero.
type Exposure struct {
	// Since is the time of the first commit that holds it.
	Since time.Time
	// Pushed is when that commit came to the server.
	Pushed time.Time
	// AtHead reports whether it is still there, in the newest commit.
	AtHead bool
	// Remote is a branch of a remote that holds it.
	Remote string
	// Visibility is the visibility of the repository: "public", "private".
	Visibility string
}

// add adds one location of the key to e.
func (e *Exposure) add(l *finding.Location) {
	if !l.Time.IsZero() && (e.Since.IsZero() || l.Time.Before(e.Since)) {
		e.Since = l.Time
	}
	e.AtHead = e.AtHead || l.AtHead
	for _, ref := range l.Refs {
		if strings.HasPrefix(ref, "refs/remotes/") && e.Remote == "" {
			e.Remote = ref
		}
	}
}

// usedBefore returns the last use before STS was asked, from the fact UsedBefore; nil
// without one.
func usedBefore(facts []verifier.Fact) *operator.LastUsed {
	if used, ok := operator.FindUsedBefore(facts); ok {
		return &used
	}
	return nil
}

// exposed adds how long the key could be read, and by whom.
func (r *inquiry) exposed() {
	l := r.exposure
	if l.Since.IsZero() {
		return
	}
	parts := []string{fmt.Sprintf("since %s, %d days", l.Since.UTC().Format(time.DateOnly), int(r.now().Sub(l.Since).Hours()/24))}
	risk := notable
	if l.AtHead {
		parts, risk = append(parts, "still at HEAD"), bad
	} else {
		parts = append(parts, "in history")
	}
	switch {
	case !l.Pushed.IsZero():
		parts = append(parts, "pushed "+l.Pushed.UTC().Format(time.RFC3339))
	case l.Remote != "":
		parts = append(parts, "pushed: it is in "+strings.TrimPrefix(l.Remote, "refs/remotes/"))
	}
	switch l.Visibility {
	case "":
	case "public":
		parts, risk = append(parts, "everybody can read the repository"), act
	default:
		parts = append(parts, "the repository is "+l.Visibility)
	}
	r.add("exposed", strings.Join(parts, ", "), risk, "")
}
