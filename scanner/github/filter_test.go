package github

import (
	"strings"
	"testing"
)

func TestFilter(t *testing.T) {
	plain := Repository{Name: "Acme/App", Visibility: "public", Size: 2048, Topics: []string{"x"}}
	with := func(change func(*Repository)) Repository {
		r := plain
		change(&r)
		return r
	}
	fork, archived := with(func(r *Repository) { r.Fork = true }), with(func(r *Repository) { r.Archived = true })
	for _, tt := range []struct {
		name   string
		filter Filter
		r      Repository
		named  bool
		why    string
	}{
		{"plain", Filter{}, plain, false, ""},
		{"fork", Filter{}, fork, false, "fork"},
		{"fork_wanted", Filter{Forks: true}, fork, false, ""},
		{"fork_named", Filter{}, fork, true, ""},
		{"archived", Filter{}, archived, false, ""},
		{"archived_included", Filter{Archived: "include"}, archived, false, ""},
		{"archived_excluded", Filter{Archived: "exclude"}, archived, false, "archived"},
		{"archived_only", Filter{Archived: "only"}, archived, false, ""},
		{"not_archived", Filter{Archived: "only"}, plain, false, "not archived"},
		{"visibility", Filter{Visibility: []string{"internal", "public"}}, plain, false, ""},
		{"other_visibility", Filter{Visibility: []string{"private"}}, plain, false, "of other visibility"},
		{"topic", Filter{Topics: []string{"y", "x"}}, plain, false, ""},
		{"no_topic", Filter{Topics: []string{"y"}}, plain, false, "without the topic"},
		{"size", Filter{MaxSize: 2}, plain, false, ""},
		{"too_large", Filter{MaxSize: 1}, plain, false, "too large"},
		{"too_large_named", Filter{MaxSize: 1}, plain, true, ""},
		{"skip", Filter{Skip: []string{"acme/a*"}}, plain, false, "skipped"},
		{"skip_named", Filter{Skip: []string{"acme/a*"}}, plain, true, "skipped"},
		{"skip_by_name", Filter{Skip: []string{"[A-B]pp"}}, plain, false, "skipped"},
		{"skip_other", Filter{Skip: []string{"acme", "acme*", "eve/*"}}, plain, false, ""},
		{"only", Filter{Only: []string{"x", "a?p"}}, plain, false, ""},
		{"only_other", Filter{Only: []string{"x"}}, plain, false, "not among --only"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.filter.Check(); err != nil {
				t.Error(err)
			}
			if why := tt.filter.Excludes(tt.r, tt.named); why != tt.why {
				t.Errorf("got %q, want %q", why, tt.why)
			}
		})
	}
	for want, f := range map[string]Filter{
		"--skip [": {Skip: []string{"["}}, "--only [": {Only: []string{"["}}, "--archived no": {Archived: "no"},
		"--visibility secret": {Visibility: []string{"secret"}}, "--max-repo-size -1": {MaxSize: -1},
	} {
		if err := f.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// TestFilterString: an error names the flags that leave nothing, as they are typed.
func TestFilterString(t *testing.T) {
	for want, f := range map[string]Filter{
		"":                            {Archived: "include", Forks: true},
		"--only a*,b --archived only": {Only: []string{"a*", "b"}, Archived: "only"},
		"--skip x --visibility public --topic go --max-repo-size 5": {Skip: []string{"x"}, Visibility: []string{"public"}, Topics: []string{"go"}, MaxSize: 5},
	} {
		if got := f.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
