package sweep

import (
	"context"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep/database"
	"github.com/stanch-dev/stanch/verifier"
)

// A Status says how far sweeps are.
type Status struct {
	Targets []TargetStatus `json:"targets"`
	// Troubled are the repositories that failed, wait or are incomplete.
	Troubled []RepositoryStatus `json:"troubled"`
	Workers  []WorkerStatus     `json:"workers,omitempty"`
	Findings FindingStatus      `json:"findings"`
	// Receivers are whom findings are told to. Store.Status leaves them out; alert.Receivers
	// has them.
	Receivers []ReceiverStatus `json:"receivers,omitempty"`
}

// A ReceiverStatus says how a receiver of alerts fares.
type ReceiverStatus struct {
	Name string    `json:"name"`
	Seen time.Time `json:"seen"` // a process that can reach it
	// Without is on how many days stanch has worked since then and no process could reach it. If
	// these are too many it is Gone: news of it is Lost at once.
	Without    int       `json:"days_without,omitempty"`
	Gone       bool      `json:"gone,omitempty"`
	Waiting    int       `json:"waiting"`            // news that is to be told at once, and is not yet
	Oldest     time.Time `json:"oldest,omitzero"`    // of that
	Digest     int       `json:"digest"`             // news that waits for the next digest
	Lost       int       `json:"lost"`               // news of the last 30 days that was given up
	Deliveries int       `json:"deliveries"`         // that it has taken
	Delivered  time.Time `json:"delivered,omitzero"` // the last one
	Failures   int       `json:"failures"`           // tries that it has not taken
	Failed     time.Time `json:"failed,omitzero"`    // the last one
	Why        string    `json:"why,omitempty"`      // why it fails now; "" if it does not
	Wait       time.Time `json:"wait,omitzero"`      // until the next try
}

// A TargetStatus says how far the sweep of one target is.
type TargetStatus struct {
	Name   string         `json:"name"`
	Begun  time.Time      `json:"begun,omitzero"`
	Ended  time.Time      `json:"ended,omitzero"` // zero while it runs
	Asked  time.Time      `json:"asked,omitzero"` // when it was to be listed last
	Next   time.Time      `json:"next,omitzero"`  // zero if it is not scheduled
	Due    int            `json:"due"`            // repositories that it has yet to look at
	States map[string]int `json:"states"`         // repositories by state
	// Outdated counts the repositories that were read with another detector than the
	// latest.
	Outdated int       `json:"outdated,omitempty"`
	Why      string    `json:"why,omitempty"` // why the listing waits, or failed
	Wait     time.Time `json:"wait,omitzero"`
}

// A RepositoryStatus says why a repository is not done.
type RepositoryStatus struct {
	Name  string    `json:"name"`
	State string    `json:"state"`
	Why   string    `json:"why"`
	At    time.Time `json:"at"`
	// Accepted says who has accepted that it cannot be read, and why; "" for nobody.
	Accepted string `json:"accepted,omitempty"`
}

// A WorkerStatus says when a worker last gave a sign of life, which it does each few seconds.
// Workers that were silent for ten minutes, or have ended, are left out.
type WorkerStatus struct {
	Name string    `json:"name"`
	Seen time.Time `json:"seen"`
	// Doing is the kind of its longest job, "" if it has none, Repository that of the job, and
	// Since when it began.
	Doing      string    `json:"doing,omitempty"`
	Repository string    `json:"repository,omitempty"`
	Since      time.Time `json:"since,omitzero"`

	now time.Time // when it was asked
}

// A JobStatus counts the jobs of a kind that are in a state of the queue.
type JobStatus struct {
	Kind, State string
	Count       int
	// Wait is how long the oldest one that could be done has waited to be begun.
	Wait time.Duration
}

// FindingStatus counts the findings that are neither ignored nor acknowledged.
type FindingStatus struct {
	// Acknowledged counts the findings with another status than open. A live one counts as
	// open, unless it is acknowledged.
	Acknowledged     int            `json:"acknowledged"`
	AcknowledgedLive int            `json:"acknowledged_live"` // those of them that are live
	Open             int            `json:"open"`              // not known to be dead
	ByState          map[string]int `json:"by_state"`
	Skipped          map[string]int `json:"skipped"` // those among ByState, by finding.Finding.Skipped
}

// add counts n findings of a state. known are those that somebody knows of, by their status,
// and skipped says why the others are skipped.
func (f *FindingStatus) add(state verifier.State, known bool, skipped string, n int) {
	if known {
		f.Acknowledged += n
		if state == verifier.Live {
			f.AcknowledgedLive += n
		}
		return
	}
	if !isDead(state) {
		f.Open += n
	}
	f.ByState[string(state)] += n
	if skipped != "" {
		f.Skipped[skipped] += n
	}
}

// Outdated returns for each target how many of its repositories were read by another
// detector than the latest. The sweep, or the next one, reads them again.
func (s *Store) Outdated(ctx context.Context) (map[string]int, error) {
	outdated, seen := map[string]int{}, map[string]bool{}
	err := database.EachRow(ctx, s.Read, func(scan func(...any) error) error {
		var target string
		var n int
		err := scan(&target, &n)
		if seen[target] {
			outdated[target] += n
		}
		seen[target] = true
		return err
	}, `SELECT target, COUNT(*) FROM repository WHERE state IN ($1, $2, $3) GROUP BY target, detector ORDER BY MAX(sweep) DESC, MAX(at) DESC`,
		Swept, Unchanged, Incomplete)
	return outdated, err
}

// Status returns how far all sweeps are.
func (s *Store) Status(ctx context.Context) (Status, error) {
	st := Status{Targets: []TargetStatus{}, Troubled: []RepositoryStatus{}, Findings: FindingStatus{ByState: map[string]int{}, Skipped: map[string]int{}}}
	targets, err := s.Targets(ctx)
	if err != nil {
		return st, err
	}
	index := map[string]int{}
	for i, t := range targets {
		one := TargetStatus{Name: t.Name, Begun: t.Begun, Why: t.Why, Wait: t.Wait, Asked: t.Asked, Next: t.Next(), States: map[string]int{}}
		if !t.Ended.Before(t.Begun) {
			one.Ended = t.Ended
		}
		index[t.Name] = i
		st.Targets = append(st.Targets, one)
	}
	err = database.EachRow(ctx, s.Read, func(scan func(...any) error) error {
		var target, state string
		var n, due int
		err := scan(&target, &state, &n, &due)
		if i, ok := index[target]; ok {
			st.Targets[i].States[state], st.Targets[i].Due = n, st.Targets[i].Due+due
		}
		return err
	}, `SELECT target, state, COUNT(*), SUM(due) FROM repository GROUP BY target, state`)
	if err != nil {
		return st, err
	}
	outdated, err := s.Outdated(ctx)
	if err != nil {
		return st, err
	}
	for target, n := range outdated {
		if i, ok := index[target]; ok {
			st.Targets[i].Outdated = n
		}
	}
	err = database.EachRow(ctx, s.Read, func(scan func(...any) error) error {
		var r RepositoryStatus
		var accepted Acceptance
		var at, until int64
		err := scan(&r.Name, &r.State, &r.Why, &at, &accepted.By, &accepted.Reason, &until)
		r.At, accepted.Until = database.Time(at), database.Time(until)
		if known := (&Repository{State: r.State, Accepted: accepted}); known.IsAccepted(s.Now()) {
			r.Accepted = accepted.String()
		}
		st.Troubled = append(st.Troubled, r)
		return err
	}, `SELECT name, state, why, at, accepted_by, accepted_why, accepted_until FROM repository WHERE state IN ('failed', 'incomplete', 'waiting') ORDER BY state, name LIMIT 1000`)
	if err != nil {
		return st, err
	}
	err = database.EachRow(ctx, s.Read, func(scan func(...any) error) error {
		w := WorkerStatus{now: s.Now()}
		var seen, since int64
		err := scan(&w.Name, &seen, &w.Doing, &since, &w.Repository)
		w.Seen, w.Since = database.Time(seen), database.Time(since)
		st.Workers = append(st.Workers, w)
		return err
	}, `SELECT worker.name, seen, doing, since, COALESCE(repository.name, '') FROM worker LEFT JOIN repository ON repository.number = worker.number AND worker.number > 0 ORDER BY worker.name`)
	if err != nil {
		return st, err
	}
	return st, s.countFindings(ctx, &st.Findings)
}

// countFindings counts the findings that no rule ignores. It groups them by columns as the
// index finding_status has them, so that the database need not sort.
func (s *Store) countFindings(ctx context.Context, counts *FindingStatus) error {
	now := database.Millis(s.Now())
	return database.EachRow(ctx, s.Read, func(scan func(...any) error) error {
		var state, skipped, status string
		var until int64
		var n int
		err := scan(&state, &skipped, &status, &until, &n)
		known := status != "open" && (status == "acknowledged" || verifier.State(state) != verifier.Live) && (until == 0 || until > now)
		counts.add(verifier.State(state), known, skipped, n)
		return err
	}, `SELECT state, skipped, status, status_until, COUNT(*) FROM finding WHERE ignored = '' GROUP BY state, skipped, status, status_until`)
}
