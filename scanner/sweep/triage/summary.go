package triage

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep/database"
	"github.com/stanch-dev/stanch/verifier"
)

// A Summary counts the findings that no rule ignores.
type Summary struct {
	At       time.Time              `json:"at"`
	AsOf     []Target               `json:"as_of"`
	Findings int                    `json:"findings"`
	ByState  map[verifier.State]int `json:"by_state"`
	ByStatus map[Status]int         `json:"by_status"`
	// LiveOpen counts the live findings with the status open, LiveUnowned those of them
	// without an owner.
	LiveOpen    int        `json:"live_open"`
	LiveUnowned int        `json:"live_unowned"`
	New         News       `json:"new"`
	OldestLive  *time.Time `json:"oldest_live"` // first_seen of the oldest live finding, or null
	TimeToOff   Durations  `json:"time_to_off"`
	Owners      []Group    `json:"owners"`       // those with most live findings first; "" is nobody
	Repos       []Group    `json:"repositories"` // the same, MaxGroups at most
	Trend       []Day      `json:"trend"`        // the last days, the oldest first
}

// MaxGroups is how many repositories and owners a Summary has at most.
const MaxGroups = 50

// A Target says how old the data of a target is. Times are null if that has not happened.
type Target struct {
	Name    string     `json:"name"`
	Begun   *time.Time `json:"begun"` // the last sweep
	Ended   *time.Time `json:"ended"` // null while it runs
	Next    *time.Time `json:"next"`  // null without a schedule
	Due     int        `json:"due"`   // repositories that the sweep has yet to look at
	Failed  int        `json:"failed"`
	All     int        `json:"all"` // repositories
	Trouble string     `json:"trouble"`
}

// News counts findings that were first seen at Since or later.
type News struct {
	Since    time.Time `json:"since"`
	Findings int       `json:"findings"`
	Live     int       `json:"live"`
}

// Durations tells how long it took until live keys were off: from the time when a finding was
// first seen to the answer of AWS that it is not live any more. Numbers are seconds.
type Durations struct {
	Count int   `json:"count"`
	P50   int64 `json:"p50_seconds"`
	P90   int64 `json:"p90_seconds"`
}

// A Group counts the findings of an owner or of a repository. A finding in two repositories
// counts in both.
type Group struct {
	Name     string `json:"name"`
	Live     int    `json:"live"`
	Open     int    `json:"open"` // with the status open
	Findings int    `json:"findings"`
}

// A Day counts events of a day in UTC.
type Day struct {
	Day  string `json:"day"` // 2027-01-31
	New  int    `json:"new"` // first seen
	Off  int    `json:"off"` // live before, and not any more
	Live int    `json:"live"`
}

// days is how many days a trend has.
const days = 30

// isOpenNow is true for a finding f that is open at the time $1.
const isOpenNow = `(f.status = 'open' OR f.status_until > 0 AND f.status_until <= $1)`

// Summary counts findings: as new those first seen at since or later.
func (s *Store) Summary(ctx context.Context, since time.Time) (Summary, error) {
	now := s.Now().UTC()
	sum := Summary{At: now, ByState: map[verifier.State]int{}, ByStatus: map[Status]int{}, New: News{Since: since.UTC()}}
	for _, st := range Statuses() {
		sum.ByStatus[st] = 0
	}
	for _, step := range []struct {
		what string
		do   func(context.Context, *Summary) error
	}{{"targets", s.targets}, {"findings", s.count}, {"owners", s.owners}, {"repositories", s.repositories}, {"times", s.times}, {"trend", s.trend}} {
		if err := step.do(ctx, &sum); err != nil {
			return sum, fmt.Errorf("counting the %s: %w", step.what, err)
		}
	}
	return sum, nil
}

// targets says how old the data is.
func (s *Store) targets(ctx context.Context, sum *Summary) (err error) {
	sum.AsOf, err = s.Ages(ctx)
	return err
}

// Ages returns how old the data of each target is.
func (s *Store) Ages(ctx context.Context) ([]Target, error) {
	st, err := s.Status(ctx)
	if err != nil {
		return nil, err
	}
	targets := make([]Target, 0, len(st.Targets))
	for _, t := range st.Targets {
		one := Target{Name: t.Name, Begun: orNull(t.Begun), Ended: orNull(t.Ended), Next: orNull(t.Next), Due: t.Due, Trouble: t.Why}
		for state, n := range t.States {
			one.All += n
			if state == "failed" || state == "incomplete" {
				one.Failed += n
			}
		}
		targets = append(targets, one)
	}
	return targets, nil
}

func orNull(t time.Time) *time.Time { return optional(database.Millis(t)) }

// count counts findings by state and status.
func (s *Store) count(ctx context.Context, sum *Summary) error {
	return database.EachRow(ctx, s.SQL, func(scan func(...any) error) error {
		var state, status string
		var owned, isNew, n int
		err := scan(&state, &status, &owned, &isNew, &n)
		sum.Findings += n
		sum.ByState[verifier.State(state)] += n
		sum.ByStatus[Status(status)] += n
		live := verifier.State(state) == verifier.Live
		if isNew != 0 {
			sum.New.Findings += n
			if live {
				sum.New.Live += n
			}
		}
		if live && Status(status) == Open {
			sum.LiveOpen += n
			if owned == 0 {
				sum.LiveUnowned += n
			}
		}
		return err
	}, `SELECT state, now, owned, new, COUNT(*) FROM (SELECT f.state, CASE WHEN `+isOpenNow+` THEN 'open' ELSE f.status END AS now,
			CASE WHEN f.owner = '' THEN 0 ELSE 1 END AS owned, CASE WHEN f.first_seen >= $2 THEN 1 ELSE 0 END AS new
			FROM finding f WHERE f.ignored = '') AS counted GROUP BY state, now, owned, new`, database.Millis(sum.At), database.Millis(sum.New.Since))
}

// group scans a Group.
func group(into *[]Group) func(scan func(...any) error) error {
	*into = []Group{}
	return func(scan func(...any) error) error {
		var g Group
		err := scan(&g.Name, &g.Live, &g.Open, &g.Findings)
		*into = append(*into, g)
		return err
	}
}

// counts are the columns of a Group after its name.
const counts = `COUNT(CASE WHEN f.state = 'live' THEN 1 END), COUNT(CASE WHEN ` + isOpenNow + ` THEN 1 END), COUNT(*)`

func (s *Store) owners(ctx context.Context, sum *Summary) error {
	return database.EachRow(ctx, s.SQL, group(&sum.Owners), `SELECT f.owner, `+counts+` FROM finding f WHERE f.ignored = ''
		GROUP BY f.owner ORDER BY 2 DESC, 3 DESC, 4 DESC, 1 LIMIT $2`, database.Millis(sum.At), MaxGroups)
}

func (s *Store) repositories(ctx context.Context, sum *Summary) (err error) {
	sum.Repos, err = s.GroupsOfRepositories(ctx, MaxGroups)
	return err
}

// GroupsOfRepositories returns the repositories that have findings, those with most live ones first.
func (s *Store) GroupsOfRepositories(ctx context.Context, limit int) (groups []Group, err error) {
	err = database.EachRow(ctx, s.SQL, group(&groups), `SELECT f.name, `+counts+` FROM (
			SELECT DISTINCT r.name, l.fingerprint, f.state, f.status, f.status_until
			FROM location l JOIN repository r ON r.number = l.repository JOIN finding f ON f.fingerprint = l.fingerprint WHERE f.ignored = '') AS f
		GROUP BY f.name ORDER BY 2 DESC, 3 DESC, 4 DESC, 1 LIMIT $2`, database.Millis(s.Now()), limit)
	return groups, err
}

// times finds out how old live findings are, and how long it took to shut keys off.
func (s *Store) times(ctx context.Context, sum *Summary) error {
	var oldest int64
	if err := database.QueryRow(ctx, s.SQL, `SELECT COALESCE(MIN(first_seen), 0) FROM finding WHERE ignored = '' AND state = 'live'`)(&oldest); err != nil {
		return err
	}
	sum.OldestLive = optional(oldest)
	var took []int64
	err := database.EachRow(ctx, s.SQL, func(scan func(...any) error) error {
		var ms int64
		err := scan(&ms)
		took = append(took, max(0, ms/1000))
		return err
	}, `SELECT dead_since - first_seen FROM finding WHERE ignored = '' AND dead_since > 0`)
	if err != nil || len(took) == 0 {
		return err
	}
	slices.Sort(took)
	sum.TimeToOff = Durations{Count: len(took), P50: took[(len(took)-1)*50/100], P90: took[(len(took)-1)*90/100]}
	return nil
}

// trend counts what has happened on each of the last days. A finding is live on a day if the
// last answer of AWS until the end of that day says so.
func (s *Store) trend(ctx context.Context, sum *Summary) error {
	first := sum.At.Truncate(24*time.Hour).AddDate(0, 0, 1-days)
	sum.Trend = make([]Day, days)
	for i := range sum.Trend {
		sum.Trend[i].Day = first.AddDate(0, 0, i).Format(time.DateOnly)
	}
	const ms = 24 * 3600 * 1000
	for _, column := range []string{"first_seen", "dead_since"} {
		err := database.EachRow(ctx, s.SQL, func(scan func(...any) error) error {
			var day int64
			var n int
			err := scan(&day, &n)
			if i := day - database.Millis(first)/ms; i >= 0 && i < days {
				if column == "first_seen" {
					sum.Trend[i].New = n
				} else {
					sum.Trend[i].Off = n
				}
			}
			return err
		}, `SELECT day, COUNT(*) FROM (SELECT `+column+` / 86400000 AS day FROM finding WHERE ignored = '' AND `+column+` >= $1) AS d GROUP BY day`, database.Millis(first))
		if err != nil {
			return err
		}
	}
	return s.liveDays(ctx, sum, database.Millis(first)/ms)
}

// liveDays counts the findings that were live at the end of each day, from the day first
// after 1970.
func (s *Store) liveDays(ctx context.Context, sum *Summary, first int64) error {
	const ms = 24 * 3600 * 1000
	last, since := "", int64(-1)
	until := func(day int64) { // live from since to the day before
		for i := max(0, since-first); since >= 0 && i < min(day-first, days); i++ {
			sum.Trend[i].Live++
		}
		since = -1
	}
	err := database.EachRow(ctx, s.SQL, func(scan func(...any) error) error {
		var fingerprint string
		var at int64
		var live int
		if err := scan(&fingerprint, &at, &live); err != nil {
			return err
		}
		if fingerprint != last {
			until(first + days)
			last = fingerprint
		}
		switch {
		case live == 0:
			until(at / ms)
		case since < 0:
			since = at / ms
		}
		return nil
	}, `SELECT v.fingerprint, v.at, CASE WHEN v.state = 'live' THEN 1 ELSE 0 END FROM verification v JOIN finding f ON f.fingerprint = v.fingerprint
		WHERE f.ignored = '' AND EXISTS (SELECT 1 FROM verification w WHERE w.fingerprint = v.fingerprint AND w.state = 'live') ORDER BY v.fingerprint, v.at`)
	until(first + days)
	return err
}
