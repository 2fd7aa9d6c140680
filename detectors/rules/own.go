package rules

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// Own is a file in the format of stanch. No part of it is ever left out: an unknown key is
// an error.
type Own struct {
	Config
	Allow  []*Allow
	Unread []*Unread
	// Gitleaks is gitleaks' own configuration, for files that extend it.
	Gitleaks string
}

// An Allow suppresses findings. One condition of each list that is not empty must hold.
type Allow struct {
	Note
	Rules        []string
	Fingerprints []string
	Commits      []string // lower case, seven digits or more
	Paths        []*regexp.Regexp
	Regexes      []*regexp.Regexp // of the id or the secret
	Lines        []*regexp.Regexp // of the line with the finding
	StopWords    []string         // lower case, in the id or the secret
}

// An Unread declares that an object is known to be unreadable, by its path or its id.
type Unread struct {
	Note
	Paths []*regexp.Regexp
	Blobs []string
}

// A Note is the reason for a suppression, with its author and its end.
type Note struct {
	Reason, Author string
	// Expires is the beginning of the last day; zero is never.
	Expires time.Time
	Line    int // in the file
}

// Expired reports whether the last day is over at now.
func (n *Note) Expired(now time.Time) bool {
	return !n.Expires.IsZero() && !now.Before(n.Expires.AddDate(0, 0, 1))
}

// The file, key by key.
type ownFile struct {
	Gitleaks string `toml:"gitleaks_default"`
	Rules    []struct {
		ID          string   `toml:"id"`
		Title       string   `toml:"title"`
		Help        string   `toml:"help"`
		Regex       pattern  `toml:"regex"`
		Keywords    []string `toml:"keywords"`
		SecretGroup int      `toml:"secret_group"`
		Entropy     float64  `toml:"entropy"`
		Path        pattern  `toml:"path"`
	} `toml:"rules"`
	Allow []struct {
		ownNote
		Rules        []string      `toml:"rules"`
		Fingerprints []fingerprint `toml:"fingerprints"`
		Commits      []string      `toml:"commits"`
		Paths        []pattern     `toml:"paths"`
		Regexes      []pattern     `toml:"regexes"`
		Lines        []pattern     `toml:"lines"`
		StopWords    []string      `toml:"stopwords"`
	} `toml:"allow"`
	Unread []struct {
		ownNote
		Paths []pattern `toml:"paths"`
		Blobs []string  `toml:"blobs"`
	} `toml:"unread"`
	Respond map[string]any `toml:"respond"` // only in the operator's own file
}

type ownNote struct {
	Reason  string          `toml:"reason"`
	Author  string          `toml:"author"`
	Expires *toml.LocalDate `toml:"expires"`
}

// A pattern is a regular expression that is compiled where it is read, so that an
// error knows its line.
type pattern struct{ *regexp.Regexp }

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *pattern) UnmarshalText(text []byte) error {
	re, err := regexp.Compile(string(text))
	p.Regexp = re
	return explained(string(text), err)
}

// IsOwn reports whether data, a configuration, is not in the format of gitleaks. Data in
// neither format counts as stanch's own, whose reader is strict.
func IsOwn(data []byte) bool {
	for line := range strings.Lines(string(data)) {
		line = strings.ToLower(strings.Join(strings.Fields(line), ""))
		for _, sign := range []string{"[extend]", "[allowlist]", "[[allowlists]]", "[rules.allowlist]", "[[rules.allowlists]]",
			"[[rules.required]]", "minversion=", "secretgroup=", "description=", "extend."} {
			if strings.HasPrefix(line, sign) {
				return false
			}
		}
	}
	return true
}

// ReadOwn reads a file in the format of stanch. An error names file, line and key. Dates
// are in zone.
func ReadOwn(name string, data []byte, zone *time.Location) (*Own, error) {
	var file ownFile
	err := DecodeStrict(name, data, &file)
	if err != nil {
		return nil, err
	}
	if file.Respond != nil {
		return nil, fmt.Errorf("%s: respond: it says who shuts off keys, and a project is not trusted with that: "+
			"put it into stanch/.stanch.toml of your configuration folder (https://github.com/stanch-dev/stanch/blob/main/docs/configuration.md)", name)
	}
	var errs []error
	o := &Own{Config: Config{Name: name}, Gitleaks: file.Gitleaks}
	tables := tableLines(data)
	fail := func(table string, i int, format string, args ...any) {
		line := 0
		if i < len(tables[table]) {
			line = tables[table][i]
		}
		errs = append(errs, fmt.Errorf("%s: line %d: %s: %s", name, line, table, fmt.Sprintf(format, args...)))
	}
	for i, in := range file.Rules {
		r := &Rule{ID: in.ID, Title: in.Title, Help: in.Help, Keywords: in.Keywords,
			SecretGroup: in.SecretGroup, Entropy: in.Entropy, Path: in.Path.Regexp}
		if in.Regex.Regexp != nil {
			r.Regex = in.Regex.String()
		}
		if r.Title == "" {
			r.Title = titleOf(in.ID)
		}
		if err := o.checkRule(r); err != nil {
			fail("rules", i, "%v", err)
		}
		o.Rules = append(o.Rules, r)
	}
	for i, in := range file.Allow {
		a := &Allow{Rules: in.Rules, Fingerprints: digits(in.Fingerprints), Commits: lowerAll(in.Commits), StopWords: lowerAll(in.StopWords),
			Paths: regexps(in.Paths), Regexes: regexps(in.Regexes), Lines: regexps(in.Lines)}
		conditions := len(a.Fingerprints) + len(a.Commits) + len(a.StopWords) + len(a.Paths) + len(a.Regexes) + len(a.Lines)
		if a.Note, err = in.note(zone, tables["allow"], i); err != nil {
			fail("allow", i, "%v", err)
		}
		if conditions == 0 {
			fail("allow", i, "needs one of paths, regexes, lines, stopwords, commits, fingerprints: else it would hide all")
		}
		if slices.ContainsFunc(a.Commits, func(c string) bool { return len(c) < 7 }) || slices.Contains(a.StopWords, "") {
			fail("allow", i, "a commit has less than seven digits, or a stopword is empty")
		}
		o.Allow = append(o.Allow, a)
	}
	for i, in := range file.Unread {
		u := &Unread{Paths: regexps(in.Paths), Blobs: in.Blobs}
		if u.Note, err = in.note(zone, tables["unread"], i); err != nil {
			fail("unread", i, "%v", err)
		}
		if len(u.Paths)+len(u.Blobs) == 0 {
			fail("unread", i, "needs paths or blobs: else it would hide all")
		}
		o.Unread = append(o.Unread, u)
	}
	return o, errors.Join(errs...)
}

// DecodeStrict reads data, a file in TOML, into out. Each key that out does not have is an
// error. Errors name file, line and key.
func DecodeStrict(name string, data []byte, out any) error {
	unknown, err := decodeTOML(name, data, out)
	if err != nil {
		return err
	}
	var errs []error
	for _, u := range unknown {
		_, key, _ := strings.Cut(u, ": ")
		errs = append(errs, fmt.Errorf("%s: %s: unknown key%s", name, u, knownKeys(reflect.TypeOf(out), key)))
	}
	return errors.Join(errs...)
}

// tableLines returns the lines of the headers [[table]], by table.
func tableLines(data []byte) map[string][]int {
	tables := map[string][]int{}
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		line = strings.Join(strings.Fields(line), "")
		if name, ok := strings.CutPrefix(line, "[["); ok {
			name, _, _ = strings.Cut(name, "]]")
			tables[name] = append(tables[name], n)
		}
	}
	return tables
}

func (n *ownNote) note(zone *time.Location, lines []int, i int) (Note, error) {
	note := Note{Reason: n.Reason, Author: n.Author}
	if i < len(lines) {
		note.Line = lines[i]
	}
	if n.Expires != nil {
		note.Expires = n.Expires.AsTime(zone)
	}
	if strings.TrimSpace(n.Reason) == "" {
		return note, errors.New("reason: is missing")
	}
	return note, nil
}

var ruleID = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*$`) })

// checkRule returns an error if r is no valid rule of a file in the format of stanch.
func (o *Own) checkRule(r *Rule) error {
	switch {
	case !ruleID().MatchString(r.ID):
		return fmt.Errorf("id: %q is not of letters, digits, '-', '_' and '.'", r.ID)
	case slices.ContainsFunc(o.Rules, func(other *Rule) bool { return other.ID == r.ID }):
		return fmt.Errorf("id: %s is there twice", r.ID)
	case r.Regex == "":
		return errors.New("regex: is missing")
	case slices.Contains(r.Keywords, ""):
		return errors.New("keywords: one is empty")
	}
	if regexp.MustCompile(r.Regex).MatchString("") {
		return errors.New("regex: matches the empty text")
	}
	return r.check()
}

func regexps(list []pattern) []*regexp.Regexp {
	var all []*regexp.Regexp
	for _, p := range list {
		all = append(all, p.Regexp)
	}
	return all
}

func lowerAll(list []string) []string {
	var all []string
	for _, s := range list {
		all = append(all, strings.ToLower(strings.TrimSpace(s)))
	}
	return all
}
