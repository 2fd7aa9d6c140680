package triage

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep"
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
	Begun   *time.Time `json:"begun"`  // the last sweep
	Ended   *time.Time `json:"ended"`  // null while it runs
	Next    *time.Time `json:"next"`   // null without a schedule
	Due     int        `json:"due"`    // repositories that the sweep has yet to look at
	Failed  int        `json:"failed"` // repositories that could not be read, without accepted ones
	All     int        `json:"all"`    // repositories
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
	}{{"targets", s.targets}, {"findings", s.count}, {"repositories", s.repositories}, {"times", s.times}, {"trend", s.trend}} {
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
	all, err := s.Targets(ctx)
	if err != nil {
		return nil, err
	}
	targets, index := make([]Target, len(all)), make(map[string]*Target, len(all))
	for i, t := range all {
		targets[i] = Target{Name: t.Name, Begun: orNull(t.Begun), Next: orNull(t.Next()), Trouble: t.Why}
		if !t.Ended.Before(t.Begun) {
			targets[i].Ended = orNull(t.Ended)
		}
		index[t.Name] = &targets[i]
	}
	return targets, database.EachRow(ctx, s.Read, func(scan func(...any) error) error {
		var target string
		var n, due, failed int
		err := scan(&target, &n, &due, &failed)
		if t := index[target]; t != nil {
			t.All, t.Due, t.Failed = n, due, failed
		}
		return err
	}, `SELECT target, COUNT(*), SUM(due), COUNT(CASE WHEN state IN ($1, $2) AND (accepted_by = '' OR accepted_until > 0 AND accepted_until <= $3) THEN 1 END)
		FROM repository GROUP BY target`, sweep.Failed, sweep.Incomplete, database.Millis(s.Now()))
}

func orNull(t time.Time) *time.Time { return optional(database.Millis(t)) }

// count counts findings by state, status and owner.
func (s *Store) count(ctx context.Context, sum *Summary) error {
	owners := map[string]*Group{}
	err := database.EachRow(ctx, s.Read, func(scan func(...any) error) error {
		var owner, state, status string
		var n, fresh int
		if err := scan(&owner, &state, &status, &n, &fresh); err != nil {
			return err
		}
		g := owners[owner]
		if g == nil {
			g = &Group{Name: owner}
			owners[owner] = g
		}
		sum.add(g, verifier.State(state), Status(status), n, fresh)
		return nil
	}, `SELECT f.owner, f.state, CASE WHEN `+isOpenNow+` THEN 'open' ELSE f.status END AS now, COUNT(*), COUNT(CASE WHEN f.first_seen >= $2 THEN 1 END)
		FROM finding f WHERE f.ignored = '' GROUP BY f.owner, f.state, now`, database.Millis(sum.At), database.Millis(sum.New.Since))
	sum.Owners = make([]Group, 0, len(owners))
	for _, g := range owners {
		sum.Owners = append(sum.Owners, *g)
	}
	slices.SortFunc(sum.Owners, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Live, a.Live), cmp.Compare(b.Open, a.Open), cmp.Compare(b.Findings, a.Findings), cmp.Compare(a.Name, b.Name))
	})
	sum.Owners = sum.Owners[:min(len(sum.Owners), MaxGroups)]
	return err
}

// add counts n findings of an owner with a state and a status. fresh of them are new.
func (sum *Summary) add(owner *Group, state verifier.State, status Status, n, fresh int) {
	sum.Findings += n
	sum.ByState[state] += n
	sum.ByStatus[status] += n
	sum.New.Findings += fresh
	owner.Findings += n
	if status == Open {
		owner.Open += n
	}
	if state != verifier.Live {
		return
	}
	owner.Live += n
	sum.New.Live += fresh
	if status == Open {
		sum.LiveOpen += n
		if owner.Name == "" {
			sum.LiveUnowned += n
		}
	}
}

func (s *Store) repositories(ctx context.Context, sum *Summary) (err error) {
	sum.Repos, err = s.GroupsOfRepositories(ctx, MaxGroups)
	return err
}

// GroupsOfRepositories returns the repositories that have findings, those with most live ones
// first. Repositories of one name, in two targets, are one: a finding counts where the number
// is the lowest.
//
// All places count, and then those are taken away that a lower number has, too. A condition on
// each place would do so as well, and take two thirds more time.
func (s *Store) GroupsOfRepositories(ctx context.Context, limit int) (groups []Group, err error) {
	groups = []Group{}
	count := func(sign, places string) string {
		return `SELECT l.repository, ` + sign + `COUNT(CASE WHEN f.state = 'live' THEN 1 END) AS live, ` + sign + `COUNT(CASE WHEN ` + isOpenNow + ` THEN 1 END) AS open, ` + sign + `COUNT(*) AS findings
			FROM ` + places + ` l JOIN ` + s.covered() + ` ON f.fingerprint = l.fingerprint WHERE f.ignored = '' GROUP BY l.repository`
	}
	err = s.plainly(ctx, func(db database.Querier) error {
		return database.EachRow(ctx, db, func(scan func(...any) error) error {
			var g Group
			err := scan(&g.Name, &g.Live, &g.Open, &g.Findings)
			groups = append(groups, g)
			return err
		}, `WITH namesake AS (SELECT r.number AS number, o.number AS lower FROM repository r JOIN repository o ON o.name = r.name AND o.number < r.number),
			again AS (SELECT DISTINCT l.fingerprint, l.repository FROM namesake n CROSS JOIN location l CROSS JOIN location o
				WHERE l.repository = n.number AND o.fingerprint = l.fingerprint AND o.repository = n.lower)
		SELECT r.name, SUM(g.live), SUM(g.open), SUM(g.findings) FROM (`+
			count(``, `(SELECT DISTINCT fingerprint, repository FROM location)`)+` UNION ALL `+count(`-`, `again`)+`) g
		JOIN repository r ON r.number = g.repository GROUP BY r.name ORDER BY 2 DESC, 3 DESC, 4 DESC, 1 LIMIT $2`, database.Millis(s.Now()), limit)
	})
	return groups, err
}

// plainly calls f with a database that runs a query for all findings as it is. PostgreSQL would
// compile it, which took 300 ms for a query of 50, or have two more processes read the same
// index.
func (s *Store) plainly(ctx context.Context, f func(database.Querier) error) error {
	if !s.Postgres {
		return f(s.Read)
	}
	tx, err := s.Read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	for _, setting := range []string{`jit = off`, `max_parallel_workers_per_gather = 0`} {
		if _, err := database.Exec(ctx, tx, `SET LOCAL `+setting); err != nil {
			return err
		}
	}
	return f(tx)
}

// times finds out how old live findings are, and how long it took to shut keys off.
func (s *Store) times(ctx context.Context, sum *Summary) error {
	var oldest int64
	if err := database.QueryRow(ctx, s.Read, `SELECT COALESCE(MIN(f.first_seen), 0) FROM finding f WHERE f.ignored = '' AND `+database.Urgency+` = 0`)(&oldest); err != nil {
		return err
	}
	sum.OldestLive = optional(oldest)
	var took []int64
	err := database.EachRow(ctx, s.Read, func(scan func(...any) error) error {
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
	for column, condition := range map[string]string{"first_seen": "", "dead_since": " AND dead_since > 0"} { // as their indexes have it
		err := database.EachRow(ctx, s.Read, func(scan func(...any) error) error {
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
		}, `SELECT day, COUNT(*) FROM (SELECT `+column+` / 86400000 AS day FROM finding WHERE ignored = '' AND `+column+` >= $1`+condition+`) AS d GROUP BY day`, database.Millis(first))
		if err != nil {
			return err
		}
	}
	return s.liveDays(ctx, sum, database.Millis(first)/ms)
}

// liveDays counts the findings that were live at the end of each day, from the day first
// after 1970: a finding is live from an answer that says so until the next one.
func (s *Store) liveDays(ctx context.Context, sum *Summary, first int64) error {
	return database.EachRow(ctx, s.Read, func(scan func(...any) error) error {
		var from, until int64
		err := scan(&from, &until)
		for i := max(0, from-first); i < min(until-first, days); i++ {
			sum.Trend[i].Live++
		}
		return err
	}, `SELECT v.at / 86400000, COALESCE((SELECT MIN(w.at) FROM verification w WHERE w.fingerprint = v.fingerprint AND w.at > v.at) / 86400000, $1)
		FROM verification v JOIN finding f ON f.fingerprint = v.fingerprint WHERE f.ignored = '' AND v.state = 'live'`, first+days)
}
