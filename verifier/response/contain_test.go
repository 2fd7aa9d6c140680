package response_test

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/response/apply"
	"github.com/stanch-dev/stanch/verifier/response/journal"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// deniedBefore returns the time in a policy that denies older sessions.
func deniedBefore(t *testing.T, document string) time.Time {
	t.Helper()
	var p struct {
		Statement []struct {
			Condition struct{ DateLessThan map[string]time.Time }
		}
	}
	if err := json.Unmarshal([]byte(document), &p); err != nil || len(p.Statement) != 1 {
		t.Fatalf("%v: %s", err, document)
	}
	return p.Statement[0].Condition.DateLessThan["aws:TokenIssueTime"]
}

// An intruder has the leaked key, and makes sessions with it while it works.
type intruder struct {
	t        *testing.T
	in       *incident
	key      *operator.Session
	sessions []detectors.Credential
	passed   atomic.Int64 // of AWS's time, since the test began
}

// newIntruder lets AWS's clock be ahead of this machine's by off, and tell it by date.
func newIntruder(t *testing.T, off, lag time.Duration, date func() string) *intruder {
	t.Helper()
	in := newIncident(t)
	i := &intruder{t: t, in: in}
	in.aws.Change(prod, func(*verifiertest.Account) {
		in.aws.Now = func() time.Time { return time.Now().Add(off + time.Duration(i.passed.Load())) }
		in.aws.Lag, in.aws.Date = lag, date
	})
	i.key = i.as(in.leak.Match.Credential)
	return i
}

// as returns a session of c.
func (i *intruder) as(c detectors.Credential) *operator.Session {
	i.t.Helper()
	own := detectors.Credential{ID: os.Getenv("AWS_ACCESS_KEY_ID"), Secret: detectors.NewSecret(os.Getenv("AWS_SECRET_ACCESS_KEY"))}
	verifiertest.SignAs(i.t, c)
	i.t.Setenv("AWS_SESSION_TOKEN", c.Token.Reveal())
	defer verifiertest.SignAs(i.t, own)
	o, err := operator.New(i.t.Context(), operator.Config{Endpoint: i.in.aws.URL, Wait: time.Millisecond})
	if err != nil {
		i.t.Fatal(err)
	}
	return o.Own()
}

// makeSession makes a session of 36 hours, if the key still works.
func (i *intruder) makeSession() {
	var out struct {
		ID     string `xml:"GetSessionTokenResult>Credentials>AccessKeyId"`
		Secret string `xml:"GetSessionTokenResult>Credentials>SecretAccessKey"`
		Token  string `xml:"GetSessionTokenResult>Credentials>SessionToken"`
	}
	if err := i.key.Do(context.Background(), operator.Call{Service: "sts", Action: "GetSessionToken"}, &out); err == nil {
		i.sessions = append(i.sessions, detectors.Credential{ID: out.ID, Secret: detectors.NewSecret(out.Secret), Token: detectors.NewSecret(out.Token)})
	}
}

// attend makes a session after each record and each second of an apply.
func (i *intruder) attend(a *apply.Applier) {
	a.OnRecord = func(journal.Record) { i.makeSession() }
	a.Sleep = func(_ context.Context, d time.Duration) {
		i.in.slept += d
		for ; d > 0; d -= time.Second {
			i.passed.Add(int64(min(d, time.Second)))
			i.makeSession()
		}
	}
}

// alive returns how many of the sessions may still do something.
func (i *intruder) alive() (n int) {
	i.t.Helper()
	for _, c := range i.sessions {
		_, err := i.as(c).Tags(i.t.Context(), "user", "deploy")
		if err == nil {
			n++
		} else if !strings.Contains(err.Error(), "explicit deny") {
			i.t.Fatal(err)
		}
	}
	return n
}

// TestNoSessionOutlives: a key is called contained only if no session works that it has
// made: not in the seconds until STS hears of IAM's word, nor by a clock that is wrong.
func TestNoSessionOutlives(t *testing.T) {
	const off = 14 * time.Minute // AWS takes 15
	none := func() string { return "" }
	garbage := func() string { return "Sat, 31 Feb 2026 25:00:00 GMT" }
	another := func() string { return time.Now().Add(-24 * time.Hour).UTC().Format(http.TimeFormat) }
	for _, tt := range []struct {
		name    string
		off     time.Duration // of AWS's clock, ahead of this machine's
		lag     time.Duration // of STS behind IAM
		date    func() string
		secret  bool // STS can be asked about the key
		note    string
		started int // of sessions that are made before the apply, one a second
	}{
		{name: "at once", secret: true},
		{name: "at once, STS cannot be asked"},
		{name: "STS hears late", lag: 4 * time.Second, secret: true},
		{name: "STS hears late, and cannot be asked", lag: 4 * time.Second},
		{name: "STS hears very late", lag: 45 * time.Second, secret: true},
		{name: "STS hears later than it is waited for, and cannot be asked", lag: 25 * time.Second},
		{name: "slow clock", off: off, lag: 4 * time.Second, secret: true, note: `is 14m\d+s behind AWS's`, started: 3},
		{name: "slow clock, STS cannot be asked", off: off, lag: 4 * time.Second, note: `is 14m\d+s behind AWS's`, started: 3},
		{name: "fast clock", off: -off, lag: 4 * time.Second, secret: true, note: `is 1[34]m\d+s ahead of AWS's`, started: 3},
		{name: "no date, slow clock", off: off, lag: 4 * time.Second, date: none, secret: true, note: "do not say what time it is"},
		{name: "no date, fast clock", off: -off, lag: 4 * time.Second, date: none, note: "do not say what time it is"},
		{name: "garbage for a date", off: off, lag: 4 * time.Second, date: garbage, note: "do not say what time it is"},
		{name: "the date of another day", off: off, lag: 4 * time.Second, date: another, note: "do not say what time it is"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			i := newIntruder(t, tt.off, tt.lag, tt.date)
			plan := i.in.plan(i.in.leak)
			for range tt.started {
				i.makeSession()
			}
			a, closeJournal := i.in.applier()
			defer closeJournal()
			i.attend(a)
			if !tt.secret {
				a.Recheck = nil
			}
			if err := a.Admit(t.Context(), plan); err != nil {
				t.Fatal(err)
			}
			outcomes, err := a.Apply(t.Context(), plan)
			if err != nil || outcomes[0].Result != response.Contained {
				t.Fatalf("%v %+v", err, outcomes)
			}
			if len(i.sessions) <= tt.started {
				t.Error("the intruder made no session: the race is not run")
			}
			if n := i.alive(); n != 0 {
				t.Errorf("contained, and %d of %d sessions work, denied before %v", n, len(i.sessions), i.in.user.Inline)
			}
			// Where it is not wrong at first, only AWS's clock goes on while the apply waits.
			note := regexp.MustCompile(tt.note)
			if notes := strings.Join(outcomes[0].Notes, "\n"); !note.MatchString(notes) {
				t.Errorf("notes %q, want %q", notes, tt.note)
			}
			// The journal, whose times are this machine's, says so as well.
			if records, err := journal.Read(i.in.journal); err != nil ||
				!slices.ContainsFunc(records, func(r journal.Record) bool { return r.Event == journal.EventIntent && note.MatchString(r.Why) }) {
				t.Errorf("%v: the journal does not say %q", err, tt.note)
			}
			closeJournal()
			if outcomes, err := i.in.undo(plan); err != nil || outcomes[0].Result != response.Undone || len(i.in.user.Inline) != 0 {
				t.Errorf("%v %+v %v", err, outcomes, i.in.user.Inline)
			}
		})
	}
}

// TestNotSeenOff: STS goes on knowing a key for longer than it is waited for. That is
// not contained, and a later confirm does not call it so either: what the key made in
// the meantime is denied by the next apply only.
func TestNotSeenOff(t *testing.T) {
	i := newIntruder(t, 0, 90*time.Second, nil)
	plan := i.in.plan(i.in.leak)
	a, closeJournal := i.in.applier()
	defer closeJournal()
	i.attend(a)
	outcomes, err := a.Apply(t.Context(), plan)
	if err != nil || outcomes[0].Result != response.Unconfirmed || !strings.Contains(outcomes[0].Why[0], "STS says of the key: live") {
		t.Fatalf("%v %+v", err, outcomes)
	}
	i.passed.Add(int64(time.Minute))
	if outcomes, err = a.Confirm(t.Context(), plan); err != nil || outcomes[0].Result != response.Incomplete || !strings.Contains(outcomes[0].Why[0], "apply the plan again") {
		t.Errorf("%v %+v", err, outcomes)
	}
	if i.alive() == 0 {
		t.Fatal("no session outlived: nothing is tested")
	}
	if err := a.Admit(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	if outcomes, err = a.Apply(t.Context(), plan); err != nil || outcomes[0].Result != response.Contained || i.alive() != 0 {
		t.Errorf("%v %+v, %d sessions work", err, outcomes, i.alive())
	}
	if outcomes, err = a.Confirm(t.Context(), plan); err != nil || outcomes[0].Result != response.Contained {
		t.Errorf("%v %+v", err, outcomes)
	}
}

// TestTwoKeysOfAUser: both are off before one is waited for, and the last policy denies
// the sessions of either.
func TestTwoKeysOfAUser(t *testing.T) {
	i := newIntruder(t, 0, 4*time.Second, nil)
	in := i.in
	second := in.leak
	in.aws.Change(prod, func(*verifiertest.Account) {
		second.Match.Credential = verifiertest.LongTerm(prod, 7)
		in.user.Keys = append(in.user.Keys, &verifiertest.IAMKey{Credential: second.Match.Credential, Created: time.Now()})
	})
	second.Digest, in.maxKeys = &finding.Digest{Fingerprint: "fedcba9876543210"}, 2
	plan := in.plan(in.leak, second)
	i.key = i.as(second.Match.Credential) // the one that is shut off last
	a, closeJournal := in.applier()
	i.attend(a)
	a.Now = func() time.Time { return time.Now().Add(time.Duration(i.passed.Load())) }
	waited := false
	a.Sleep = func(_ context.Context, d time.Duration) {
		if !waited && (!in.user.Keys[0].Inactive || !in.user.Keys[1].Inactive) {
			t.Error("one key is waited for while the other works")
		}
		waited = true
		in.slept += d
		i.passed.Add(int64(d))
		i.makeSession()
	}
	outcomes, err := a.Apply(t.Context(), plan)
	closeJournal()
	if err != nil || len(outcomes) != 2 || outcomes[0].Result != response.Contained || outcomes[1].Result != response.Contained {
		t.Fatalf("%v %+v", err, outcomes)
	}
	if n := i.alive(); n != 0 || len(i.sessions) == 0 || !waited {
		t.Errorf("%d of %d sessions work, waited: %v", n, len(i.sessions), waited)
	}
	if in.slept > 30*time.Second { // one after the other took 42
		t.Errorf("waited %s", in.slept)
	}
	outcomes, err = in.undo(plan)
	if err != nil {
		t.Fatal(err)
	}
	if outcomes[1].Result != response.Undone {
		t.Errorf("undone: %+v", outcomes)
	}
	if len(in.user.Inline) != 0 {
		t.Errorf("policies are left: %v", in.user.Inline)
	}
	for i, k := range in.user.Keys[:2] {
		if k.Inactive {
			t.Errorf("key %d is still inactive", i)
		}
	}
}

// TestMarginOfRoles: the sessions of a role are denied by AWS's time and a margin too: a
// session that is denied everything only in a moment may issue itself another one.
func TestMarginOfRoles(t *testing.T) {
	const off = 14 * time.Minute
	in := newIncident(t)
	in.aws.Change(prod, func(*verifiertest.Account) { in.aws.Now = func() time.Time { return time.Now().Add(off) } })
	ofRole(in)
	outcomes, err := in.apply(in.plan(in.leak))
	if err != nil || outcomes[0].Result != response.Contained || len(outcomes[0].Notes) != 2 || in.slept == 0 {
		t.Fatalf("%v %+v, slept %s", err, outcomes, in.slept)
	}
	in.aws.Change(prod, func(a *verifiertest.Account) {
		document := slices.Collect(maps.Values(a.Roles["builder"].Inline))[0]
		if ahead := deniedBefore(t, document).Sub(time.Now().Add(off)); ahead < 20*time.Second || ahead > 31*time.Second {
			t.Errorf("denied up to %s ahead of AWS's time", ahead)
		}
	})
}
