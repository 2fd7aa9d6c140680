package rules

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// Native returns a configuration of gitleaks in the format of stanch. Parts without an
// equivalent become comments that give the reason.
func Native(c *Config) string {
	var b strings.Builder
	for _, note := range c.Notes {
		writeComment(&b, note)
	}
	if c.Extends == "default" {
		writeComment(&b, "It extends gitleaks' default rules: save gitleaks' config/gitleaks.toml, and name it here.")
		writeComment(&b, `gitleaks_default = "gitleaks.toml"`)
	}
	for _, r := range c.Rules {
		nativeRule(&b, r)
	}
	for _, a := range c.Allowlists {
		nativeAllow(&b, c.Name, a, nil)
	}
	for _, r := range c.Rules {
		for _, a := range r.Allowlists {
			nativeAllow(&b, c.Name, a, []string{r.ID})
		}
	}
	return b.String()
}

// NativePatterns returns patterns of git-secrets, prohibited and allowed ones, in the
// format of stanch.
func NativePatterns(source string, patterns, allowed []string) string {
	var b strings.Builder
	for i, p := range patterns {
		id := fmt.Sprintf("git-secrets-%d", i+1)
		if _, err := regexp.Compile(p); err != nil {
			writeComment(&b, fmt.Sprintf("pattern %d of %s: %v", i+1, source, explained(p, err)))
			continue
		}
		nativeRule(&b, &Rule{ID: id, Title: "git-secrets pattern " + fmt.Sprint(i+1), Help: "Prohibited by " + source, Regex: p})
	}
	for i, p := range allowed {
		re, err := regexp.Compile(p)
		if err != nil {
			writeComment(&b, fmt.Sprintf("allowed pattern %d of %s: %v", i+1, source, explained(p, err)))
			continue
		}
		b.WriteString("[[allow]]\n")
		writeEntry(&b, "reason", quoted("allowed by "+source))
		writeEntry(&b, "lines", listOf([]*regexp.Regexp{re}, regexpText))
		b.WriteString("\n")
	}
	return b.String()
}

func nativeRule(b *strings.Builder, r *Rule) {
	switch {
	case r.Regex == "":
		writeComment(b, fmt.Sprintf("rule %s: is about paths alone; stanch reads what is in files", r.ID))
		return
	case len(r.Required) > 0 || r.SkipReport:
		writeComment(b, fmt.Sprintf("rule %s: depends on others; keep it in the file of gitleaks, which stanch reads", r.ID))
		return
	}
	b.WriteString("[[rules]]\n")
	writeEntry(b, "id", quoted(r.ID))
	writeEntry(b, "title", quoted(r.Title))
	if r.Help != "" {
		writeEntry(b, "help", quoted(r.Help))
	}
	writeEntry(b, "regex", literalText(r.Regex))
	if len(r.Keywords) > 0 {
		writeEntry(b, "keywords", listOf(r.Keywords, quoted))
	}
	if r.SecretGroup != 0 {
		writeEntry(b, "secret_group", fmt.Sprint(r.SecretGroup))
	}
	if r.Entropy != 0 {
		writeEntry(b, "entropy", fmt.Sprint(r.Entropy))
	}
	if r.Path != nil {
		writeEntry(b, "path", regexpText(r.Path))
	}
	b.WriteString("\n")
}

// nativeAllow writes an allowlist: as one table if all of its conditions must hold,
// as one for each kind if one is enough.
func nativeAllow(b *strings.Builder, name string, a *Allowlist, rules []string) {
	lines, regexes := a.Regexes, []*regexp.Regexp(nil)
	if a.Target == "" {
		lines, regexes = nil, a.Regexes
	}
	conditions := [][2]string{}
	add := func(key, value string, n int) {
		if n > 0 {
			conditions = append(conditions, [2]string{key, value})
		}
	}
	add("commits", listOf(a.Commits, quoted), len(a.Commits))
	add("paths", listOf(a.Paths, regexpText), len(a.Paths))
	add("regexes", listOf(regexes, regexpText), len(regexes))
	add("lines", listOf(lines, regexpText), len(lines))
	add("stopwords", listOf(a.StopWords, quoted), len(a.StopWords))
	reason := a.Description
	if reason == "" {
		reason = "allowlist of " + name
	}
	for i, c := range conditions {
		if i == 0 || !a.And {
			b.WriteString("[[allow]]\n")
			writeEntry(b, "reason", quoted(reason))
			if len(rules) > 0 {
				writeEntry(b, "rules", listOf(rules, quoted))
			}
		}
		if c[0] == "lines" && a.Target == TargetMatch {
			writeComment(b, "gitleaks tries these on what the regex of the rule matches, stanch on the line")
		}
		writeEntry(b, c[0], c[1])
		if !a.And || i == len(conditions)-1 {
			b.WriteString("\n")
		}
	}
}

// NativeAllow returns a table that allows one credential.
func NativeAllow(reason, rule, fingerprint string) string {
	var b strings.Builder
	b.WriteString("[[allow]]\n")
	writeEntry(&b, "reason", quoted(reason))
	writeEntry(&b, "rules", listOf([]string{rule}, quoted))
	writeEntry(&b, "fingerprints", listOf([]string{fingerprint}, quoted))
	b.WriteString("\n")
	return b.String()
}

func writeComment(b *strings.Builder, text string) {
	text = strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, text)
	b.WriteString("# " + text + "\n")
}

func writeEntry(b *strings.Builder, key, value string) { b.WriteString(key + " = " + value + "\n") }

func listOf[T any](all []T, write func(T) string) string {
	items := []string{}
	for _, x := range all {
		items = append(items, write(x))
	}
	if len(items) == 1 {
		return "[" + items[0] + "]"
	}
	return "[\n  " + strings.Join(items, ",\n  ") + ",\n]"
}

func regexpText(re *regexp.Regexp) string { return literalText(re.String()) }

// literalText returns s as a string of TOML, without escapes if that is possible.
func literalText(s string) string {
	if strings.Contains(s, "'''") || strings.HasSuffix(s, "'") || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return quoted(s)
	}
	return "'''" + s + "'''"
}

// quoted returns s as a basic string of TOML, which has the escapes of JSON.
func quoted(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil { // strings are always encoded
		panic(err)
	}
	return strings.ReplaceAll(strings.TrimSpace(b.String()), "\x7f", `\u007f`)
}
