package assessment

import (
	"fmt"
	"strings"
	"time"
)

// exposure tells how long the key could be read, and by whom.
func (r *inquiry) exposure() {
	l := r.subject.Leak
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
