package github

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A Filter selects repositories of an owner. The zero Filter leaves out forks, which have
// few commits of their own, and nothing else: a key in an archived repository works as
// well as any.
type Filter struct {
	Archived   string   // "include", as "" does, "exclude" or "only"
	Forks      bool     // forks, too
	Visibility []string // public, private, internal; none is all
	Topics     []string // one of them; none is any
	Skip, Only []string // patterns of path.Match for owner/name, or name if they have no slash
	MaxSize    int64    // MiB; 0 is no limit
}

// Check returns an error if f is a mistake. The error names the flag of the wrong field.
func (f Filter) Check() error {
	for flag, patterns := range map[string][]string{"skip": f.Skip, "only": f.Only} {
		for _, p := range patterns {
			if _, err := path.Match(p, ""); err != nil {
				return fmt.Errorf("--%s %s: %w", flag, p, err)
			}
		}
	}
	if !slices.Contains([]string{"", "include", "exclude", "only"}, f.Archived) {
		return fmt.Errorf("--archived %s: it is one of include, exclude and only", f.Archived)
	}
	for _, v := range f.Visibility {
		if !slices.Contains([]string{"public", "private", "internal"}, v) {
			return fmt.Errorf("--visibility %s: it is one of public, private and internal", v)
		}
	}
	if f.MaxSize < 0 || f.MaxSize > 1<<40 {
		return fmt.Errorf("--max-repo-size %d: not a size in MiB", f.MaxSize)
	}
	return nil
}

// Excludes returns why r is left out, for example "fork", or "" if it is selected. named
// says that the user named the repository: then only Skip can leave it out.
func (f Filter) Excludes(r Repository, named bool) string {
	switch {
	case matches(f.Skip, r.Name):
		return "skipped"
	case named:
		return ""
	case len(f.Only) > 0 && !matches(f.Only, r.Name):
		return "not among --only"
	case r.Fork && !f.Forks:
		return "fork"
	case r.Archived && f.Archived == "exclude":
		return "archived"
	case !r.Archived && f.Archived == "only":
		return "not archived"
	case len(f.Visibility) > 0 && !slices.Contains(f.Visibility, r.Visibility):
		return "of other visibility"
	case len(f.Topics) > 0 && !slices.ContainsFunc(r.Topics, func(t string) bool { return slices.Contains(f.Topics, t) }):
		return "without the topic"
	case f.MaxSize > 0 && r.Size > f.MaxSize<<10:
		return "too large"
	}
	return ""
}

// String returns the flags that choose f, without those that have their default.
func (f Filter) String() string {
	var flags []string
	add := func(name string, values ...string) {
		if len(values) > 0 && values[0] != "" {
			flags = append(flags, "--"+name+" "+strings.Join(values, ","))
		}
	}
	add("only", f.Only...)
	add("skip", f.Skip...)
	add("visibility", f.Visibility...)
	add("topic", f.Topics...)
	if f.Archived != "include" {
		add("archived", f.Archived)
	}
	if f.MaxSize > 0 {
		add("max-repo-size", strconv.FormatInt(f.MaxSize, 10))
	}
	return strings.Join(flags, " ")
}

// matches reports whether one of patterns matches name, ignoring case.
func matches(patterns []string, name string) bool {
	name = strings.ToLower(name)
	for _, p := range patterns {
		of := name
		if !strings.Contains(p, "/") {
			of = path.Base(name)
		}
		if ok, _ := path.Match(strings.ToLower(p), of); ok {
			return true
		}
	}
	return false
}
