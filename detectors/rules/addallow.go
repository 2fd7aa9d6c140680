package rules

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"
)

// AddAllow returns data, a file called name in the format of stanch, with a table at its end
// that allows fingerprints until a day, or for ever if that is zero. All that was there stays
// byte for byte; the new lines end as those of the file do. It returns the line of the table,
// too. An error says why the file cannot have the table.
func AddAllow(name string, data []byte, reason string, until time.Time, fingerprints []string) (text []byte, line int, err error) {
	var b strings.Builder
	if len(bytes.TrimSpace(data)) > 0 {
		if !bytes.HasSuffix(data, []byte("\n")) {
			b.WriteString("\n")
		}
		b.WriteString("\n")
	}
	b.WriteString("[[allow]]\n")
	writeEntry(&b, "reason", quoted(reason))
	if !until.IsZero() {
		writeEntry(&b, "expires", until.Format(time.DateOnly))
	}
	writeEntry(&b, "fingerprints", listOf(fingerprints, quoted))
	table := b.String()
	if bytes.Contains(data, []byte("\r\n")) {
		table = strings.ReplaceAll(table, "\n", "\r\n")
	}
	text = slices.Concat(data, []byte(table))
	if !IsOwn(text) {
		return nil, 0, fmt.Errorf("%s is in the format of gitleaks, which has no fingerprints of stanch: \"stanch migrate FILE\" prints it in that of stanch", name)
	}
	own, err := ReadOwn(name, text, until.Location())
	if err != nil {
		return nil, 0, fmt.Errorf("a table [[allow]] cannot be added at the end: %w", err)
	}
	last := own.Allow[len(own.Allow)-1]
	if last.Reason != reason || !last.Expires.Equal(until) || !slices.Equal(last.Fingerprints, fingerprints) {
		return nil, 0, fmt.Errorf("%s: a table [[allow]] at its end would not be read as it was written", name)
	}
	header := len(data) + bytes.Index(text[len(data):], []byte("[[allow]]"))
	return text, 1 + bytes.Count(text[:header], []byte("\n")), nil
}

// Hides reports whether a allows the finding with this fingerprint wherever it stands.
func (a *Allow) Hides(fingerprint string) bool {
	return slices.Contains(a.Fingerprints, fingerprint) &&
		len(a.Commits)+len(a.Paths)+len(a.Regexes)+len(a.Lines)+len(a.StopWords) == 0
}
