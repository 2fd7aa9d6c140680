package ci

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	one, two = strings.Repeat("1", 40), strings.Repeat("2", 40)
	zero     = strings.Repeat("0", 40)
)

func read(t testing.TB, name, text string) (Event, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "event.json")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return GitHub(func(v string) string {
		return map[string]string{"GITHUB_EVENT_NAME": name, "GITHUB_EVENT_PATH": file}[v]
	})
}

func TestGitHub(t *testing.T) {
	fork := func(repo string) string {
		return `{"pull_request":{"number":7,"commits":40,"head":{"sha":"` + two + `","repo":` + repo + `},"base":{"sha":"` + one + `","repo":{"full_name":"ada/app"}}},"repository":{"default_branch":"main","private":false}}`
	}
	pull := Event{Kind: Commits, Head: two, Base: one, HeadRefs: []string{"refs/pull/7/head"}, DefaultBranch: "main", Commits: 40, PullRequest: 7, Public: true, Visibility: "public", Trusted: one}
	forked := pull
	forked.Fork = true
	for _, tt := range []struct {
		name, payload string
		want          Event
		is            error
	}{
		{"push", `{"ref":"refs/heads/x","before":"` + one + `","after":"` + two + `","forced":true,"commits":[{},{}],"repository":{"private":true}}`,
			Event{Kind: Commits, Head: two, Base: one, Ref: "refs/heads/x", HeadRefs: []string{"refs/heads/x"}, Commits: 2, Visibility: "private"}, nil},
		{"push", `{"ref":"refs/tags/x","before":"` + zero + `","after":"` + two + `","created":true,"commits":[]}`,
			Event{Kind: Commits, Head: two, Ref: "refs/tags/x", HeadRefs: []string{"refs/tags/x"}, Public: true}, nil},
		{"push", `{"ref":"refs/heads/x","before":"` + one + `","after":"` + zero + `","deleted":true}`, Event{Kind: Nothing, Ref: "refs/heads/x", Public: true}, nil},
		{"push", `{"ref":"refs/heads/x","before":"` + one + `","after":"` + zero + `"}`, Event{}, ErrPayload},
		{"push", `{"ref":"--upload-pack=x","before":"` + one + `","after":"` + two + `"}`, Event{Kind: Commits, Head: two, Base: one, Ref: "--upload-pack=x", HeadRefs: []string{}, Public: true}, nil},
		{"pull_request", fork(`{"full_name":"ada/app"}`), pull, nil},
		{"pull_request", fork(`{"full_name":"eve/app"}`), forked, nil},
		{"pull_request_target", fork(`null`), forked, nil},
		{"pull_request_review", fork(`null`), forked, nil},
		{"pull_request", `{"pull_request":null}`, Event{}, ErrPayload},
		{"merge_group", `{"merge_group":{"head_sha":"` + two + `","head_ref":"refs/heads/q","base_sha":"` + one + `"}}`,
			Event{Kind: Commits, Head: two, Base: one, HeadRefs: []string{"refs/heads/q"}, Public: true, Trusted: one}, nil},
		{"issue_comment", `{}`, Event{Kind: Everything, Public: true}, nil},
		{"delete", `{}`, Event{Kind: Nothing, Public: true}, nil},
		{"schedule", `[]`, Event{}, ErrPayload},
	} {
		got, err := read(t, tt.name, tt.payload)
		if tt.is == nil {
			tt.want.Service, tt.want.Name = "GitHub Actions", tt.name
		}
		if d := cmp.Diff(tt.want, got); d != "" || !errors.Is(err, tt.is) {
			t.Errorf("%s %s: %v\n%s", tt.name, tt.payload, err, d)
		}
	}
}

// TestGiven: a range of the user's own changes neither who may read the log, nor
// whose configuration counts.
func TestGiven(t *testing.T) {
	pull := Event{Service: "GitHub Actions", Name: "pull_request", Kind: Commits, Head: two, Base: one, PullRequest: 7, Trusted: one}
	if d := cmp.Diff(Event{Name: "range", Kind: Commits, Head: "HEAD", Base: "x", Trusted: one}, pull.Given("x", "HEAD")); d != "" {
		t.Error(d)
	}
	if e := pull.Whole(); e.Trusted != one || e.Public || e.Kind != Everything || e.Service != pull.Service {
		t.Errorf("%+v", e)
	}
	if e := (Event{}).Given("", "HEAD"); !e.Public {
		t.Error("a log of unknown readers is not public")
	}
}

// FuzzGitHub: whatever the payload says, what goes to git as an argument is an object
// id or the full name of a ref.
func FuzzGitHub(f *testing.F) {
	f.Add("push", `{"ref":"refs/heads/x","before":"`+one+`","after":"`+two+`"}`)
	f.Add("pull_request", `{"pull_request":{"number":1,"head":{"sha":"`+two+`"},"base":{"sha":"`+one+`"}}}`)
	f.Add("merge_group", `{"merge_group":{"head_sha":"`+two+`","head_ref":"refs/heads/q","base_sha":"`+one+`"}}`)
	f.Fuzz(func(t *testing.T, name, text string) {
		e, err := githubEvent(name, []byte(text))
		if err != nil {
			return
		}
		isID := func(s string) bool { return len(s) == 40 || len(s) == 64 }
		if e.Kind == Commits && !isID(e.Head) || e.Base != "" && !isID(e.Base) || strings.Trim(e.Head+e.Base, "0123456789abcdef") != "" {
			t.Errorf("%+v", e)
		}
		for _, ref := range e.HeadRefs {
			if !strings.HasPrefix(ref, "refs/") || strings.ContainsAny(ref, ":*") {
				t.Errorf("%+v", e)
			}
		}
	})
}
