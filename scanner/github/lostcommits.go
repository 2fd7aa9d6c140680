package github

import (
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

// Activity returns the force pushes and deleted branches of a repository since then, or
// all that GitHub knows if since is zero, newest first. It costs two requests, and one
// more for each hundred events.
func (l *Lister) Activity(ctx context.Context, name string, since time.Time) ([]Event, error) {
	if !fullName().MatchString(name) {
		return nil, fmt.Errorf("%q is not a repository of the form owner/name", name)
	}
	var all []Event
	for _, kind := range []string{"force_push", "branch_deletion"} {
		path := fmt.Sprintf("repos/%s/activity?activity_type=%s&per_page=%d%s", name, kind, perPage, l.period(since))
		err := eachAPIPage(ctx, l.sender, path, func(page []activity) (bool, error) {
			for _, a := range page {
				e, err := a.event(kind)
				if err != nil {
					return false, err
				}
				if !since.IsZero() && !e.At.IsZero() && e.At.Before(since) {
					return false, nil // GitHub begins with the newest
				}
				if strings.Trim(e.Before, "0") != "" {
					all = append(all, e)
				}
			}
			return true, nil
		})
		switch {
		case conflict(err): // the repository is empty
		case errors.Is(err, ErrGone) && len(all) == 0:
			return nil, fmt.Errorf("asking what was force-pushed in %s: %w: %w", name, ErrNoActivity, err)
		case err != nil:
			return nil, fmt.Errorf("asking what was force-pushed in %s: %w", name, err)
		}
	}
	slices.SortStableFunc(all, func(a, b Event) int { return b.At.Compare(a.At) })
	return all, nil
}

// LostCommits returns the commits that Activity names. The key says how each was lost:
// forced/main/0123456789ab, deleted/topic/0123456789ab.
func (l *Lister) LostCommits(ctx context.Context, name string, since time.Time) (map[string]string, error) {
	events, err := l.Activity(ctx, name, since)
	if err != nil {
		return nil, err
	}
	lost := make(map[string]string, len(events))
	for _, e := range events {
		how := "deleted/"
		if e.Forced {
			how = "forced/"
		}
		lost[how+strings.TrimPrefix(e.Ref, "refs/heads/")+"/"+e.Before[:12]] = e.Before
	}
	return lost, nil
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
		if l.transport.now().Sub(since) < time.Duration(p.days)*24*time.Hour {
			return "&time_period=" + p.name
		}
	}
	return ""
}

// activity is an entry of the list. The names of its fields differ between GitHub's
// schema and its example.
type activity struct {
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

func (a activity) event(kind string) (Event, error) {
	e := Event{Ref: a.Ref, Before: strings.ToLower(a.Before), At: a.Timestamp, Forced: kind == "force_push"}
	if e.At.IsZero() {
		e.At = a.PushedAt
	}
	for _, who := range []*person{a.Pusher, a.Actor} {
		if who != nil {
			e.Actor = who.Login
		}
	}
	if (len(e.Before) != 40 && len(e.Before) != 64) || strings.Trim(e.Before, "0123456789abcdef") != "" {
		return Event{}, fmt.Errorf("GitHub names %q as a commit, which is not an id", a.Before)
	}
	return e, nil
}
