package suppress

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/stanch-dev/stanch/detectors/rules"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/baseline"
	"github.com/stanch-dev/stanch/scanner/finding"
)

// GitleaksIgnore reads a .gitleaksignore: a line is FILE:RULE:LINE or
// COMMIT:FILE:RULE:LINE, and "#" begins a comment. Lines that are neither are noted,
// as in gitleaks.
func GitleaksIgnore(file string, data []byte, name Namer, notes *Notes) (scanner.LocationFilter, error) {
	list, err := readIgnore(file, data, notes)
	if err != nil {
		return nil, err
	}
	return positions(file, list, name), nil
}

// A position is an entry of a .gitleaksignore, or of a report of gitleaks.
type position struct {
	commit, path, rule string
	line               int
}

func readIgnore(file string, data []byte, notes *Notes) (list []position, err error) {
	if !isText(data) {
		return nil, fmt.Errorf("%s: is not text", file)
	}
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		parts := strings.Split(line, ":")
		if len(parts) == 3 {
			parts = slices.Insert(parts, 0, "")
		}
		at, err := 0, errors.New("not three or four parts")
		if len(parts) == 4 {
			at, err = strconv.Atoi(parts[3])
		}
		if fingerprint, no := rules.ParseFingerprint(line); no == nil {
			notes.Add(`%s: line %d: is a fingerprint of stanch, which hides nothing here: run "stanch allow %s --reason REASON"`, file, n, fingerprint)
			continue
		}
		if err != nil {
			notes.Add("%s: line %d: is not FILE:RULE:LINE or COMMIT:FILE:RULE:LINE: it hides nothing", file, n)
			continue
		}
		list = append(list, position{parts[0], strings.ReplaceAll(parts[1], `\`, "/"), parts[2], at})
	}
	return list, nil
}

func isText(data []byte) bool { return bytes.IndexByte(data, 0) < 0 }

// positions returns the filter of a list. A place is hidden if the credential stands at a
// position of the list in any version of the same file: gitleaks names the commit and the
// line where it was added, and it is still the same credential after the line has moved.
func positions(file string, list []position, name Namer) scanner.LocationFilter {
	type key struct {
		path string
		line int
	}
	index := map[key][]position{}
	for _, p := range list {
		k := key{p.path, p.line}
		index[k] = append(index[k], p)
	}
	var mu sync.Mutex // of all below: a sweep runs several scans with one filter
	var last *finding.Finding
	var places int             // how many last had
	var hidden map[string]bool // files in which last is
	return func(f *finding.Finding, l *finding.Location) string {
		mu.Lock()
		defer mu.Unlock()
		if f != last || len(f.Locations) != places {
			last, places, hidden = f, len(f.Locations), map[string]bool{}
			for i := range f.Locations {
				l := &f.Locations[i]
				for _, p := range slices.Concat(index[key{name(l), l.Line}], index[key{name(l), l.SecretLine}]) {
					if (p.commit == "" || p.commit == l.Commit) && isAbout(p.rule, f) {
						hidden[p.path] = true
					}
				}
			}
		}
		if path := name(l); path != "" && hidden[path] {
			return "listed in " + file
		}
		return ""
	}
}

// DetectSecrets reads a .secrets.baseline of detect-secrets: which secrets, by their
// SHA-1, are known in which file. A secret that was audited as real is not hidden. A key id
// without a secret is known wherever it stands.
func DetectSecrets(file string, data []byte, name Namer) (scanner.LocationFilter, error) {
	known, err := readDetectSecrets(file, data)
	if err != nil {
		return nil, err
	}
	return func(f *finding.Finding, l *finding.Location) string {
		path := name(l)
		for _, s := range texts(f) {
			sum := sha1.Sum([]byte(s))
			hash := "\x00" + hex.EncodeToString(sum[:])
			if path != "" && known[path+hash] || isLoneID(f) && known[hash] {
				return "listed in " + file
			}
		}
		return ""
	}, nil
}

// isLoneID reports whether f is a key id without its secret.
func isLoneID(f *finding.Finding) bool {
	c := f.Match.Credential
	return c.ID != "" && c.Secret.IsZero()
}

func readDetectSecrets(file string, data []byte) (known map[string]bool, err error) {
	var saved struct {
		Results *map[string][]struct {
			Filename, Type string
			HashedSecret   string `json:"hashed_secret"`
			IsSecret       *bool  `json:"is_secret"`
		}
	}
	if err := json.Unmarshal(data, &saved); err != nil {
		return nil, fmt.Errorf("%s: not a baseline of detect-secrets: %w", file, withoutContent(err))
	}
	if saved.Results == nil {
		return nil, fmt.Errorf("%s: not a baseline of detect-secrets: it has no results", file)
	}
	known = map[string]bool{}
	var audited []string
	for path, list := range *saved.Results {
		for _, r := range list {
			if b, err := hex.DecodeString(r.HashedSecret); err != nil || len(b) != sha1.Size {
				return nil, fmt.Errorf("%s: not a baseline of detect-secrets: %s has a secret without a SHA-1", file, path)
			}
			hash := "\x00" + strings.ToLower(r.HashedSecret)
			if r.IsSecret != nil && *r.IsSecret {
				audited = append(audited, hash)
				continue
			}
			known[strings.ReplaceAll(path, `\`, "/")+hash], known[hash] = true, true
		}
	}
	for _, hash := range audited {
		delete(known, hash)
	}
	return known, nil
}

// withoutContent returns an error of JSON without the text that it quotes: the file may be
// any file.
func withoutContent(err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("byte %d: %w", syntax.Offset, err)
	case errors.As(err, &kind):
		return fmt.Errorf("byte %d: %s is of the wrong type", kind.Offset, kind.Field)
	}
	return err
}

// GitSecrets returns the filter for the allowed patterns of git-secrets: extended regular
// expressions that are tried on PATH:LINE:TEXT, the output of git grep. The patterns come
// from a .gitallowed, one a line, or from git's configuration. The error names a pattern
// that cannot be used.
func GitSecrets(source string, patterns []string, name Namer) (scanner.LocationFilter, error) {
	var list []*regexp.Regexp
	for i, p := range patterns {
		if p = strings.TrimRight(p, "\r\n"); p == "" || strings.HasPrefix(p, "#") {
			continue
		}
		re, err := regexp.Compile(p)
		if err != nil {
			return nil, fmt.Errorf("%s: pattern %d: %w", source, i+1, err)
		}
		list = append(list, re)
	}
	return func(_ *finding.Finding, l *finding.Location) string {
		numbers := []int{l.Line, l.SecretLine}
		for i, line := range lines(l) {
			if anyOf(list, fmt.Sprintf("%s:%d:%s", name(l), numbers[i], line)) {
				return "allowed by " + source
			}
		}
		return ""
	}, nil
}

// Lines splits a file into lines.
func Lines(data []byte) (list []string) {
	in := bufio.NewScanner(bytes.NewReader(data))
	in.Buffer(nil, len(data)+1)
	for in.Scan() {
		list = append(list, in.Text())
	}
	return list
}

// Known returns the filter for findings that a baseline or an earlier report lists.
func Known(file string, list *baseline.List) scanner.Filter {
	return func(f *finding.Finding) string {
		if list.Knows(f) {
			return "known: in " + file
		}
		return ""
	}
}

// GitleaksReport reads a JSON report of gitleaks. A finding that it lists with its secret
// is hidden everywhere. A redacted finding is hidden only where it is listed.
func GitleaksReport(file string, data []byte, name Namer) (scanner.LocationFilter, error) {
	var report []struct {
		RuleID, File, Commit, Secret string
		StartLine                    int
	}
	if err := json.Unmarshal(data, &report); err != nil {
		return nil, fmt.Errorf("%s: not a report of gitleaks: %w", file, withoutContent(err))
	}
	secrets := map[string][]string{} // rules, by secret
	var list []position
	for i, r := range report {
		if r.RuleID == "" || r.File == "" && r.Secret == "" {
			return nil, fmt.Errorf("%s: not a report of gitleaks: finding %d has no RuleID or File", file, i+1)
		}
		if s := r.Secret; s != "" && s != "REDACTED" && !strings.HasSuffix(s, "...") {
			secrets[s] = append(secrets[s], r.RuleID)
			continue
		}
		list = append(list, position{r.Commit, r.File, r.RuleID, r.StartLine})
	}
	redacted := positions(file, list, name)
	return func(f *finding.Finding, l *finding.Location) string {
		for _, s := range texts(f) {
			if slices.ContainsFunc(secrets[s], func(rule string) bool { return isAbout(rule, f) }) {
				return "known: in " + file
			}
		}
		return redacted(f, l)
	}, nil
}
