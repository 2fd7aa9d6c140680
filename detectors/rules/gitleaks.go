package rules

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// The file of gitleaks, key by key (its config/config.go, v8.30.1).
type gitleaksFile struct {
	Title, Description, MinVersion string
	Extend                         struct {
		Path, URL     string
		UseDefault    bool
		DisabledRules []string
	}
	Rules      []gitleaksRule
	Allowlist  *gitleaksAllowlist // old form
	Allowlists []gitleaksAllowlist
}

type gitleaksRule struct {
	ID, Description, Path, Regex string
	SecretGroup                  int
	Entropy                      float64
	Keywords, Tags               []string
	Allowlist                    *gitleaksAllowlist // old form
	Allowlists                   []gitleaksAllowlist
	Required                     []struct {
		ID                         string
		WithinLines, WithinColumns *int
	}
	SkipReport bool
}

type gitleaksAllowlist struct {
	Description, Condition, RegexTarget             string
	Commits, Paths, Regexes, StopWords, TargetRules []string
}

// A Gitleaks reads configurations of gitleaks.
type Gitleaks struct {
	// Open returns the content of a file that another one extends.
	Open func(name string) ([]byte, error)
	// Default is gitleaks' own configuration, for files that extend it; empty if
	// there is none at hand.
	Default     []byte
	DefaultName string
}

// maxExtends bounds the chain of files that extend each other, as in gitleaks.
const maxExtends = 2

// Read reads a file. Rules and conditions that cannot be used are left out, and Config.Notes
// name them. If the file is no configuration at all, the error names the line and the key.
func (g Gitleaks) Read(name string, data []byte) (*Config, error) { return g.read(name, data, 0) }

func (g Gitleaks) read(name string, data []byte, depth int) (*Config, error) {
	var file gitleaksFile
	c := &Config{Name: name}
	unknown, err := decodeTOML(name, data, &file)
	if err != nil {
		return nil, err
	}
	for _, u := range unknown {
		c.note("%s: gitleaks 8.30.1 has no such key, it is left out", u)
	}
	for i := range file.Rules {
		c.addRule(&file.Rules[i], data)
	}
	old := len(file.Allowlists) // the index of the one in the old form
	if file.Allowlist != nil {
		file.Allowlists = append(file.Allowlists, *file.Allowlist)
	}
	targets := map[string][]*Allowlist{}
	for i := range file.Allowlists {
		where := "[[allowlists]]"
		if i == old {
			where = "[allowlist]"
		}
		a := c.allowlist(where, &file.Allowlists[i], data)
		switch list := file.Allowlists[i].TargetRules; {
		case a == nil:
		case len(list) == 0:
			c.Allowlists = append(c.Allowlists, a)
			c.Own = append(c.Own, a)
		default:
			for _, id := range list {
				targets[id] = append(targets[id], a)
			}
		}
	}
	if err := g.extend(c, &file, depth); err != nil {
		return nil, err
	}
	if depth > 0 {
		return c, nil
	}
	for id, list := range targets {
		i := slices.IndexFunc(c.Rules, func(r *Rule) bool { return r.ID == id })
		if i < 0 {
			c.note("[[allowlists]]: there is no rule %q to apply it to", id)
			continue
		}
		c.Rules[i].Allowlists = append(c.Rules[i].Allowlists, list...)
	}
	slices.Sort(c.Notes)
	c.Rules = slices.DeleteFunc(c.Rules, func(r *Rule) bool { return !c.usable(r) })
	return c, nil
}

func (c *Config) note(format string, args ...any) {
	c.Notes = append(c.Notes, c.Name+": "+fmt.Sprintf(format, args...))
}

// addRule adds a rule, even one without a regex: it may change a rule of the file that is
// extended. read leaves out the rules that have none in the end.
func (c *Config) addRule(in *gitleaksRule, data []byte) {
	r := &Rule{
		ID: in.ID, Title: titleOf(in.ID), Help: in.Description, Regex: in.Regex, Keywords: in.Keywords,
		SecretGroup: in.SecretGroup, Entropy: in.Entropy, SkipReport: in.SkipReport, Tags: in.Tags,
	}
	if in.Path != "" {
		path, err := regexp.Compile(in.Path)
		if err != nil {
			c.note("rule %s: path: %s%v; the rule is left out", in.ID, atLine(data, in.Path), explained(in.Path, err))
			return
		}
		r.Path = path
	}
	if _, err := syntax.Parse(in.Regex, syntax.Perl); err != nil {
		c.note("rule %s: regex: %s%v; the rule is left out", in.ID, atLine(data, in.Regex), explained(in.Regex, err))
		return
	}
	for _, q := range in.Required {
		r.Required = append(r.Required, Required{q.ID, q.WithinLines, q.WithinColumns})
	}
	if in.Allowlist != nil {
		in.Allowlists = append(in.Allowlists, *in.Allowlist)
	}
	for i := range in.Allowlists {
		if a := c.allowlist("rule "+in.ID+": allowlist", &in.Allowlists[i], data); a != nil {
			r.Allowlists = append(r.Allowlists, a)
		}
	}
	if i := slices.IndexFunc(c.Rules, func(r *Rule) bool { return r.ID == in.ID }); i >= 0 {
		c.note("rule %s: is there twice; the last one counts", in.ID)
		c.Rules[i] = r
		return
	}
	c.Rules = append(c.Rules, r)
}

// titleOf makes a title of an id. Descriptions are whole sentences, too long for a title.
func titleOf(id string) string { return strings.NewReplacer("-", " ", "_", " ").Replace(id) }

// allowlist returns nil if the list has no condition that can be used. data is the file.
func (c *Config) allowlist(where string, in *gitleaksAllowlist, data []byte) *Allowlist {
	a := &Allowlist{Description: in.Description, Commits: in.Commits, StopWords: in.StopWords}
	switch strings.ToUpper(in.Condition) {
	case "AND", "&&":
		a.And = true
	case "", "OR", "||":
	default:
		c.note("%s: unknown condition %q; it is left out", where, in.Condition)
		return nil
	}
	switch in.RegexTarget {
	case "", "secret":
	case TargetMatch, TargetLine:
		a.Target = in.RegexTarget
	default:
		c.note("%s: unknown regexTarget %q; it is left out", where, in.RegexTarget)
		return nil
	}
	var pathErr, regexErr error
	a.Paths, pathErr = compileAll(in.Paths, data)
	a.Regexes, regexErr = compileAll(in.Regexes, data)
	if err := errors.Join(pathErr, regexErr); err != nil {
		c.note("%s: %v; it hides nothing", where, strings.ReplaceAll(err.Error(), "\n", "; "))
		if a.And {
			return nil // without the condition it would hide more than was meant
		}
	}
	if !a.isAboutText() && !a.isAboutLocation() {
		c.note("%s: has no condition; it is left out", where)
		return nil
	}
	a.prepare()
	return a
}

// compileAll returns the expressions of data, a file, that can be compiled, and the errors of the
// others.
func compileAll(list []string, data []byte) (all []*regexp.Regexp, err error) {
	var errs []error
	for _, s := range list {
		re, err := regexp.Compile(s)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s%w", atLine(data, s), explained(s, err)))
			continue
		}
		all = append(all, re)
	}
	return all, errors.Join(errs...)
}

// extend adds the rules and allowlists of the configuration that file extends.
func (g Gitleaks) extend(c *Config, file *gitleaksFile, depth int) error {
	x := file.Extend
	switch {
	case x.Path != "" && x.UseDefault:
		return fmt.Errorf("%s: extend: path and useDefault do not go together", c.Name)
	case x.URL != "":
		c.note("extend.url: is not read, nothing is fetched")
	}
	if x.Path == "" && !x.UseDefault || depth >= maxExtends {
		return nil
	}
	name, data := g.DefaultName, g.Default
	if x.UseDefault && len(data) == 0 {
		c.Extends = "default"
		return nil
	}
	if x.Path != "" {
		var err error
		if name = x.Path; g.Open == nil {
			return fmt.Errorf("%s: extend.path %s: cannot be read from here", c.Name, name)
		}
		if data, err = g.Open(name); err != nil {
			return fmt.Errorf("%s: extend.path: %w", c.Name, err)
		}
	}
	base, err := g.read(name, data, depth+1)
	if err != nil {
		return fmt.Errorf("%s: extend: %w", c.Name, err)
	}
	c.Notes = append(c.Notes, base.Notes...)
	c.Extends = base.Extends
	c.Allowlists = append(c.Allowlists, base.Allowlists...)
	for _, id := range x.DisabledRules {
		if !slices.ContainsFunc(base.Rules, func(r *Rule) bool { return r.ID == id }) {
			c.note("extend.disabledRules: %s has no rule %q", name, id)
		}
	}
	for _, b := range base.Rules {
		if slices.Contains(x.DisabledRules, b.ID) {
			continue
		}
		if i := slices.IndexFunc(c.Rules, func(r *Rule) bool { return r.ID == b.ID }); i >= 0 {
			c.Rules[i] = override(b, c.Rules[i])
			continue
		}
		c.Rules = append(c.Rules, b)
	}
	slices.SortStableFunc(c.Rules, func(a, b *Rule) int { return strings.Compare(a.ID, b.ID) })
	return nil
}

// override returns base with the fields that r sets.
func override(base, r *Rule) *Rule {
	out := *base
	if r.Help != "" {
		out.Help = r.Help
	}
	if r.Entropy != 0 {
		out.Entropy = r.Entropy
	}
	if r.SecretGroup != 0 {
		out.SecretGroup = r.SecretGroup
	}
	if r.Regex != "" {
		out.Regex = r.Regex
	}
	if r.Path != nil {
		out.Path = r.Path
	}
	out.Tags = slices.Concat(base.Tags, r.Tags)
	out.Keywords = slices.Concat(base.Keywords, r.Keywords)
	out.Allowlists = slices.Concat(base.Allowlists, r.Allowlists)
	out.Required = slices.Concat(base.Required, r.Required)
	return &out
}

// usable reports whether r can find anything. If not, it notes why.
func (c *Config) usable(r *Rule) bool {
	why := ""
	switch {
	case strings.TrimSpace(r.ID) == "":
		why = "has no id"
	case r.Regex == "" && r.Path == nil:
		why = "has neither regex nor path"
	case r.Regex == "":
		why = "is about paths alone, and stanch looks into files"
	}
	if why == "" {
		if err := r.check(); err != nil {
			why = err.Error()
		}
	}
	for _, q := range r.Required {
		if !slices.ContainsFunc(c.Rules, func(other *Rule) bool { return other.ID == q.ID }) {
			why = fmt.Sprintf("requires rule %q, which is not there", q.ID)
		}
	}
	if slices.Contains(r.Keywords, "") {
		why = "has an empty keyword"
	}
	if why != "" {
		c.note("rule %s: %s; the rule is left out", r.ID, why)
	}
	return why == ""
}

// check returns an error if the regex of r, or its SecretGroup, is wrong.
func (r *Rule) check() error {
	re, err := syntax.Parse(r.Regex, syntax.Perl)
	switch {
	case err != nil:
		return err
	case r.SecretGroup < 0 || r.SecretGroup > re.MaxCap():
		return fmt.Errorf("secret group %d: the regex has %d groups", r.SecretGroup, re.MaxCap())
	}
	return nil
}

// decodeTOML reads a TOML file into out. It returns the keys that out does not have, as
// "line 3: key". No error holds text of the file, which may be any file.
func decodeTOML(name string, data []byte, out any) (unknown []string, err error) {
	d := toml.NewDecoder(strings.NewReader(string(data)))
	d.DisallowUnknownFields()
	err = d.Decode(out)
	var missing *toml.StrictMissingError
	if errors.As(err, &missing) {
		for _, e := range missing.Errors {
			line, _ := e.Position()
			unknown = append(unknown, fmt.Sprintf("line %d: %s", line, strings.Join(e.Key(), ".")))
		}
		return unknown, nil
	}
	var syntaxErr *toml.DecodeError
	if errors.As(err, &syntaxErr) {
		line, _ := syntaxErr.Position()
		where := fmt.Sprintf("%s: line %d", name, line)
		if key := strings.Join(syntaxErr.Key(), "."); key != "" {
			where += ": " + key
		}
		return nil, fmt.Errorf("%s: %s", where, plainError(syntaxErr))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return nil, nil
}

// plainError returns the text of err without types of Go.
func plainError(err error) string {
	text := err.Error()
	found, into, ok := strings.Cut(text, " into ")
	found, isType := strings.CutPrefix(found, "toml: cannot decode TOML ")
	if !ok || !isType {
		return strings.TrimPrefix(text, "toml: ")
	}
	switch wanted := into[strings.LastIndexByte(into, ' ')+1:]; {
	case strings.HasPrefix(wanted, "[]"):
		return "a list has to stand here, such as [\"a\", \"b\"], and not a value of type " + found
	case wanted == "string":
		return "a text in quotes has to stand here, and not a value of type " + found
	}
	return "a value of type " + found + " cannot stand here"
}
