//go:build sweep

package triage_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/sweep/triage"
	"github.com/stanch-dev/stanch/verifier"
)

func TestTriage(t *testing.T) {
	onEachDatabase(t, map[string]func(*fixture){
		"statuses": testStatuses, "reopen": testReopen, "conflict": testConflict, "at_once": testAtOnce, "bad": testBad, "bytes": testBytes, "many": testMany,
	})
}

// edit returns an Edit: "" leaves a field as it is.
func edit(status triage.Status, owner, comment, until string) (e triage.Edit) {
	if status != "" {
		e.Status = &status
	}
	if owner != "" {
		e.Owner = &owner
	}
	if comment != "" {
		e.Comment = &comment
	}
	if until != "" {
		end, err := triage.LastMoment(until)
		if err != nil {
			panic(err)
		}
		e.Until = &end
	}
	return e
}

// testStatuses gives a finding one status after the other, and reads its history.
func testStatuses(f *fixture) {
	f.put("a", verifier.Unknown, "acme/app")
	for _, e := range []triage.Edit{
		edit(triage.Acknowledged, "", "rotated with release 12", "2026-11-30"),
		edit("", "payments", "", ""),
		edit("", "payments", "", ""), // no change
		edit(triage.Fixed, "", "", ""),
		edit(triage.Open, "", "", ""),
		edit(triage.FalseAlarm, "", "", "2026-11-25"),
	} {
		*f.clock = f.clock.Add(time.Hour)
		if _, err := f.apply(e, "a"); err != nil {
			f.Fatal(err)
		}
	}
	d := f.detail("a")
	if d.Status != triage.FalseAlarm || d.Until != "2026-11-25" || d.Owner != "payments" || d.Comment != "rotated with release 12" || d.Version != 5 ||
		d.Finding.History.Status != "false-alarm" || d.Finding.History.AcknowledgedBy != "ada" {
		f.Errorf("it is %+v, %+v", d.Row, d.Finding.History)
	}
	*f.clock = time.Date(2026, 11, 25, 23, 59, 59, 0, time.FixedZone("", 3*3600)) // a day that is over there only
	if d = f.detail("a"); d.Status != triage.FalseAlarm {
		f.Errorf("on its last day it is %s", d.Status)
	}
	*f.clock = time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)
	if d = f.detail("a"); d.Status != triage.Open || d.Until != "" {
		f.Errorf("after its last day it is %s until %q", d.Status, d.Until)
	}
	var got []string
	for _, c := range d.Changes {
		got = append(got, fmt.Sprintf("%s %s %s %s %s %s %s", c.At.Format("01-02T15"), c.Who, c.Via, c.Status, c.Owner, c.Until, c.Why))
	}
	if d := cmp.Diff([]string{
		"11-20T13 ada cli acknowledged  2026-11-30 ", "11-20T14 ada cli acknowledged payments 2026-11-30 ", "11-20T16 ada cli fixed payments  ",
		"11-20T17 ada cli open payments  ", "11-20T18 ada cli false-alarm payments 2026-11-25 ", "11-25T23  time open payments  its last day is over",
	}, got); d != "" {
		f.Error(d)
	}
}

// testReopen: a finding that was closed is open again once its key is live again. Any change
// of its state is news to the person who closes it.
func testReopen(f *fixture) {
	for _, tt := range []struct {
		status        triage.Status
		before, after verifier.State
		want          triage.Status
	}{
		{triage.Fixed, verifier.Invalid, verifier.Live, triage.Open},
		{triage.ShutOff, verifier.Invalid, verifier.Live, triage.Open},
		{triage.FalseAlarm, verifier.Unknown, verifier.Live, triage.Open},
		{triage.Acknowledged, verifier.Unknown, verifier.Live, triage.Acknowledged},
		{triage.Acknowledged, verifier.Invalid, verifier.Live, triage.Open},
		{triage.ShutOff, verifier.Live, verifier.Invalid, triage.ShutOff},
		{triage.Open, verifier.Unknown, verifier.Live, triage.Open},
	} {
		name := fmt.Sprintf("%s-%s-%s", tt.status, tt.before, tt.after)
		f.put(name, tt.before, "acme/app")
		if _, err := f.apply(edit(tt.status, "ada", "", "2099-01-31"), name); err != nil && tt.status != triage.Open {
			f.Fatal(err)
		}
		was := f.detail(name)
		f.becomes(name, tt.before, tt.after)
		d := f.detail(name)
		if d.Status != tt.want || d.Version != was.Version+1 || d.Owner != was.Owner {
			f.Errorf("%s: it is %s, of %q, version %d", name, d.Status, d.Owner, d.Version)
		}
		reopened := len(d.Changes) > 0 && d.Changes[len(d.Changes)-1].Why == "reopened: live again"
		if reopened != (tt.want == triage.Open && tt.status != triage.Open) {
			f.Errorf("%s: the history is %+v", name, d.Changes)
		}
		version := was.Version
		if _, err := f.Apply(f.Context(), ada, edit(triage.Fixed, "", "", ""), []triage.Item{{Fingerprint: name, Version: &version}}); !isConflict(err) {
			f.Errorf("%s: closed by somebody who has seen the old state: %v", name, err)
		}
	}
}

func isConflict(err error) bool {
	var conflict *triage.ConflictError
	return errors.As(err, &conflict)
}

// testConflict: of two people who have seen the same version, the second is told, and changes
// nothing.
func testConflict(f *fixture) {
	f.put("a", verifier.Live, "acme/app")
	f.put("b", verifier.Live, "acme/app")
	zero := int64(0)
	items := []triage.Item{{"b", nil}, {"a", &zero}}
	done, err := f.Apply(f.Context(), ada, edit(triage.Acknowledged, "", "", ""), items)
	if err != nil || done.Versions["a"] != 1 || done.Changed != 2 {
		f.Fatalf("%+v, %v", done, err)
	}
	_, err = f.Apply(f.Context(), triage.Author{Name: "bob", Via: "page"}, edit(triage.Fixed, "", "", ""), items)
	if !isConflict(err) || !strings.Contains(err.Error(), "a; look again") {
		f.Errorf("the error is %v", err)
	}
	if d := f.detail("b"); d.Status != triage.Acknowledged || d.Finding.History.AcknowledgedBy != "ada" {
		f.Errorf("part of the change was made: %+v", d.Row)
	}
}

// testAtOnce: people change the same findings at once, in another order, and each change
// counts: eight of them are asked for with the version that each has seen, and one is made.
func testAtOnce(f *fixture) {
	f.put("a", verifier.Live, "acme/app")
	f.put("b", verifier.Live, "acme/app")
	var wait sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wait.Go(func() {
			zero := int64(0)
			items := []triage.Item{{"a", &zero}, {"b", &zero}}
			if i%2 == 1 {
				items[0], items[1] = items[1], items[0]
			}
			_, errs[i] = f.Apply(f.Context(), triage.Author{Name: fmt.Sprint("p", i), Via: "api"}, edit(triage.Acknowledged, fmt.Sprint("p", i), "", ""), items)
		})
	}
	wait.Wait()
	made := 0
	for _, err := range errs {
		if err == nil {
			made++
		} else if !isConflict(err) {
			f.Error(err)
		}
	}
	a, b := f.detail("a"), f.detail("b")
	if made != 1 || a.Owner != b.Owner || a.Version != 1 || len(a.Changes) != 1 {
		f.Errorf("%d changes were made: %+v, %+v", made, a.Row, b.Row)
	}
}

// testBad: bad input is refused, names the field, and changes nothing.
func testBad(f *fixture) {
	f.put("a", verifier.Live, "acme/app")
	f.HoldsSecret = func(text []byte) bool { return strings.Contains(string(text), "password") }
	secret, past := detectorstest.SecretKey(1), f.clock.Add(-time.Hour)
	items := func(n int) []triage.Item { return make([]triage.Item, n) }
	for name, tt := range map[string]struct {
		by    triage.Author
		e     triage.Edit
		items []triage.Item
		field string
	}{
		"comment too long":   {ada, edit("", "", strings.Repeat("x", 1<<20), ""), nil, "comment"},
		"owner too long":     {ada, edit("", strings.Repeat("x", triage.MaxOwner+1), "", ""), nil, "owner"},
		"secret in comment":  {ada, edit("", "", "it is "+secret+".", ""), nil, "comment"},
		"secret in owner":    {ada, edit("", secret, "", ""), nil, "owner"},
		"secret in author":   {triage.Author{Name: secret}, edit("", "o", "", ""), nil, "author"},
		"detector":           {ada, edit("", "", "the password", ""), nil, "comment"},
		"nobody":             {triage.Author{Name: " "}, edit("", "o", "", ""), nil, "author"},
		"past":               {ada, triage.Edit{Until: &past}, nil, "until"},
		"open with a day":    {ada, edit(triage.Open, "", "", "2099-01-31"), nil, "until"},
		"day of an open one": {ada, edit("", "", "", "2099-01-31"), nil, "until"},
		"too many":           {ada, edit("", "o", "", ""), items(triage.MaxFindings + 1), "findings"},
	} {
		if tt.items == nil {
			tt.items = []triage.Item{{Fingerprint: "a"}}
		}
		_, err := f.Apply(f.Context(), tt.by, tt.e, tt.items)
		var invalid *triage.InvalidError
		if !errors.As(err, &invalid) || invalid.Field != tt.field || strings.Contains(err.Error(), secret) {
			f.Errorf("%s: the error is %v", name, err)
		}
	}
	if _, err := f.apply(edit("", "o", "", ""), "a", "none"); !errors.Is(err, triage.ErrNoFinding) || !strings.Contains(err.Error(), "none") {
		f.Errorf("the error is %v", err)
	}
	if _, err := f.Detail(f.Context(), "none"); !errors.Is(err, triage.ErrNoFinding) {
		f.Errorf("the error is %v", err)
	}
	if d := f.detail("a"); d.Version != 0 || len(d.Changes) != 0 {
		f.Errorf("it was changed: %+v", d)
	}
	for i := range uint64(1000) {
		if _, err := f.apply(edit("", "", "rotated: "+detectorstest.SecretKey(i), ""), "a"); err == nil {
			f.Errorf("the secret key %d is stored", i)
		}
	}
	for _, text := range []string{
		"AKIA and so on was rotated; see https://github.com/acme/app/blob/0123456789abcdef0123456789abcdef01234567/config/production/Settings.env",
		strings.Repeat("ab12", 10), "commit " + strings.Repeat("0a", 20),
	} {
		if _, err := f.apply(edit("", "", text, ""), "a"); err != nil {
			f.Errorf("%q is refused: %v", text, err)
		}
	}
}

// testBytes: owner and comment may hold any bytes, and come back as they were.
func testBytes(f *fixture) {
	f.put("a", verifier.Live, "acme/app")
	for _, text := range []string{"<script>alert(1)</script>", "caf\xe9", "a\x00b", `"quoted"`, "Jos\u00e9 \U0001f511", "=1+1", "'; DROP TABLE finding; --"} {
		if _, err := f.apply(edit("", text, text, ""), "a"); err != nil {
			f.Fatalf("%q: %v", text, err)
		}
		d := f.detail("a")
		if last := d.Changes[len(d.Changes)-1]; d.Owner != text || d.Comment != text || last.Comment != text || last.Owner != text {
			f.Errorf("%q became %q, %q, %+v", text, d.Owner, d.Comment, last)
		}
	}
}

// testMany changes as many findings at once as one edit may.
func testMany(f *fixture) {
	var all []string
	for i := range 1500 { // three statements
		all = append(all, fmt.Sprintf("%04d", i))
		f.exec(`INSERT INTO finding (fingerprint, key_id, account, state, reason, ignored, verified, first_seen, last_seen, record) VALUES ($1, '', '', 'unknown', '', '', 0, 0, 0, '{}')`, all[i])
	}
	done, err := f.apply(edit(triage.Acknowledged, "", "", ""), all...)
	if err != nil || done.Changed != len(all) || len(done.Versions) != len(all) {
		f.Fatalf("%d of %d: %v", done.Changed, len(all), err)
	}
	if done, err = f.apply(edit(triage.Acknowledged, "", "", ""), append(all, all...)...); err != nil || done.Changed != 0 {
		f.Fatalf("again: %d, %v", done.Changed, err)
	}
}
