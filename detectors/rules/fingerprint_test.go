package rules_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors/rules"
)

const (
	one = "9f520000000000000000000000000001"
	two = "9f520000000000000000000000000002"
)

// TestFingerprints: the words of a command line, as people copy them from a report.
func TestFingerprints(t *testing.T) {
	for _, tt := range []struct{ words, want, fails string }{
		{one, one, ""},
		{"fingerprint " + one, one, ""},
		{"id aws-access-key " + one, one, ""},
		{"aws-access-key:" + one + " " + two, one + " " + two, ""},
		{strings.ToUpper(one), one, ""},
		{one + " " + strings.ToUpper(one), one, ""},
		{`"` + one + `", '` + two + `'`, one + " " + two, ""},
		{one[:8], "", "argument 1: this has 8 of the 32 digits of a fingerprint: the report's line"},
		{one + " " + two[:31], "", "argument 2: this has 31 of the 32 digits"},
		{one + one, "", "this has 64 digits, and a fingerprint has 32: it may be another hash"},
		{"z" + one[1:] + " " + two, "", "argument 1: a fingerprint has 32 hexadecimal digits (0-9, a-f), and this has other"},
		{"fingerprint " + one + " (aws-access-key)", one, ""},
		{"0123abcd-0123-abcd-0123-0123456789ab " + one, "", "argument 1: a fingerprint has 32"},
		{"config/prod.env:3 " + one, "", "argument 1: a fingerprint has 32"},
		{"''", "", "no argument is a fingerprint"},
		{"aws-access-key", "", "no argument is a fingerprint"},
		{"Z" + one + ":" + two, "", "argument 1: a fingerprint has 32"},
	} {
		got, err := rules.Fingerprints(strings.Fields(tt.words))
		switch {
		case (err != nil) != (tt.fails != "") || err != nil && !strings.Contains(err.Error(), tt.fails):
			t.Errorf("%s: %v, want %q", tt.words, err, tt.fails)
		case err == nil && strings.Join(got, " ") != tt.want:
			t.Errorf("%s: %q, want %q", tt.words, got, tt.want)
		case err != nil && strings.Contains(err.Error(), one[1:]):
			t.Errorf("%s: the error holds text that may be a key: %v", tt.words, err)
		}
	}
}

// TestWronglyPastedFingerprints: an entry that can hide nothing is an error, with its line.
func TestWronglyPastedFingerprints(t *testing.T) {
	for _, tt := range []struct{ pasted, want, fails string }{
		{one, one, ""},
		{strings.ToUpper(one), one, ""},
		{"fingerprint  " + one, one, ""},
		{"aws-access-key " + one, one, ""},
		{"fingerprint " + one + " (aws-access-key)", one, ""},
		{one + ", " + two, "", "x.toml: line 5: allow.fingerprints: this is more than one fingerprint, or none"},
		{one[:8], "", "x.toml: line 5: allow.fingerprints: this has 8 of the 32 digits of a fingerprint"},
		{"config/prod.env:3", "", "x.toml: line 5: allow.fingerprints: this is more than one fingerprint, or none: a fingerprint has 32"},
		{"", "", "x.toml: line 5: allow.fingerprints: a fingerprint is missing"},
	} {
		own, err := rules.ReadOwn("x.toml", []byte("[[allow]]\nreason = 'demo'\nfingerprints = [\n  '"+two+"',\n  '"+tt.pasted+"',\n]\n"), time.UTC)
		switch {
		case (err != nil) != (tt.fails != "") || err != nil && !strings.HasPrefix(err.Error(), tt.fails):
			t.Errorf("%q: %v, want %q", tt.pasted, err, tt.fails)
		case err == nil && !slices.Equal(own.Allow[0].Fingerprints, []string{two, tt.want}):
			t.Errorf("%q: %q", tt.pasted, own.Allow[0].Fingerprints)
		}
	}
}

// TestAddAllow: a file keeps what it has, byte for byte, and its kind of line ends.
func TestAddAllow(t *testing.T) {
	const table = "[[allow]]\nreason = \"it's \\\"ours\\\"\"\nexpires = 2027-01-31\nfingerprints = [\"" + one + "\"]\n"
	crlf := func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }
	for _, tt := range []struct {
		name, file, added string
		line              int
		fails             string
	}{
		{"nothing", "", table, 1, ""},
		{"a comment", "# ours\n", "\n" + table, 3, ""},
		{"no line end", "# ours", "\n\n" + table, 3, ""},
		{"CRLF", "# ours\r\n\r\n", crlf("\n" + table), 4, ""},
		{"CRLF without the last", "# ours\r\n# x", crlf("\n\n" + table), 4, ""},
		{"another table", "[[unread]]\nreason = 'a'\npaths = ['b']\n", "\n" + table, 5, ""},
		{"a table that looks like one", "[[allow]]\nreason = '''\n[[allow]]\n'''\npaths = ['b']\n", "\n" + table, 7, ""},
		{"a list in a line", "allow = [{reason = 'a', paths = ['b']}]\n", "", 0, "a table [[allow]] cannot be added at the end: x.toml: line 3"},
		{"broken", "[[allow]\n", "", 0, "x.toml: line 1"},
		{"an open text", "[[unread]]\nreason = '''\n", "", 0, "a table [[allow]] cannot be added at the end: x.toml: line 7"},
		{"gitleaks", "[allowlist]\npaths = ['b']\n", "", 0, "x.toml is in the format of gitleaks"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text, line, err := rules.AddAllow("x.toml", []byte(tt.file), `it's "ours"`, time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC), []string{one})
			if (err != nil) != (tt.fails != "") || err != nil && !strings.Contains(err.Error(), tt.fails) {
				t.Fatalf("%v, want %q", err, tt.fails)
			}
			if err == nil && (string(text) != tt.file+tt.added || line != tt.line) {
				t.Errorf("line %d of %q, want line %d of %q", line, text, tt.line, tt.file+tt.added)
			}
		})
	}
}
