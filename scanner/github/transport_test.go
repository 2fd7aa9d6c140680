package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/github/internal/requests"
)

// A fake answers a request.
type fake func(w http.ResponseWriter, r *http.Request)

// lister returns a Lister of a server whose n-th request, counted from 0, is handled
// by the n-th fake, and all others by the last; it waits without waiting.
func lister(t *testing.T, fakes ...fake) (l *Lister, asked *atomic.Int32, waited *[]time.Duration) {
	t.Helper()
	asked, waited = new(atomic.Int32), new([]time.Duration)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := int(asked.Add(1)) - 1
		fakes[min(n, len(fakes)-1)](w, r)
	}))
	t.Cleanup(srv.Close)
	l, err := NewLister(srv.URL, Static{Secret: detectors.NewSecret(token)}, "test")
	if err != nil {
		t.Fatal(err)
	}
	l.MaxWait = 2 * time.Hour
	l.Wait = func(ctx context.Context, d time.Duration) error {
		*waited = append(*waited, d)
		return ctx.Err()
	}
	return l, asked, waited
}

// says returns a fake that answers with a status, headers in the form "name: value",
// and a body. {now+N} is the time of GitHub and N seconds, which is not that of this
// machine.
func says(status int, body string, headers ...string) fake {
	theirs := time.Now().Add(-3 * 24 * time.Hour)
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", theirs.UTC().Format(http.TimeFormat))
		for _, h := range headers {
			name, value, _ := strings.Cut(h, ": ")
			var after int64
			if _, err := fmt.Sscanf(value, "{now+%d}", &after); err == nil {
				value = fmt.Sprint(theirs.Unix() + after)
			}
			w.Header().Set(name, strings.ReplaceAll(value, "{host}", r.Host))
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// cut promises more than it sends.
func cut(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "100")
	_, _ = w.Write([]byte(`[{"full_name":"ada/app"`))
}

var listsApp = says(200, `[{"id":1,"full_name":"ada/app"}]`)

// TestLimits holds how long a Lister waits for what, by the clock of GitHub.
func TestLimits(t *testing.T) {
	const primary, secondary = `{"message":"API rate limit exceeded"}`, `{"message":"You have exceeded a secondary rate limit."}`
	between := func(from, to time.Duration) func([]time.Duration) bool {
		return func(w []time.Duration) bool { return len(w) == 1 && w[0] >= from && w[0] <= to }
	}
	for _, tt := range []struct {
		name  string
		fake  fake
		waits func([]time.Duration) bool
	}{
		{"reset", says(403, primary, "X-RateLimit-Remaining: 0", "X-RateLimit-Reset: {now+600}"), between(10*time.Minute, 10*time.Minute)},
		{"reset_429", says(429, primary, "X-RateLimit-Remaining: 0", "X-RateLimit-Reset: {now+600}"), between(10*time.Minute, 10*time.Minute)},
		{"reset_past", says(403, primary, "X-RateLimit-Remaining: 0", "X-RateLimit-Reset: {now+-600}"), between(time.Second, time.Second)},
		{"reset_before_1970", says(403, primary, "X-RateLimit-Remaining: 0", "X-RateLimit-Reset: -9223372036854775808"), between(time.Second, time.Second)},
		{"reset_in_years", says(403, primary, "X-RateLimit-Remaining: 0", "X-RateLimit-Reset: 9223372036854775807"), between(time.Hour, time.Hour)},
		{"reset_is_no_time", says(403, primary, "X-RateLimit-Remaining: 0", "X-RateLimit-Reset: soon"), between(time.Second, time.Second)},
		{"retry_after", says(403, secondary, "Retry-After: 7"), between(7*time.Second, 7*time.Second)},
		{"retry_after_429", says(429, "<html>", "Retry-After: 7"), between(7*time.Second, 7*time.Second)},
		{"retry_after_503", says(503, "", "Retry-After: 7"), between(7*time.Second, 7*time.Second)},
		{"retry_after_years", says(429, "", "Retry-After: 9223372036854775807"), between(time.Hour, time.Hour)},
		{"retry_after_date", says(429, "", "Retry-After: Mon, 01 Jan 2001 00:00:00 GMT"), between(time.Second, time.Second)},
		{"secondary", says(403, secondary), between(time.Minute, 75*time.Second)},
		{"secondary_429", says(429, ``), between(time.Minute, 75*time.Second)},
		{"secondary_with_quota", says(403, secondary, "X-RateLimit-Remaining: 4999", "X-RateLimit-Reset: {now+1800}"), between(time.Minute, 75*time.Second)},
		{"abuse", says(403, `{"message":"You have triggered an abuse detection mechanism. Please wait a few minutes before you try again."}`), between(time.Minute, 75*time.Second)},
		{"server_error", says(502, `<html>`), between(time.Second, time.Second)},
		{"cut", cut, between(time.Second, time.Second)},
		{"truncated", says(200, `[{"full_name":"ada/app"}`), between(time.Second, time.Second)},
		{"empty", says(200, ``), between(time.Second, time.Second)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, asked, waited := lister(t, tt.fake, listsApp)
			list, err := l.List(t.Context(), "ada")
			if err != nil || len(list) != 1 || list[0].Name != "ada/app" || asked.Load() != 2 {
				t.Errorf("got %v after %d requests: %v", list, asked.Load(), err)
			}
			if !tt.waits(*waited) {
				t.Errorf("waited %v", *waited)
			}
		})
	}
}

// TestLimitsForEver: a server that never answers is given up, after waits that grow.
func TestLimitsForEver(t *testing.T) {
	for _, tt := range []struct {
		name        string
		fake        fake
		asked       int32
		limited     bool
		least, most time.Duration // in all
	}{
		{"secondary", says(429, `{"message":"slow"}`), 6, true, (1 + 2 + 4 + 8 + 16) * time.Minute, 40 * time.Minute},
		{"reset_past", says(403, ``, "X-RateLimit-Remaining: 0", "X-RateLimit-Reset: 0"), 6, true, time.Minute, 10 * time.Minute},
		{"server_error", says(500, ``), requests.MaxTries, false, 5 * time.Second, 5 * time.Second},
		{"truncated", says(200, `[`), requests.MaxTries, false, 5 * time.Second, 5 * time.Second},
		{"no_limit", says(403, `{"message":"Resource not accessible by integration"}`, "X-RateLimit-Remaining: 7"), 1, false, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, asked, waited := lister(t, tt.fake)
			_, err := l.List(t.Context(), "ada")
			var sum time.Duration
			for _, d := range *waited {
				sum += d
			}
			if limited := new(RateLimited); errors.As(err, &limited) != tt.limited || err == nil {
				t.Error(err)
			}
			if asked.Load() != tt.asked || sum < tt.least || sum > tt.most {
				t.Errorf("%d requests, waited %v", asked.Load(), *waited)
			}
		})
	}
}

// TestRateLimited: nobody asks before the time that GitHub has named, whichever call
// met the limit, and who would have to wait for too long learns until when.
func TestRateLimited(t *testing.T) {
	l, asked, waited := lister(t, says(429, `{"message":"slow down"}`, "Retry-After: 600"))
	l.MaxWait = time.Minute
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			_, err := l.Parent(t.Context(), "ada/app")
			limited := new(RateLimited)
			if !errors.As(err, &limited) || limited.Said != "slow down" || time.Until(limited.Until) < 9*time.Minute || time.Until(limited.Until) > 10*time.Minute {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if asked.Load() != 1 || len(*waited) != 0 {
		t.Errorf("%d requests, waited %v", asked.Load(), *waited)
	}
}

// TestLimitGrows: the pause grows from request to request, too, until one is answered.
func TestLimitGrows(t *testing.T) {
	limited, app := says(429, ``), says(200, `{"full_name":"ada/app"}`)
	l, _, _ := lister(t, limited, limited, limited, app, limited)
	l.MaxWait = 0
	for i, minutes := range []int{1, 2, 4, 0, 1} {
		_, err := l.Parent(t.Context(), "ada/app")
		var left time.Duration
		if limited := new(RateLimited); errors.As(err, &limited) {
			left = time.Until(limited.Until)
			passed(l)
		}
		least := time.Duration(minutes) * time.Minute
		if left < least-time.Second || left > least*5/4 {
			t.Errorf("%d: %v, want %v: %v", i, left, least, err)
		}
	}
}

// TestNamedTimes: however often GitHub refuses, a time that it names is kept, and no more:
// the next request is made when GitHub is back.
func TestNamedTimes(t *testing.T) {
	for name, refusal := range map[string]fake{
		"503":           says(503, ``, "Retry-After: 2"),
		"secondary 403": says(403, `{"message":"You have exceeded a secondary rate limit."}`, "Retry-After: 2"),
		"primary 403":   says(403, ``, "X-RateLimit-Remaining: 0", "X-RateLimit-Reset: {now+2}"),
	} {
		l, _, waited := lister(t, refusal)
		for range 3 { // jobs, one after the other
			_, err := l.Parent(t.Context(), "ada/app")
			if limited := new(RateLimited); !errors.As(err, &limited) || time.Until(limited.Until) > 2*time.Second {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, d := range *waited {
			if d > 2*time.Second {
				t.Errorf("%s: waited %v", name, *waited)
				break
			}
		}
	}
}

// TestLastOfQuota: who was told that there are no more requests makes none.
func TestLastOfQuota(t *testing.T) {
	l, asked, waited := lister(t, says(200, `{"full_name":"ada/app"}`, "X-RateLimit-Remaining: 0", "X-RateLimit-Reset: {now+100}"), says(200, `{"full_name":"ada/app"}`))
	for range 2 {
		if _, err := l.Parent(t.Context(), "ada/app"); err != nil {
			t.Error(err)
		}
	}
	if asked.Load() != 2 || len(*waited) != 1 || (*waited)[0] != 100*time.Second {
		t.Errorf("%d requests, waited %v", asked.Load(), *waited)
	}
}

// TestCancelledWait: a wait ends with its context.
func TestCancelledWait(t *testing.T) {
	l, _, _ := lister(t, says(429, ``, "Retry-After: 600"))
	l.Wait = nil
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := l.List(ctx, "ada"); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

// TestPagesFaults: a page that is none is an error that says which, and no loop.
func TestPagesFaults(t *testing.T) {
	page := func(body, link string) fake { return says(200, body, "Link: "+link) }
	second := `<http://{host}/organizations/1/repos?page=2>; rel="next", <http://{host}/x>; rel="last"`
	for _, tt := range []struct {
		name  string
		fakes []fake
		want  string
		is    error
	}{
		{"itself", []fake{page(`[{"id":1,"full_name":"ada/app"}]`, second), page(`[{"id":2,"full_name":"ada/b"}]`, second)}, "page 2: the next page is one of those before", nil},
		{"other_host", []fake{page(`[]`, `<http://elsewhere.example/?page=2>; rel="next"`)}, "the next page is not on this server", nil},
		{"user", []fake{page(`[]`, `<http://x@{host}/?page=2>; rel="next"`)}, "the next page is not on this server", nil},
		{"no_list", []fake{says(200, `{}`)}, "cannot unmarshal object", nil},
		{"null", []fake{says(200, `[null]`)}, `a repository with the name ""`, nil},
		{"name", []fake{says(200, `[{"full_name":"ada/../x"}]`)}, `the name "ada/../x", which is none`, nil},
		{"dots", []fake{says(200, `[{"full_name":"ada/.."}]`)}, `the name "ada/..", which is none`, nil},
		{"html", []fake{says(200, `<html>`)}, "is not JSON", nil},
		{"denied", []fake{says(403, `{"message":"Resource protected by organization SAML enforcement."}`)}, "SAML", ErrDenied},
		{"blocked", []fake{says(451, `{"message":"Repository access blocked","block":{"reason":"dmca"}}`)}, "access to it is blocked", ErrBlocked},
		{"blocked_403", []fake{says(403, `{"message":"Repository access blocked"}`)}, "access to it is blocked", ErrBlocked},
		{"elsewhere", []fake{says(301, ``, "Location: http://elsewhere.example/")}, "refusing the redirect", nil},
		{"round", []fake{says(301, ``, "Location: /orgs/ada/repos")}, "refusing the redirect", nil},
		{"gone", []fake{says(404, `{}`)}, "looking up ada", ErrGone},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, _, _ := lister(t, tt.fakes...)
			_, err := l.List(t.Context(), "ada")
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) || !errors.Is(err, tt.is) && tt.is != nil {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), token) {
				t.Error("the token is in the error")
			}
		})
	}
	n := 0
	l, asked, _ := lister(t, func(w http.ResponseWriter, r *http.Request) {
		n++
		says(200, `[{"id":1,"full_name":"ada/app"}]`, fmt.Sprintf(`Link: <http://{host}/x?page=%d>; rel="next"`, n))(w, r)
	})
	if _, err := l.List(t.Context(), "ada"); err == nil || !strings.Contains(err.Error(), "the same repositories again") || asked.Load() > 3 {
		t.Errorf("%v after %d requests", err, asked.Load())
	}
}

// TestRenamed: a repository that was renamed is found by its old name.
func TestRenamed(t *testing.T) {
	l, _, _ := lister(t, says(301, `{"message":"Moved Permanently"}`, "Location: /repositories/1"), says(200, `{"id":1,"full_name":"ada/new","private":true,"parent":{"full_name":"eve/app"}}`))
	list, err := l.List(t.Context(), "ada/old")
	if err != nil || len(list) != 1 || list[0].Name != "ada/new" || list[0].Visibility != "private" {
		t.Errorf("got %v: %v", list, err)
	}
	if parent, err := l.Parent(t.Context(), "ada/new"); parent != "eve/app" || err != nil {
		t.Errorf("parent %q: %v", parent, err)
	}
}

// TestPagesStops: a quiet organization costs one request.
func TestPagesStops(t *testing.T) {
	l, asked, _ := lister(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.URL.String(); got != "/orgs/ada/repos?type=all&sort=pushed&direction=desc&per_page=100" {
			t.Error(got)
		}
		says(200, `[{"id":1,"full_name":"ada/app","size":7,"topics":["x"],"pushed_at":"2026-01-02T03:04:05Z"}]`, `Link: <http://{host}/x?page=2>; rel="next"`)(w, r)
	})
	err := l.EachAPIPage(t.Context(), "ada", nil, func(page APIPage[Repository]) (bool, error) {
		if r := page.Items[0]; r.Size != 7 || r.PushedAt.Year() != 2026 || r.Visibility != "public" || r.Topics[0] != "x" {
			t.Errorf("%+v", r)
		}
		return false, nil
	})
	if err != nil || asked.Load() != 1 {
		t.Errorf("%d requests: %v", asked.Load(), err)
	}
}

// TestActivity reads both forms of GitHub's documents.
func TestActivity(t *testing.T) {
	a, b, zero := strings.Repeat("a", 40), strings.Repeat("B", 40), strings.Repeat("0", 40)
	l, asked, _ := lister(t,
		says(200, fmt.Sprintf(`[{"before":%q,"ref":"refs/heads/x","timestamp":"2026-01-02T03:04:05Z","actor":{"login":"eve"}}]`, a)),
		says(200, fmt.Sprintf(`[{"before":%q,"ref":"refs/heads/y","pushed_at":"2026-01-03T03:04:05Z","pusher":{"login":"bob"}},{"before":%q,"pushed_at":"2026-01-02T00:00:00Z"}]`, b, zero)))
	got, until, err := l.Activity(t.Context(), "ada/app", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{strings.ToLower(b) + " forced: false, by bob", a + " forced: true, by eve"}
	if read := said(got); !slices.Equal(read, want) {
		t.Errorf("read %q, want %q", read, want)
	}
	if asked.Load() != 2 {
		t.Errorf("%d requests, want 2", asked.Load())
	}
	// says has a clock that is three days behind.
	if behind := time.Since(until); behind < 3*24*time.Hour || behind > 3*24*time.Hour+2*time.Minute {
		t.Errorf("the next call asks from %v", until)
	}
	for body, want := range map[string]string{`[{"before":"--upload-pack=x"}]`: "which is not an id", `{}`: "cannot unmarshal"} {
		l, _, _ := lister(t, says(200, body))
		if _, _, err := l.Activity(t.Context(), "ada/app", time.Time{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", body, err)
		}
	}
	l, _, _ = lister(t, says(409, `{"message":"Git Repository is empty."}`))
	if got, _, err := l.Activity(t.Context(), "ada/app", time.Time{}); len(got) > 0 || err != nil {
		t.Error(got, err)
	}
	l, _, _ = lister(t, says(404, `{}`))
	if _, until, err := l.Activity(t.Context(), "ada/app", time.Time{}); !errors.Is(err, ErrNoActivity) || until.IsZero() {
		t.Error(until, err)
	}
}

// said returns what events say.
func said(events []Event) (list []string) {
	for _, e := range events {
		list = append(list, fmt.Sprintf("%s forced: %v, by %s", e.Before, e.Forced, e.Actor))
	}
	return list
}

// TestActivitySince: one request tells what was left behind since the last time, unless
// there was more than a page of activity, or the server does not say of which kind it is.
func TestActivitySince(t *testing.T) {
	a, b := strings.Repeat("a", 40), strings.Repeat("b", 40)
	since := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	page := func(name string, filler int) string {
		list := []string{fmt.Sprintf(`{"before":%q,"ref":"refs/heads/x","timestamp":"2026-01-02T03:04:05Z",%s}`, a, name)}
		for range filler {
			list = append(list, fmt.Sprintf(`{"before":%q,"timestamp":"2026-01-02T00:00:00Z","activity_type":"push"}`, b))
		}
		return "[" + strings.Join(list, ",") + "]"
	}
	const forced, other = `"activity_type":"force_push"`, `"x":"y"`
	old := fmt.Sprintf(`{"before":%q,"timestamp":"2025-12-01T00:00:00Z","activity_type":"force_push"}]`, b)
	for _, tt := range []struct {
		name  string
		fakes []fake
		asked int32
	}{
		{"one page", []fake{says(200, page(forced, 3))}, 1},
		{"the example of the docs", []fake{says(200, page(`"push_type":"force_push"`, 3))}, 1},
		{"goes back far enough", []fake{says(200, strings.TrimSuffix(page(forced, 98), "]")+","+old, `Link: <http://{host}/never>; rel="next"`)}, 1},
		{"many", []fake{says(200, page(forced, 99), `Link: <http://{host}/never>; rel="next"`), says(200, page(forced, 0)), says(200, `[]`)}, 3},
		{"no kind", []fake{says(200, page(other, 0)), says(200, page(other, 0)), says(200, `[]`)}, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, asked, _ := lister(t, tt.fakes...)
			got, _, err := l.Activity(t.Context(), "ada/app", since)
			if err != nil || !slices.Equal(said(got), []string{a + " forced: true, by "}) || asked.Load() != tt.asked {
				t.Errorf("%d requests, want %d: %q, %v", asked.Load(), tt.asked, said(got), err)
			}
		})
	}
}

// passed lets the limit that GitHub has named to l pass, and has l wait for none after it.
func passed(l *Lister) {
	l.MaxWait = 2 * time.Hour
	l.Wait = func(ctx context.Context, _ time.Duration) error {
		l.MaxWait = 0
		return ctx.Err()
	}
}

// nothing waits without waiting.
func nothing(ctx context.Context, _ time.Duration) error { return ctx.Err() }
