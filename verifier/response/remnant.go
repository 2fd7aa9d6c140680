package response

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/verifier/activity"
	"github.com/stanch-dev/stanch/verifier/operator"
)

// A Remnant is a thing at AWS that no step of a plan deals with: a role whose sessions go on,
// a user that the key made, a fact that could not be read.
type Remnant struct {
	// Why is a sentence about it, for people.
	Why string `json:"why"`
	// Look and Remove are commands for people; "" if there is none.
	Look   string `json:"look,omitempty"`
	Remove string `json:"remove,omitempty"`
	// User, KeyID and Role say what the thing is, if IAM can tell whether it is still there:
	// a user, or with a KeyID that key of the user; a role, or something of the role.
	User  string `json:"user,omitempty"`
	KeyID string `json:"key_id,omitempty"`
	Role  string `json:"role,omitempty"`
	// Until is when it ends by itself, as sessions do; zero if it does not.
	Until time.Time `json:"until,omitzero"`
}

// Over reports whether r has ended or was removed, as far as IAM tells: a user, a role or a
// key that is gone, a key that is off, a session whose time is over. Anything else goes on.
func (r Remnant) Over(ctx context.Context, s *operator.Session, now time.Time) bool {
	if !r.Until.IsZero() && now.After(r.Until) {
		return true
	}
	switch {
	case r.KeyID != "":
		status, err := s.KeyStatus(ctx, r.User, r.KeyID)
		return err == nil && status != Active
	case r.User != "":
		_, err := s.AccessKeys(ctx, r.User)
		return errors.Is(err, operator.ErrNotFound)
	case r.Role != "":
		_, err := s.Tags(ctx, "role", r.Role)
		return errors.Is(err, operator.ErrNotFound)
	}
	return false
}

// Things returns the things of a log as remnants: those that give access, and those that run
// or cost money. Sessions that the key itself has made of its user are not among them, nor
// those of roles: steps deny these.
func Things(log activity.Log) (access, others []Remnant) {
	for _, t := range log.Made {
		r := Remnant{Why: "the key made or changed " + t.String() + " (" + t.Call + ", " + t.Time.UTC().Format(time.RFC3339) + ")", Look: t.Look, Remove: t.Remove}
		switch {
		case t.Account != "" && t.Kind != activity.Session: // IAM of another account would have to tell
			r.Why += ": the commands are for that account"
		case t.Kind == activity.Session:
			if t.By == log.KeyID && t.Call != "sts:AssumeRoot" || t.Call == "sts:AssumeRole" {
				continue
			}
			r.Until = t.Time.Add(SessionLife)
			if t.Call == "sts:AssumeRoot" {
				r.Until = t.Time.Add(rootSessionLife)
			}
		case t.Kind == activity.User:
			r.User = t.Name
		case t.Kind == activity.AccessKey:
			r.User, r.KeyID = t.Of, t.Name
		case t.Kind == activity.Role:
			r.Role = t.Name
		case t.Kind == activity.TrustPolicy, t.Kind == activity.RolePolicy, t.Kind == activity.AttachedToRole:
			r.Role = t.Of
		}
		if t.Access {
			access = append(access, r)
		} else {
			others = append(others, r)
		}
	}
	return access, others
}

// Gaps returns the gaps of a log, one for each reason.
func Gaps(log activity.Log) (gaps []Remnant) {
	regions := map[string][]string{}
	var reasons []string
	for _, g := range log.Unread {
		why := g.Why
		if g.Err != nil {
			why = Explain(g.Err)
		}
		if regions[why] == nil {
			reasons = append(reasons, why)
		}
		regions[why] = append(regions[why], g.Region)
	}
	for _, why := range reasons {
		gaps = append(gaps, Remnant{Why: "what the key did is not known in full" + in(regions[why]) + ": " + why})
	}
	return gaps
}

// in names regions, the first few of many.
func in(regions []string) string {
	switch n := len(regions); {
	case regions[0] == "":
		return ""
	case n > 3:
		return " in " + regions[0] + " and " + strconv.Itoa(n-1) + " other regions"
	}
	return " in " + strings.Join(regions, ", ")
}

const (
	// RoleSessionLife is the longest life of a session of a role (sts:AssumeRole,
	// DurationSeconds).
	RoleSessionLife = 12 * time.Hour
	// rootSessionLife is the longest life of a session of sts:AssumeRoot (DurationSeconds).
	rootSessionLife = 15 * time.Minute
)
