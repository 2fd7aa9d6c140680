package github

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"
)

// An Event says that a branch has left commits behind. GitHub keeps them, and serves them
// to anybody with their ids.
type Event struct {
	Ref    string    // full name
	Before string    // id of the commit that it led to
	At     time.Time // zero if GitHub does not say
	Actor  string    // login
	Forced bool      // a force push; else the branch was deleted
}

// ErrNoActivity says that the server has no such API: an old GitHub
// Enterprise Server.
var ErrNoActivity = errors.New("GitHub does not say what was force-pushed")

var periods = []struct {
	name string
	days int
}{{"day", 1}, {"week", 7}, {"month", 28}, {"quarter", 90}, {"year", 365}}

// The kinds of activity that leave commits behind.
const (
	forcePush      = "force_push"
	branchDeletion = "branch_deletion"
)

// Activity returns the force pushes and deleted branches of a repository since then, or
// all that GitHub knows if since is zero, newest first. since is a time by the clock of
// GitHub, as until is, from which the next call has to ask. It costs one request if there
// was no more than a page of activity of all kinds since then; else, and if since is zero,
// a request for each hundred events of either kind, and at least one each.
func (l *Lister) Activity(ctx context.Context, name string, since time.Time) (all []Event, until time.Time, err error) {
	if !fullName().MatchString(name) {
		return nil, until, fmt.Errorf("%q is not a repository of the form owner/name", name)
	}
	begun := time.Now()
	complete := false
	if !since.IsZero() {
		all, complete, err = l.recentActivity(ctx, name, since)
	}
	for _, kind := range []string{forcePush, branchDeletion} {
		if complete || err != nil {
			break
		}
		var more []Event
		more, err = l.activityOf(ctx, name, kind, since)
		all = append(all, more...)
	}
	switch {
	case conflict(err): // the repository is empty
	case errors.Is(err, ErrGone) && len(all) == 0:
		return nil, l.asOf(begun), fmt.Errorf("asking what was force-pushed in %s: %w: %w", name, ErrNoActivity, err)
	case err != nil:
		return nil, until, fmt.Errorf("asking what was force-pushed in %s: %w", name, err)
	}
	slices.SortStableFunc(all, func(a, b Event) int { return b.At.Compare(a.At) })
	return all, l.asOf(begun), nil
}

// asOf returns a time of this machine by the clock of GitHub, less a minute for changes
// that GitHub shows late.
func (l *Lister) asOf(begun time.Time) time.Time {
	return l.transport.Now().Add(-time.Since(begun) - time.Minute).UTC()
}

// recentActivity reads one page of the activity of all kinds. complete reports whether it
// goes back to since.
func (l *Lister) recentActivity(ctx context.Context, name string, since time.Time) (all []Event, complete bool, err error) {
	complete = true
	path := fmt.Sprintf("repos/%s/activity?per_page=%d%s", name, perPage, l.period(since))
	err = eachAPIPage(ctx, l.sender, path, func(page []activity) (bool, error) {
		for _, a := range page {
			if at := a.at(); !at.IsZero() && at.Before(since) {
				return false, nil // GitHub begins with the newest
			}
			kind := cmp.Or(a.Type, a.PushType)
			if kind == "" { // the server has other names for it
				complete = false
				return false, nil
			}
			if kind != forcePush && kind != branchDeletion {
				continue
			}
			if all, err = a.appendTo(all, kind); err != nil {
				return false, err
			}
		}
		complete = len(page) < perPage
		return false, nil
	})
	if !complete {
		all = nil
	}
	return all, complete, err
}

// activityOf reads the activity of one kind since then.
func (l *Lister) activityOf(ctx context.Context, name, kind string, since time.Time) (all []Event, err error) {
	path := fmt.Sprintf("repos/%s/activity?activity_type=%s&per_page=%d%s", name, kind, perPage, l.period(since))
	err = eachAPIPage(ctx, l.sender, path, func(page []activity) (bool, error) {
		for _, a := range page {
			if at := a.at(); !since.IsZero() && !at.IsZero() && at.Before(since) {
				return false, nil
			}
			if all, err = a.appendTo(all, kind); err != nil {
				return false, err
			}
		}
		return true, nil
	})
	return all, err
}

// LostCommits returns the commits that Activity names, and until when. The key says how each
// was lost: forced/main/0123456789ab, deleted/topic/0123456789ab.
func (l *Lister) LostCommits(ctx context.Context, name string, since time.Time) (lost map[string]string, until time.Time, err error) {
	events, until, err := l.Activity(ctx, name, since)
	if err != nil {
		return nil, until, err
	}
	lost = make(map[string]string, len(events))
	for _, e := range events {
		how := "deleted/"
		if e.Forced {
			how = "forced/"
		}
		lost[how+strings.TrimPrefix(e.Ref, "refs/heads/")+"/"+e.Before[:12]] = e.Before
	}
	return lost, until, nil
}

func conflict(err error) bool {
	var answer *github.ErrorResponse
	return errors.As(err, &answer) && answer.Response.StatusCode == http.StatusConflict
}

// period returns the parameter for the shortest time that goes back to since.
func (l *Lister) period(since time.Time) string {
	if since.IsZero() {
		return ""
	}
	for _, p := range periods {
		if l.transport.Now().Sub(since) < time.Duration(p.days)*24*time.Hour {
			return "&time_period=" + p.name
		}
	}
	return ""
}

// activity is an entry of the list. The names of its fields differ between GitHub's
// schema and its example.
type activity struct {
	Type      string    `json:"activity_type"`
	PushType  string    `json:"push_type"`
	Before    string    `json:"before"`
	Ref       string    `json:"ref"`
	Timestamp time.Time `json:"timestamp"`
	PushedAt  time.Time `json:"pushed_at"`
	Actor     *person   `json:"actor"`
	Pusher    *person   `json:"pusher"`
}

type person struct {
	Login string `json:"login"`
}

func (a activity) at() time.Time {
	if a.Timestamp.IsZero() {
		return a.PushedAt
	}
	return a.Timestamp
}

// appendTo appends a, which is of a kind, to events, unless it has left nothing behind.
func (a activity) appendTo(events []Event, kind string) ([]Event, error) {
	if strings.Trim(a.Before, "0") == "" && a.Before != "" {
		return events, nil
	}
	e := Event{Ref: a.Ref, Before: strings.ToLower(a.Before), At: a.at(), Forced: kind == forcePush}
	for _, who := range []*person{a.Pusher, a.Actor} {
		if who != nil {
			e.Actor = who.Login
		}
	}
	if (len(e.Before) != 40 && len(e.Before) != 64) || strings.Trim(e.Before, "0123456789abcdef") != "" {
		return nil, fmt.Errorf("GitHub names %q as a commit, which is not an id", a.Before)
	}
	return append(events, e), nil
}
