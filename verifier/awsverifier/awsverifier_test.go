package awsverifier

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

const (
	account = "123456789012"
	another = "222233334444"
	canary  = "595918472158"
)

// newClient returns a Client for srv that does not wait.
func newClient(t *testing.T, srv *verifiertest.STS, cfg Config) *Client {
	t.Helper()
	cfg.Endpoint = srv.URL
	cfg.PerSecond = 1e6
	cfg.Backoff = time.Millisecond
	if cfg.Reask == 0 {
		cfg.Reask = time.Millisecond
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func fact(v verifier.Verdict, name string) string {
	for _, f := range v.Facts {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

func requests(sent []Sent) (n int) {
	for _, s := range sent {
		n += s.Requests
	}
	return n
}

// TestVerify asks a service that checks signatures.
func TestVerify(t *testing.T) {
	user, root, role := verifiertest.User(account, "ci/deploy", 1), verifiertest.Root(account, 2), verifiertest.Role(account, "admin", 3)
	with := func(k verifiertest.Key, state verifiertest.KeyState) verifiertest.Key {
		k.State = state
		return k
	}
	fed := verifiertest.Role(account, "", 4)
	fed.ARN, fed.UserID = "arn:aws:sts::"+account+":federated-user/bob", account+":bob"
	inactive := with(verifiertest.User(account, "bob", 5), verifiertest.Inactive)
	denied := with(verifiertest.User(account, "carol", 6), verifiertest.Denied)
	expired := with(verifiertest.Role(account, "admin", 7), verifiertest.Expired)
	hidden := verifiertest.User(account, "canarytokens.com@@abc", 8)
	planted := verifiertest.User(canary, "x", 9)
	foreign := verifiertest.User(account, "x", 10)
	foreign.ARN = "arn:aws:iam::" + another + ":user/x"

	with2 := func(c, d detectors.Credential) detectors.Credential { c.Secret = d.Secret; return c }
	lone := detectors.Credential{ID: user.Credential.ID}
	noToken := role.Credential
	noToken.Token = detectors.Secret{}
	strayToken := user.Credential
	strayToken.Token = detectors.NewSecret(detectorstest.Token(another, "us-east-1", time.Unix(1.5e9, 0), 1))

	for _, tt := range []struct {
		name  string
		c     detectors.Credential
		state verifier.State
		who   verifier.Identity
		why   string
		sent  int
	}{
		{"user", user.Credential, verifier.Live,
			verifier.Identity{Account: account, ARN: user.ARN, UserID: user.UserID, Kind: "user", Name: "deploy"}, "", 1},
		{"root", root.Credential, verifier.Live,
			verifier.Identity{Account: account, ARN: root.ARN, UserID: account, Kind: "root"}, "", 1},
		{"role", role.Credential, verifier.Live,
			verifier.Identity{Account: account, ARN: role.ARN, UserID: role.UserID, Kind: "role", Name: "admin"}, "", 1},
		{"federated", fed.Credential, verifier.Live,
			verifier.Identity{Account: account, ARN: fed.ARN, UserID: fed.UserID, Kind: "federated", Name: "bob"}, "", 1},
		{"denied", denied.Credential, verifier.Live,
			verifier.Identity{Account: account, ARN: denied.ARN, Kind: "user", Name: "carol"}, "", 1},
		{"stray token", strayToken, verifier.Live,
			verifier.Identity{Account: account, ARN: user.ARN, UserID: user.UserID, Kind: "user", Name: "deploy"}, "", 1},
		{"inactive", inactive.Credential, verifier.Invalid, verifier.Identity{Account: account}, "", 1},
		{"deleted", verifiertest.LongTerm(account, 99), verifier.Invalid, verifier.Identity{Account: account}, "", 1},
		{"wrong secret", with2(user.Credential, root.Credential), verifier.IDActive, verifier.Identity{Account: account}, "", 1},
		{"expired", expired.Credential, verifier.Expired, verifier.Identity{Account: account}, "", 1},
		{"canary by account", planted.Credential, verifier.CanarySuspected, verifier.Identity{Account: canary}, "", 0},
		{"canary by name", hidden.Credential, verifier.CanarySuspected,
			verifier.Identity{Account: account, ARN: hidden.ARN, UserID: hidden.UserID, Kind: "user", Name: "canarytokens.com@@abc"}, "", 1},
		{"another account", foreign.Credential, verifier.Unknown, verifier.Identity{Account: account},
			"STS answered for account " + another + ", the key id says " + account, 1},
		{"lone id", lone, verifier.Skipped, verifier.Identity{Account: account}, "no secret was found for this key id", 0},
		{"no token", noToken, verifier.Skipped, verifier.Identity{Account: account}, "session key without its token", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv := verifiertest.NewSTS(t, user, root, role, fed, inactive, denied, expired, hidden, planted, foreign)
			c := newClient(t, srv, Config{Version: "1.2.3"})
			v := c.Verify(t.Context(), tt.c)
			want := verifier.Verdict{State: tt.state, Identity: tt.who, Reason: tt.why}
			if diff := cmp.Diff(want, v, cmpopts.IgnoreFields(verifier.Verdict{}, "At", "Facts", "Err")); diff != "" {
				t.Errorf("verdict (-want +got):\n%s\nfacts %v, error %v", diff, v.Facts, v.Err)
			}
			if got := srv.Count(tt.c.ID); got != tt.sent || requests(c.Sent()) != tt.sent {
				t.Errorf("%d requests arrived, %v sent, want %d", got, c.Sent(), tt.sent)
			}
			if v.At.IsZero() != (tt.sent == 0) {
				t.Errorf("asked at %v, %d requests", v.At, tt.sent)
			}
			if tt.sent > 0 && (fact(v, "sts-endpoint") == "" || fact(v, "http-status") == "" || fact(v, "aws-request-id") != verifiertest.RequestID) {
				t.Errorf("facts %v", v.Facts)
			}
			c.Verify(t.Context(), tt.c)
			if got := srv.Count(tt.c.ID); got != tt.sent {
				t.Errorf("a second Verify sent again: %d requests", got)
			}
		})
	}
}

func TestPolicy(t *testing.T) {
	mine, theirs := verifiertest.User(account, "a", 1), verifiertest.User(another, "b", 2)
	legacy := mine
	legacy.Credential.ID = "AKIA" + "I" + mine.Credential.ID[5:] // the layout that does not tell the account
	for _, tt := range []struct {
		name string
		cfg  Config
		key  verifiertest.Key
		want verifier.State
		why  string
	}{
		{"any account", Config{}, theirs, verifier.Live, ""},
		{"listed", Config{Accounts: []string{account}}, mine, verifier.Live, ""},
		{"not listed", Config{Accounts: []string{account}}, theirs, verifier.Skipped, "account " + another + " is not among those to ask about"},
		{"unreadable", Config{Accounts: []string{account}}, legacy, verifier.Skipped,
			"the key does not say its account, and AWS is asked about listed accounts only"},
		{"unreadable, any account", Config{}, legacy, verifier.Live, ""},
		{"offline", Config{Offline: true}, mine, verifier.Skipped, "AWS was not asked (--verify does)"},
		{"own canaries", Config{CanaryAccounts: []string{account}}, mine, verifier.CanarySuspected, ""},
		{"canaries first", Config{CanaryAccounts: []string{account}, Accounts: []string{account}}, mine, verifier.CanarySuspected, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv := verifiertest.NewSTS(t, tt.key)
			c := newClient(t, srv, tt.cfg)
			v := c.Verify(t.Context(), tt.key.Credential)
			if v.State != tt.want || v.Reason != tt.why {
				t.Errorf("got %q, %q (%v); want %q, %q", v.State, v.Reason, v.Err, tt.want, tt.why)
			}
			if n := len(srv.Requests()); (n > 0) != (tt.want == verifier.Live) {
				t.Errorf("%d requests", n)
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	for _, cfg := range []Config{
		{Accounts: []string{"12345678901"}},
		{Accounts: []string{"1234-5678-9012"}},
		{CanaryAccounts: []string{"alice"}},
		{Endpoint: "https://sts.amazonaws.com"},
		{Endpoint: "https://sts.amazonaws.com", Offline: true},
	} {
		if c, err := New(cfg); err == nil || c != nil {
			t.Errorf("New(%+v) = %v, %v", cfg, c, err)
		}
	}
}

// direct makes a RoundTripper of a Handler: no network, so that the time of a
// synctest bubble can pass.
type direct struct{ http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	in := httptest.NewRequestWithContext(r.Context(), r.Method, r.URL.String(), r.Body)
	in.Header, in.ContentLength = r.Header, r.ContentLength
	w := httptest.NewRecorder()
	d.ServeHTTP(w, in)
	return w.Result(), r.Context().Err()
}

// outlet returns the end of c that requests leave by.
func outlet(c *Client) *guard {
	return c.online.(*verifier.Cached).Verifier.(*verifier.Limited).Verifier.(*stsClient).http.Transport.(*guard)
}

// TestFresh: a fresh client asks again, at the pace of the first, and both count all requests.
func TestFresh(t *testing.T) {
	live := verifiertest.User(account, "a", 1)
	dead := live
	dead.State = verifiertest.Inactive
	srv := verifiertest.NewSTS(t, live)
	first := newClient(t, srv, Config{})
	first.Verify(t.Context(), live.Credential)
	srv.Set(dead)
	fresh := first
	for n := range 60 {
		fresh = fresh.Fresh()
		if v := fresh.Verify(t.Context(), live.Credential); v.State != verifier.Invalid {
			t.Errorf("asked again, it is %s", v.State)
		}
		if want := n + 2; srv.Count(live.Credential.ID) != want || requests(first.Sent()) != want || requests(fresh.Sent()) != want {
			t.Errorf("%d requests arrived, %v and %v were sent", srv.Count(live.Credential.ID), first.Sent(), fresh.Sent())
		}
	}
	limited := func(c *Client) verifier.Verifier { return c.online.(*verifier.Cached).Verifier }
	if limited(fresh) != limited(first) {
		t.Error("a fresh client has a pace of its own")
	}
	offline := newClient(t, srv, Config{Offline: true}).Fresh()
	if v := offline.Verify(t.Context(), live.Credential); v.State != verifier.Skipped {
		t.Errorf("offline: %s", v.State)
	}
}

// TestReask has a service that calls right secrets wrong for a while after a
// wrong one, as STS was seen to do.
func TestReask(t *testing.T) {
	key, other := verifiertest.User(account, "a", 1), verifiertest.User(account, "b", 2)
	wrong, wronger := key.Credential, key.Credential
	wrong.Secret = verifiertest.LongTerm(account, 3).Secret
	wronger.Secret = verifiertest.LongTerm(account, 4).Secret
	for _, tt := range []struct {
		name  string
		ask   []detectors.Credential
		pause time.Duration  // after each
		want  verifier.State // of the last
		sent  int
		took  time.Duration
	}{
		{"wrong alone", []detectors.Credential{wrong}, 0, verifier.IDActive, 1, 0},
		{"right after wrong", []detectors.Credential{wrong, key.Credential}, 0, verifier.Live, 3, 6 * time.Second},
		{"right a bit after wrong", []detectors.Credential{wrong, key.Credential}, 2 * time.Second, verifier.Live, 3, 8 * time.Second},
		{"right long after wrong", []detectors.Credential{wrong, key.Credential}, 7 * time.Second, verifier.Live, 2, 14 * time.Second},
		{"wrong after wrong", []detectors.Credential{wrong, wronger}, 0, verifier.IDActive, 3, 6 * time.Second},
		{"wrong long after wrong", []detectors.Credential{wrong, wronger}, 7 * time.Second, verifier.IDActive, 2, 14 * time.Second},
		{"wrong after right", []detectors.Credential{key.Credential, wrong}, 0, verifier.IDActive, 3, 6 * time.Second},
		{"other ids do not count", []detectors.Credential{other.Credential, wrong}, 0, verifier.IDActive, 2, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv := verifiertest.NewUnstartedSTS(key, other)
			defer srv.Close()
			srv.Confused = 5 * time.Second
			synctest.Test(t, func(t *testing.T) {
				c, err := New(Config{})
				if err != nil {
					t.Fatal(err)
				}
				outlet(c).next = direct{srv}
				start := time.Now()
				var v verifier.Verdict
				for _, cred := range tt.ask {
					v = c.Verify(t.Context(), cred)
					time.Sleep(tt.pause)
				}
				want := []Sent{{"sts.us-east-1.amazonaws.com", tt.sent}}
				if diff := cmp.Diff(want, c.Sent()); diff != "" || v.State != tt.want || time.Since(start) != tt.took {
					t.Errorf("got %q (%v) in %v, sent (-want +got):\n%s", v.State, v.Err, time.Since(start), diff)
				}
			})
		})
	}
}

func TestReaskCancelled(t *testing.T) {
	key := verifiertest.User(account, "a", 1)
	wrong := key.Credential
	wrong.Secret = verifiertest.LongTerm(account, 3).Secret
	srv := verifiertest.NewUnstartedSTS(key)
	defer srv.Close()
	synctest.Test(t, func(t *testing.T) {
		c, err := New(Config{})
		if err != nil {
			t.Fatal(err)
		}
		outlet(c).next = direct{srv}
		c.Verify(t.Context(), key.Credential)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		v := c.Verify(ctx, wrong)
		if v.State != verifier.Unknown || v.Reason != "interrupted" || !errors.Is(v.Err, context.DeadlineExceeded) {
			t.Errorf("got %+v", v)
		}
	})
}
