package finding

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/detectors"
)

const (
	redacted = "[redacted]"
	// minSecret is the length of the shortest secret that is removed. To remove every
	// "a" would leave no path that can be found.
	minSecret = 4
)

// IsRedacted reports whether a secret was removed from text: by a scan, or by the database of a
// sweep, which writes "[redacted 1a2b3c4d]". A path of which a part is missing leads nowhere.
func IsRedacted(text string) bool {
	return strings.Contains(text, redacted) || strings.Contains(text, "[redacted ")
}

// A scrubber removes known secrets from text that came from a repository, from
// the provider or from the command line. Words of our own (rules, states) and
// computed values (fingerprints, hashes) are left alone: a custom rule that
// finds the password "live" must not make the state unreadable.
//
// It also removes secrets that the detectors find in such text: the name of a folder
// may hold the secret of a key that was found nowhere else.
type scrubber struct {
	r         *strings.Replacer
	detectors *detectors.Set // nil finds nothing
	cleaned   map[string]string
}

func newScrubber(secrets []detectors.Secret, set *detectors.Set) scrubber {
	var forms []string
	for _, s := range secrets {
		if t := s.Reveal(); len(t) >= minSecret {
			forms = append(forms, spellings(t)...)
		}
	}
	// Longest first, because a Replacer prefers the earlier of two strings that
	// match at the same place; ties by value, so that Compact finds the copies.
	slices.SortFunc(forms, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b))
	})
	forms = slices.Compact(forms)
	pairs := make([]string, 0, 2*len(forms))
	for _, f := range forms {
		pairs = append(pairs, f, redacted)
	}
	return scrubber{strings.NewReplacer(pairs...), set, map[string]string{}}
}

// Scrub removes secrets from texts that came from a report with secrets, which is
// not scrubbed itself.
func Scrub(secrets []detectors.Secret, texts ...*string) { newScrubber(secrets, nil).all(texts...) }

// spellings returns s as it may stand in URLs and quoted text. Secrets of AWS
// are letters, digits, "/", "+" and "=".
func spellings(s string) []string {
	query, path := url.QueryEscape(s), url.PathEscape(s)
	forms := []string{
		s, query, path,
		strings.ReplaceAll(s, "/", "%2F"), strings.ReplaceAll(s, "/", `\/`),
		escapeMarks(s, "%%%02X"), escapeMarks(s, `\u%04X`), escapeMarks(s, `\u%04x`),
	}
	for _, f := range forms[1:] {
		if strings.Contains(f, "%") {
			forms = append(forms, lowerHex(f), strings.ReplaceAll(f, "%", "%25"))
		}
	}
	return forms
}

// escapeMarks formats each byte of s that is no letter or digit.
func escapeMarks(s, format string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, format, c)
		}
	}
	return b.String()
}

// lowerHex turns %2F into %2f.
func lowerHex(s string) string {
	b := []byte(s)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i+1:], strings.ToLower(string(b[i+1:i+3])))
		}
	}
	return string(b)
}

func (s scrubber) all(fields ...*string) {
	for _, f := range fields {
		clean, known := s.cleaned[*f] // each branch is named at each place
		if !known {
			clean = s.undetected(s.r.Replace(*f))
			s.cleaned[*f] = clean
		}
		*f = clean
	}
}

// undetected returns text without the secret parts that detectors find in it.
func (s scrubber) undetected(text string) string {
	if s.detectors == nil {
		return text
	}
	var matches []detectors.Match
	for _, cut := range cuts(text) {
		matches = s.detectors.Detect(matches, cut)
	}
	var spans []detectors.Span
	for _, m := range matches {
		if m.NameAt != nil {
			continue // it counts only as the content of a file
		}
		for part, secret := range map[detectors.Span]detectors.Secret{m.Secret: m.Credential.Secret, m.Token: m.Credential.Token} {
			if !part.Empty() {
				spans = append(spans, encodedSpan(text, part, secret))
			}
		}
	}
	slices.SortFunc(spans, func(a, b detectors.Span) int { return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End)) })
	var b strings.Builder
	end := 0
	for _, p := range spans {
		if p.Start >= end {
			b.WriteString(text[end:p.Start] + redacted)
		}
		end = max(end, p.End)
	}
	return b.String() + text[end:]
}

// maxCuts is how many slashes of a text are thought to begin or end a secret that
// has slashes itself.
const maxCuts = 16

// cuts returns variants of text: as it is, with newlines for all slashes, and with newlines
// for each two of the last slashes. Most texts are paths, where a slash may be part of a
// secret or end it.
func cuts(text string) [][]byte {
	all := [][]byte{[]byte(text), []byte(strings.ReplaceAll(text, "/", "\n"))}
	ends := []int{len(text)}
	for at := strings.LastIndexByte(text, '/'); at >= 0 && len(ends) <= maxCuts; at = strings.LastIndexByte(text[:at], '/') {
		for _, end := range ends {
			cut := []byte(text)
			cut[at] = '\n'
			if end < len(text) {
				cut[end] = '\n'
			}
			all = append(all, cut)
		}
		ends = append(ends, at)
	}
	return all
}

// encodedSpan returns the span of secret in text. The span of an encoded secret is not
// exact; then it returns the word around it.
func encodedSpan(text string, p detectors.Span, secret detectors.Secret) detectors.Span {
	if text[p.Start:p.End] == secret.Reveal() {
		return p
	}
	p.Start = strings.LastIndexAny(text[:p.Start], " \t\n") + 1
	if k := strings.IndexAny(text[p.End:], " \t\n"); k >= 0 {
		p.End += k
	} else {
		p.End = len(text)
	}
	return p
}

func (s scrubber) scan(r *Scan) { s.all(&r.Source, &r.Target, &r.Version) }

// finding changes the slices of r in place: they belong to the record.
func (s scrubber) finding(r *record) {
	s.all(&r.Account, &r.Reason, &r.Stale, &r.Ignored, &r.Overruled,
		&r.Identity.ARN, &r.Identity.Kind, &r.Identity.Name, &r.Identity.UserID)
	for i := range r.Facts {
		s.all(&r.Facts[i].Name, &r.Facts[i].Value, &r.Facts[i].Source)
	}
	s.locations(r.Locations)
	for i := range r.Candidates {
		s.locations(r.Candidates[i].Locations)
	}
}

func (s scrubber) locations(list []Location) {
	for i := range list {
		l := &list[i]
		s.all(&l.Repo, &l.Path, &l.Commit, &l.Author, &l.Email, (*string)(&l.Blob), &l.Unreachable, &l.Ignored)
		for j := range l.Refs {
			s.all(&l.Refs[j])
		}
	}
}

func (s scrubber) summary(r *Summary) {
	for _, list := range [][]Unread{r.Unread, r.Accepted} {
		for i := range list {
			u := &list[i]
			s.all(&u.What, &u.Why, &u.Accepted, (*string)(&u.Blob))
		}
	}
	for i := range r.Repositories {
		one := &r.Repositories[i]
		s.all(&one.Name, &one.URL, &one.Why, &one.ForkOf)
	}
}
