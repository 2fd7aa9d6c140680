//go:build sweep

package triage_test

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/scanner/sweep/database"
	"github.com/stanch-dev/stanch/scanner/sweep/triage"
	"github.com/stanch-dev/stanch/verifier"
)

func TestLists(t *testing.T) {
	onEachDatabase(t, map[string]func(*fixture){"filters": testFilters, "orders": testOrders, "rows": testRows, "many_hold": testManyHold, "summary": testSummary, "migration": testMigration})
}

// list returns the fingerprints of a list, read page by page.
func (f *fixture) list(filter triage.Filter, sort triage.Sort, limit int) (all []string) {
	f.Helper()
	for after := ""; ; {
		page, err := f.List(f.Context(), filter, sort, after, limit)
		if err != nil {
			f.Fatal(err)
		}
		for _, r := range page.Findings {
			all = append(all, r.Fingerprint)
		}
		if after = page.Next; after == "" {
			if page.Total != len(all) {
				f.Errorf("%+v: %d in all, and %d were listed", filter, page.Total, len(all))
			}
			return all
		}
		if len(page.Findings) != limit {
			f.Fatalf("a page of %d, not of %d", len(page.Findings), limit)
		}
	}
}

// some puts findings: a and b live, c unknown, d dead, e ignored; the later the newer.
func (f *fixture) some() {
	f.Helper()
	for _, one := range []struct {
		fingerprint  string
		state        verifier.State
		repositories []string
	}{
		{"a", verifier.Live, []string{"acme/web", "acme/app"}}, {"b", verifier.Live, []string{"octo/lib"}},
		{"c", verifier.Unknown, []string{"acme/web"}}, {"d", verifier.Invalid, []string{"acme/app"}}, {"e", verifier.Live, []string{"acme/app"}},
	} {
		*f.clock = f.clock.Add(time.Hour)
		f.put(one.fingerprint, one.state, one.repositories...)
	}
	f.exec(`UPDATE finding SET ignored = 'a rule' WHERE fingerprint = 'e'`)
	for fingerprint, e := range map[string]triage.Edit{"b": edit("", "Bob 100%", "", ""), "c": edit(triage.Acknowledged, "ada", "wait_for it", "2026-11-20"), "d": edit(triage.ShutOff, "", "", "")} {
		if _, err := f.apply(e, fingerprint); err != nil {
			f.Fatal(err)
		}
	}
}

// testFilters: each filter selects what it says, alone and with others.
func testFilters(f *fixture) {
	f.some()
	statuses := func(s ...triage.Status) triage.Filter { return triage.Filter{Statuses: s} }
	text := func(s string) triage.Filter { return triage.Filter{Text: s} }
	check := func(want string, filter triage.Filter) {
		f.Helper()
		got := strings.Join(f.list(filter, triage.ByUrgency, 10), "")
		list, live, err := f.Fingerprints(f.Context(), filter)
		sorted := slices.Sorted(slices.Values(strings.Split(got, "")))
		if got == "" {
			sorted = nil
		}
		if got != want || err != nil || !slices.Equal(list, sorted) || live != strings.Count(got, "a")+strings.Count(got, "b")+strings.Count(got, "e") {
			f.Errorf("%+v: %q, want %q; %q, %d live, %v", filter, got, want, list, live, err)
		}
	}
	check("bacd", triage.Filter{})
	check("ebacd", triage.Filter{Ignored: true})
	check("ba", triage.Filter{States: []verifier.State{verifier.Live}})
	check("cd", triage.Filter{States: []verifier.State{verifier.Unknown, verifier.Invalid}})
	check("ba", statuses(triage.Open))
	check("bac", statuses(triage.Open, triage.Acknowledged))
	check("c", statuses(triage.Acknowledged))
	check("d", statuses(triage.Fixed, triage.ShutOff))
	check("c", triage.Filter{Owner: "ada"})
	check("ad", triage.Filter{Unowned: true})
	check("acd", triage.Filter{Target: "acme"})
	check("b", triage.Filter{Target: "octo"})
	check("", triage.Filter{Target: "none"})
	check("ac", triage.Filter{Repository: "acme/web"})
	check("cd", triage.Filter{NewSince: f.clock.Add(-2 * time.Hour)})
	check("a", triage.Filter{Repository: "acme/web", States: []verifier.State{verifier.Live}, Statuses: []triage.Status{triage.Open}, Unowned: true, Target: "acme", Text: "ida"})
	check("b", text("bob 100%"))
	check("", text("bo_"))
	check("c", text("WAIT_FOR"))
	check("a", text("config/a.env"))
	check("ac", text("acme/WEB"))
	check("", text("deploy-b"))       // the name of a user is in the record alone
	check("", text("aws-access-key")) // in every record
	check("", text(`'"\%`))
	check("bacd", text("123456789012"))
	*f.clock = time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC) // the acknowledgement of c is over
	check("bac", statuses(triage.Open))
	check("", statuses(triage.Acknowledged))
	f.exec(`DELETE FROM target WHERE name = 'octo'`)
	check("bacd", triage.Filter{Target: "acme"}) // the only one that is left: nothing is compared
}

// testManyHold: a list of findings that hold a text is the same, whether few or many hold it.
func testManyHold(f *fixture) {
	f.some()
	var fingerprints []string
	err := f.Tx(f.Context(), func(tx *sql.Tx) error {
		for i := range 1200 {
			fingerprint := fmt.Sprintf("many-%04d", i*7919%1200)
			fingerprints = append(fingerprints, fingerprint)
			if _, err := database.Exec(f.Context(), tx, `INSERT INTO finding (fingerprint, key_id, account, state, reason, ignored, verified, first_seen, last_seen, owner, record) VALUES ($1, '', '', $2, '', $3, 0, $4, 0, $5, '{}')`,
				fingerprint, string(triage.States()[i%3]), []string{"", "", "", "a rule"}[i%4], i/2, []string{"", "ada"}[i%2]); err != nil {
				return err
			}
			if _, err := database.Exec(f.Context(), tx, `INSERT INTO location (fingerprint, repository, place, kind, blob, path, at_head, first_seen, record) SELECT $1, number, '', 'blob', 'b', $2, 0, 0, '{}' FROM repository WHERE name = $3`,
				fingerprint, fmt.Sprintf("Production/%d.env", i%600), []string{"acme/app", "octo/lib"}[i%2]); err != nil {
				return err
			}
		}
		slices.Sort(fingerprints)
		return f.PutSearch(f.Context(), tx, fingerprints)
	})
	if err != nil {
		f.Fatal(err)
	}
	for text, in := range map[string]func(string) bool{
		"many-":       func(s string) bool { return strings.HasPrefix(s, "many-") },
		"PRODUCTION/": func(s string) bool { return strings.HasPrefix(s, "many-") },
		"many-00":     func(s string) bool { return strings.HasPrefix(s, "many-00") },
		"none":        func(string) bool { return false },
	} {
		for _, filter := range []triage.Filter{{}, {Ignored: true}, {Owner: "ada", States: []verifier.State{verifier.Live}}, {Target: "octo"}} {
			for _, sort := range triage.Sorts() {
				want := slices.DeleteFunc(f.list(filter, sort, 500), func(s string) bool { return !in(s) })
				filter.Text = text
				if got := f.list(filter, sort, 350); !slices.Equal(got, want) {
					f.Errorf("%+v by %s: %q, want %q", filter, sort, got, want)
				}
				if list, _, err := f.Fingerprints(f.Context(), filter); err != nil || len(list) != len(want) {
					f.Errorf("%+v: %d fingerprints, want %d: %v", filter, len(list), len(want), err)
				}
				filter.Text = ""
			}
		}
	}
}

// testOrders: each order is the same, whatever the size of its pages, and no finding is left
// out or twice if equal ones stand on both sides of the end of a page.
func testOrders(f *fixture) {
	f.some()
	for i := range 9 { // all at the same time
		f.put(fmt.Sprintf("x%d", i), verifier.Unknown, "acme/web", "octo/lib")
	}
	for sort, want := range map[triage.Sort]string{
		triage.ByUrgency:    "b a x0 x1 x2 x3 x4 x5 x6 x7 x8 c d",
		triage.ByAge:        "a b c d x0 x1 x2 x3 x4 x5 x6 x7 x8",
		triage.ByNewest:     "x8 x7 x6 x5 x4 x3 x2 x1 x0 d c b a",
		triage.ByOwner:      "a d x0 x1 x2 x3 x4 x5 x6 x7 x8 b c",
		triage.ByRepository: "a d c x0 x1 x2 x3 x4 x5 x6 x7 x8 b",
	} {
		for _, limit := range []int{1, 2, 5, 12, 13, 100} {
			if got := strings.Join(f.list(triage.Filter{}, sort, limit), " "); got != want {
				f.Errorf("by %s, %d at once: %s, want %s", sort, limit, got, want)
			}
		}
	}
	f.exec(`INSERT INTO repository (id, target, name, page, fork, archived, private, pushed, listed, state, at) VALUES ('z', 'octo', 'z/z', '', 0, 0, 0, 0, 0, 'swept', 0)`)
	f.exec(`INSERT INTO finding (fingerprint, key_id, account, state, reason, ignored, verified, first_seen, last_seen, record)
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1100) SELECT 'z' || i, '', '', 'invalid', '', '', 0, 0, 0, '{}' FROM n`)
	f.exec(`INSERT INTO location (fingerprint, repository, place, kind, blob, path, at_head, first_seen, record)
		SELECT f.fingerprint, r.number, '', 'blob', 'b', '', 0, 0, '{}' FROM finding f JOIN repository r ON r.name = 'z/z' WHERE f.key_id = ''`)
	if got := strings.Join(f.list(triage.Filter{}, triage.ByRepository, 9), " "); !strings.HasPrefix(got, "a d c x0 x1 x2 x3 x4 x5 x6 x7 x8 b z1 z10 z100 z1000 ") || strings.Count(got, " ") != 1112 {
		f.Errorf("more than are sorted at once, by repository: %s", got)
	}
	page, err := f.List(f.Context(), triage.Filter{}, triage.ByAge, "", 2)
	if err != nil {
		f.Fatal(err)
	}
	for _, after := range []string{"x", "e30", page.Next} {
		if _, err := f.List(f.Context(), triage.Filter{}, triage.ByUrgency, after, 2); !errors.Is(err, triage.ErrCursor) {
			f.Errorf("the cursor %s of another list: %v", after, err)
		}
	}
}

// testRows: a row says where a finding is, at HEAD before elsewhere.
func testRows(f *fixture) {
	f.some()
	f.exec(`UPDATE location SET at_head = 0 WHERE fingerprint = 'a' AND repository = (SELECT number FROM repository WHERE name = 'acme/app')`)
	page, err := f.List(f.Context(), triage.Filter{Repository: "acme/app"}, triage.ByUrgency, "", 1)
	if err != nil {
		f.Fatal(err)
	}
	at := time.Date(2026, 11, 20, 13, 0, 0, 0, time.UTC)
	want := []triage.Row{{
		Fingerprint: "a", Rule: "aws-access-key", KeyID: "IDa", Account: "123456789012", User: "deploy-a", UserKind: "user", State: verifier.Live, Status: triage.Open, FirstSeen: at, Verified: &at,
		Where: triage.Place{Target: "acme", Repository: "acme/web", URL: "https://h/acme/web", Kind: "blob", Path: "config/a.env", Line: 7, AtHead: true}, Places: 4, Repositories: 2,
	}}
	if d := cmp.Diff(want, page.Findings); d != "" {
		f.Error(d)
	}
	d := f.detail("a")
	if len(d.Finding.Locations) != 4 || !d.Finding.Locations[0].AtHead || d.Finding.Locations[1].AtHead || len(d.States) != 1 || d.Finding.Fingerprint() != "a" {
		f.Errorf("the finding is %+v", d)
	}
}

// testSummary counts.
func testSummary(f *fixture) {
	f.some() // by 17:00
	dead := database.Millis(f.clock.Add(-30 * time.Minute))
	f.exec(`UPDATE finding SET dead_since = $1 WHERE fingerprint = 'd'`, dead) // at 16:30, first seen at 16:00
	f.exec(`UPDATE verification SET state = 'live' WHERE fingerprint = 'd'`)
	f.exec(`INSERT INTO verification (fingerprint, at, state, reason, account) VALUES ('d', $1, 'invalid', '', '')`, dead)
	f.exec(`INSERT INTO repository (id, target, name, page, fork, archived, private, pushed, listed, state, at) VALUES ('w', 'octo', 'acme/web', '', 0, 0, 0, 0, 0, 'failed', 0), ('x', 'octo', 'acme/web', '', 0, 0, 0, 0, 0, 'swept', 0)`)
	f.exec(`UPDATE repository SET state = 'failed', accepted_by = 'ada', accepted_until = $1 WHERE name = 'acme/app'`, database.Millis(f.clock.AddDate(0, 0, 9)))
	f.exec(`UPDATE repository SET state = 'failed', accepted_by = 'ada', accepted_until = $1 WHERE name = 'octo/lib'`, database.Millis(*f.clock))
	f.exec(`INSERT INTO location (fingerprint, repository, place, kind, blob, path, at_head, first_seen, record)
		SELECT f.fingerprint, number, '', 'blob', 'b', '', 0, 0, '{}' FROM repository r CROSS JOIN finding f WHERE r.id IN ('w', 'x') AND f.fingerprint IN ('a', 'b', 'e')`) // a is there already
	*f.clock = f.clock.AddDate(0, 0, 1)
	sum, err := f.Summary(f.Context(), f.clock.Add(-26*time.Hour)) // since 15:00 the day before
	if err != nil {
		f.Fatal(err)
	}
	oldest := time.Date(2026, 11, 20, 13, 0, 0, 0, time.UTC)
	want := triage.Summary{
		At: *f.clock, AsOf: []triage.Target{{Name: "acme", Due: 2, All: 2}, {Name: "octo", Due: 3, Failed: 2, All: 3}}, Findings: 4,
		ByState:  map[verifier.State]int{verifier.Live: 2, verifier.Unknown: 1, verifier.Invalid: 1},
		ByStatus: map[triage.Status]int{triage.Open: 3, triage.ShutOff: 1, triage.Acknowledged: 0, triage.FalseAlarm: 0, triage.Fixed: 0},
		LiveOpen: 2, LiveUnowned: 1, New: triage.News{Since: f.clock.Add(-26 * time.Hour), Findings: 2, Live: 0}, OldestLive: &oldest,
		TimeToOff: triage.Durations{Count: 1, P50: 1800, P90: 1800},
		Owners:    []triage.Group{{Name: "", Live: 1, Open: 1, Findings: 2}, {Name: "Bob 100%", Live: 1, Open: 1, Findings: 1}, {Name: "ada", Open: 1, Findings: 1}},
		Repos:     []triage.Group{{Name: "acme/web", Live: 2, Open: 3, Findings: 3}, {Name: "acme/app", Live: 1, Open: 1, Findings: 2}, {Name: "octo/lib", Live: 1, Open: 1, Findings: 1}},
	}
	trend := sum.Trend
	sum.Trend = nil
	if d := cmp.Diff(want, sum); d != "" {
		f.Error(d)
	}
	if got := fmt.Sprint(len(trend), trend[27:]); got != "30 [{2026-11-19 0 0 0} {2026-11-20 4 1 2} {2026-11-21 0 0 2}]" {
		f.Errorf("the trend is %s", got)
	}
}

// testMigration: the acknowledgements of the last version become statuses, with their
// history, and the way back keeps them.
func testMigration(f *fixture) {
	if err := f.Migrate(f.Context(), 1); err != nil {
		f.Fatal(err)
	}
	until, _ := triage.LastMoment("2026-12-31")
	for _, by := range []string{"ada", ""} {
		f.exec(`INSERT INTO finding (fingerprint, key_id, account, state, reason, ignored, verified, first_seen, last_seen, acknowledged_by, acknowledged_until, note, record)
			VALUES ($1, '', '', 'unknown', '', '', 0, 0, 0, $2, $3, 'known', '{}')`, "f"+by, by, database.Millis(until))
	}
	f.exec(`INSERT INTO action (at, who, what, subject, result) VALUES (1000, 'bob', 'acknowledge', 'fada', 'a note'), (2000, 'bob', 'unacknowledge', 'fada', ''),
		(3000, 'ada', 'acknowledge', 'fada', 'known'), (4000, 'ada', 'acknowledge', 'removed', '')`)
	for range 2 {
		if err := f.Migrate(f.Context(), database.Version()); err != nil {
			f.Fatal(err)
		}
		d := f.detail("fada")
		var got []string
		for _, c := range d.Changes {
			got = append(got, fmt.Sprintf("%s %s %s %s", c.At.Format("05"), c.Who, c.Status, c.Comment))
		}
		if d.Status != triage.Acknowledged || d.Until != "2026-12-31" || d.Comment != "known" || d.Finding.History.AcknowledgedBy != "ada" ||
			strings.Join(got, ", ") != "01 bob acknowledged a note, 02 bob open , 03 ada acknowledged known" {
			f.Errorf("it became %+v, %q", d.Row, got)
		}
		if other := f.detail("f"); other.Status != triage.Open {
			f.Errorf("the other became %+v", other)
		}
		if err := f.Migrate(f.Context(), 1); err != nil {
			f.Fatal(err)
		}
	}
	var by, note string
	if err := database.QueryRow(f.Context(), f.SQL, `SELECT acknowledged_by, note FROM finding WHERE fingerprint = 'fada'`)(&by, &note); err != nil || by != "ada" || note != "known" {
		f.Errorf("and back: %q, %q, %v", by, note, err)
	}
}
