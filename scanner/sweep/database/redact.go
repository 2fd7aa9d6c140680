package database

import (
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"strconv"
	"strings"
)

// Redact returns text without anything that looks like a secret access key of AWS, or like a
// longer secret in base64. In its place it puts "[redacted 1a2b3c4d]", with the first digits
// of its SHA-256, so that two names stay two names.
//
// Names of branches, paths, repositories and authors are free text, and some are secrets.
// The database cannot tell by a list of known secrets: the finding may come after the name,
// from another repository or never. So it keeps no 40 characters that look random at all.
// That does not hit object ids, hashes and UUIDs: they are hexadecimal. A window of 40
// characters of base64 (RFC 4648 §4) looks random if it has three capitals and three small
// letters, and its pairs of neighbours are more frequent in random base64 than in paths.
// TestRedactRates has the rates of both errors.
//
// JSON stays JSON, and Redact(Redact(text)) is Redact(text).
func Redact(text string) string {
	if len(text) < secretLen {
		return text
	}
	var b strings.Builder
	done := 0
	for at := 0; at < len(text); {
		var run []unit
		run, at = nextRun(text, at)
		for _, s := range randomSpans(run) {
			b.WriteString(text[done:run[s.from].start])
			b.WriteString(redactedMark + digest(run[s.from:s.to]) + "]")
			done = run[s.to-1].end
		}
	}
	if done == 0 {
		return text
	}
	return b.String() + text[done:]
}

// RedactAttr redacts an attribute or the message of a log, for slog.HandlerOptions.
func RedactAttr(_ []string, a slog.Attr) slog.Attr {
	switch v := a.Value.Resolve(); v.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(Redact(v.String()))
	case slog.KindAny:
		if err, ok := v.Any().(error); ok {
			a.Value = slog.StringValue(Redact(err.Error()))
		}
	}
	return a
}

const (
	redactedMark = "[redacted " // finding.IsRedacted knows it
	secretLen    = 40           // characters of a secret access key
)

// A unit is a character of base64, as it is or escaped: %2F, %252f, \/, \u002b.
type unit struct {
	char       byte
	start, end int // in the text
}

// nextRun returns the units that stand side by side from text[at] on, and where to go on.
func nextRun(text string, at int) (run []unit, next int) {
	for at < len(text) {
		u, ok := unitAt(text, at)
		if !ok {
			return run, max(at+1, u.end)
		}
		run = append(run, u)
		at = u.end
	}
	return run, at
}

// unitAt returns the unit at text[at]. If there is none, the end of the unit is that of an
// escape which stands for another character.
func unitAt(text string, at int) (unit, bool) {
	c, end := text[at], at+1
	switch {
	case c == '%':
		for strings.HasPrefix(text[end:], "25") {
			end += 2
		}
		if c, ok := hexByte(text, end, 2); ok && classOf(c) == punctuation {
			return unit{c, at, end + 2}, true
		}
		return unit{}, false
	case c != '\\' || end == len(text):
	case text[end] == 'u':
		if c, ok := hexByte(text, end+1, 4); ok {
			return unit{c, at, end + 5}, classOf(c) != notBase64
		}
	default: // \n in JSON is cut as a whole, or not at all
		c, end = text[end], end+1
	}
	return unit{c, at, end}, classOf(c) != notBase64
}

// hexByte returns the byte that n hexadecimal digits at text[at] stand for, 0 for a larger
// number.
func hexByte(text string, at, n int) (c byte, ok bool) {
	if at+n > len(text) {
		return 0, false
	}
	v, err := strconv.ParseUint(text[at:at+n], 16, 32)
	if err != nil {
		return 0, false
	}
	if v > 0x7f {
		return 0, true
	}
	return byte(v), true
}

func digest(run []unit) string {
	text := make([]byte, len(run))
	for i, u := range run {
		text[i] = u.char
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:4])
}

// A span is a range of units, [from, to).
type span struct{ from, to int }

// randomSpans returns the parts of a run that are covered by windows that look random.
func randomSpans(run []unit) (spans []span) {
	if len(run) < secretLen {
		return nil
	}
	var counts [notBase64]int
	score := 0
	for i, u := range run {
		counts[classOf(u.char)]++
		if i > 0 {
			score += pairWeights[classOf(run[i-1].char)][classOf(u.char)]
		}
		from := i + 1 - secretLen
		if from > 0 {
			left := classOf(run[from-1].char)
			counts[left]--
			score -= pairWeights[left][classOf(run[from].char)]
		}
		small := counts[vowel] + counts[frequent] + counts[otherSmall]
		if from < 0 || score >= 0 || counts[capital] < 3 || small < 3 {
			continue
		}
		if n := len(spans); n > 0 && spans[n-1].to >= from {
			spans[n-1].to = i + 1
		} else {
			spans = append(spans, span{from, i + 1})
		}
	}
	return spans
}

// The classes of characters.
const (
	capital = iota
	vowel
	frequent // consonants
	otherSmall
	digit
	punctuation
	notBase64
)

func classOf(c byte) int {
	switch {
	case 'A' <= c && c <= 'Z':
		return capital
	case strings.IndexByte("aeiou", c) >= 0:
		return vowel
	case strings.IndexByte("lnrst", c) >= 0:
		return frequent
	case 'a' <= c && c <= 'z':
		return otherSmall
	case '0' <= c && c <= '9':
		return digit
	case c == '+' || c == '/':
		return punctuation
	}
	return notBase64
}

// pairWeights says how much more often a class follows another in paths than in random
// base64: 2 is twice as often, -2 half as often, 4 four times. They were counted in the
// windows of 608,566 paths that have capitals and small letters: all files of a machine of
// developers, with modules of Go and npm, and of dotnet/efcore and JamesNK/Newtonsoft.Json.
var pairWeights = [notBase64][notBase64]int{
	capital:     {-5, 6, 3, -1, -16, -9},
	vowel:       {-6, 1, 6, -1, -15, 0},
	frequent:    {-4, 5, 3, -1, -16, 4},
	otherSmall:  {-3, 5, 3, -2, -12, 2},
	digit:       {-2, 0, -3, -3, 1, 7},
	punctuation: {2, -7, -2, -6, -17, -27},
}
