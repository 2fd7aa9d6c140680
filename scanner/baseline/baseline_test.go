package baseline_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf16"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/baseline"
	"github.com/stanch-dev/stanch/scanner/finding"
)

// leak returns a finding of the parts, which may be "".
func leak(rule *detectors.Rule, id, secret, token string) *finding.Finding {
	fill := detectorstest.Fill
	return &finding.Finding{Match: detectors.Match{Rule: rule, Credential: detectors.Credential{
		ID: fill(id), Secret: detectors.NewSecret(fill(secret)), Token: detectors.NewSecret(fill(token)),
	}}}
}

// TestKnows: a pair is known with each of its halves; all else is new.
func TestKnows(t *testing.T) {
	ours := &detectors.Rule{ID: "ours", Value: true}
	pair := func(id, secret string) *finding.Finding { return leak(awskeys.AccessKey, id, secret, "") }
	withCandidate := pair("{AKIA1}", "")
	withCandidate.Candidates = []finding.Candidate{{
		Fingerprint: pair("{AKIA1}", "{secret2}").Fingerprint(), SecretSHA256: pair("{AKIA1}", "{secret2}").SecretSHA256(),
	}}
	for _, tt := range []struct {
		name          string
		listed, asked *finding.Finding
		known         bool
	}{
		{"the pair", pair("{AKIA1}", "{secret1}"), pair("{AKIA1}", "{secret1}"), true},
		{"its id alone", pair("{AKIA1}", "{secret1}"), pair("{AKIA1}", ""), true},
		{"its id with the token alone", leak(awskeys.SessionKey, "{ASIA1}", "{secret1}", "{token1}"), leak(awskeys.SessionKey, "{ASIA1}", "", "{token1}"), true},
		{"its secret alone, by another rule", pair("{AKIA1}", "{secret1}"), leak(awskeys.SecretKey, "", "{secret1}", ""), true},
		{"another secret beside its id", pair("{AKIA1}", "{secret1}"), pair("{AKIA1}", "{secret2}"), false},
		{"its secret beside another id", pair("{AKIA1}", "{secret1}"), pair("{AKIA2}", "{secret1}"), false},
		{"another key", pair("{AKIA1}", "{secret1}"), pair("{AKIA2}", "{secret2}"), false},
		{"another id alone", pair("{AKIA1}", "{secret1}"), pair("{AKIA2}", ""), false},
		{"the pair of a lone id", pair("{AKIA1}", ""), pair("{AKIA1}", "{secret1}"), false},
		{"the pair of a lone secret", leak(awskeys.SecretKey, "", "{secret1}", ""), pair("{AKIA1}", "{secret1}"), false},
		{"a candidate", withCandidate, pair("{AKIA1}", "{secret2}"), true},
		{"no candidate", withCandidate, pair("{AKIA1}", "{secret3}"), false},
		{"a token alone", leak(awskeys.SessionKey, "", "", "{token1}"), leak(awskeys.SessionKey, "", "", "{token1}"), true},
		{"another token alone", leak(awskeys.SessionKey, "", "", "{token1}"), leak(awskeys.SessionKey, "", "", "{token2}"), false},
		{"a value of a user's rule", leak(ours, "", "badge-1", ""), leak(ours, "", "badge-1", ""), true},
		{"another value", leak(ours, "", "badge-1", ""), leak(ours, "", "badge-2", ""), false},
		{"the secret as a value", pair("{AKIA1}", "{secret1}"), leak(ours, "", "{secret1}", ""), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			saved := tt.listed.Reported() // all that a JSON report says
			if !slices.Equal(baseline.EntriesOf(&saved, "a.env:1"), baseline.EntriesOf(tt.listed, "a.env:1")) {
				t.Error("the entries of a saved finding are others")
			}
			list := written(t, baseline.EntriesOf(tt.listed, "a.env:1"))
			if got := list.Knows(tt.asked); got != tt.known {
				t.Errorf("known: %v, want %v", got, tt.known)
			}
			if unused := len(list.Unused()) < len(list.Entries()); unused != tt.known {
				t.Errorf("%d of %d entries are unused", len(list.Unused()), len(list.Entries()))
			}
		})
	}
}

// TestKnowsHalves: two known halves of two keys tell nothing new, wherever they stand.
func TestKnowsHalves(t *testing.T) {
	one, two := leak(awskeys.AccessKey, "{AKIA1}", "{secret1}", ""), leak(awskeys.AccessKey, "{AKIA2}", "{secret2}", "")
	list := baseline.NewList(slices.Concat(baseline.EntriesOf(one, ""), baseline.EntriesOf(two, "")))
	if !list.Knows(leak(awskeys.AccessKey, "{AKIA1}", "{secret2}", "")) {
		t.Error("the id of one key with the secret of the other is not known")
	}
	if list.Knows(leak(awskeys.SessionKey, "", "", "{token1}")) {
		t.Error("a token, which has no halves, is known")
	}
}

// TestGone: an entry may hide something in another clone if one of its halves is here, in a
// pair that is not known.
func TestGone(t *testing.T) {
	listed := baseline.EntriesOf(leak(awskeys.AccessKey, "{AKIA1}", "", ""), "")
	for _, tt := range []struct {
		name         string
		asked        *finding.Finding
		unused, gone int
	}{
		{"itself", leak(awskeys.AccessKey, "{AKIA1}", "", ""), 0, 0},
		{"with a secret from a reflog", leak(awskeys.AccessKey, "{AKIA1}", "{secret1}", ""), 1, 0},
		{"another", leak(awskeys.AccessKey, "{AKIA2}", "{secret1}", ""), 1, 1},
	} {
		list := baseline.NewList(listed)
		list.Knows(tt.asked)
		if unused, gone := len(list.Unused()), len(list.Gone()); unused != tt.unused || gone != tt.gone {
			t.Errorf("%s: %d unused, %d gone, want %d and %d", tt.name, unused, gone, tt.unused, tt.gone)
		}
	}
}

// TestConcurrently is for the race detector: sweeps share a list.
func TestConcurrently(t *testing.T) {
	known := leak(awskeys.AccessKey, "{AKIA1}", "{secret1}", "")
	list := written(t, baseline.EntriesOf(known, ""))
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			if !list.Knows(known) || len(list.Unused()) > 0 {
				t.Error("the key is not known")
			}
		})
	}
	group.Wait()
}

// written returns the list that Read makes of entries that Write has written.
func written(t *testing.T, entries []baseline.Entry) *baseline.List {
	t.Helper()
	list, err := baseline.Read([]byte(text(t, entries)))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func text(t testing.TB, entries []baseline.Entry) string {
	t.Helper()
	var b bytes.Buffer
	if err := baseline.Write(&b, entries); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// some returns n entries, sorted.
func some(n int) []baseline.Entry {
	var list []baseline.Entry
	for i := range n {
		hash := fmt.Sprintf("%x", sha256.Sum256([]byte{byte(i), byte(i >> 8)}))
		list = append(list, baseline.Entry{
			Fingerprint: hash[:32], ID: hash[32:48], Secret: "-", Note: fmt.Sprintf("config/of service %d.env:1 in 0123456789, aws-access-key", i),
		})
	}
	slices.SortFunc(list, func(a, b baseline.Entry) int { return strings.Compare(a.Fingerprint, b.Fingerprint) })
	return list
}

// TestRead: what merges, editors and other systems make of a list is read as the same list.
func TestRead(t *testing.T) {
	entries := some(4)
	entries[2].Note = " " + entries[2].Note // of a file whose name begins with a space
	whole := text(t, entries)
	lines := strings.SplitAfter(whole, "\n")
	first := len(lines) - 2 - len(entries) // the lines before are the header
	for name, text := range map[string]string{
		"as it was written":     whole,
		"CRLF":                  strings.ReplaceAll(whole, "\n", "\r\n"),
		"a byte order mark":     "\ufeff" + whole,
		"no end of line":        strings.TrimSuffix(whole, "\n"),
		"lines twice":           strings.Join(lines[:first+4], "") + strings.Join(lines[first:], ""),
		"another order":         strings.Join(lines[:first], "") + lines[first+3] + lines[first+1] + lines[first] + lines[first+2] + "# end\n",
		"a comment, empty line": strings.Replace(whole, "# end", "# of the old service\n\n# end", 1),
		"the end twice":         whole + "# end\n",
		"blanks at line ends":   strings.ReplaceAll(whole, "\n", " \t\n"),
	} {
		list, err := baseline.Read([]byte(text))
		if err != nil || !slices.Equal(list.Entries(), entries) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if list := written(t, nil); len(list.Entries()) > 0 || !baseline.Is([]byte(text(t, nil))) {
		t.Error("an empty list is not read as one")
	}
}

// TestReadErrors: a list that is not whole, or not one, is an error with the line.
func TestReadErrors(t *testing.T) {
	whole := text(t, some(4))
	entry := some(4)[0].Fingerprint[:2]
	conflict := func(marker string) string { return strings.Replace(whole, "\n"+entry, "\n"+marker+" HEAD\n"+entry, 1) }
	utf16le := []byte("\xff\xfe")
	for _, u := range utf16.Encode([]rune(whole)) {
		utf16le = append(utf16le, byte(u), byte(u>>8))
	}
	for _, tt := range []struct{ name, text, want string }{
		{"empty", "", "is empty"},
		{"blank", "\ufeff\r\n \n", "is empty"},
		{"another tool", "{\"version\": \"1.5.0\"}\n", "line 1: is not a baseline of stanch"},
		{"a report of stanch", `{"type":"scan","schema":"stanch/v1"}`, "line 1: is not a baseline of stanch"},
		{"cut off at a line", strings.TrimSuffix(whole, "# end\n"), "line 8: the file ends without"},
		{"cut off in the note", whole[:len(whole)-20], "line 8: the file ends without"},
		{"cut off in a hash", whole[:strings.LastIndex(whole, " - ")-3], "line 8: the hash of the id is not 16"},
		{"cut off in a fingerprint", whole[:strings.LastIndex(whole, " - ")-30], "line 8: the fingerprint is not 32"},
		{"cut off in the title", whole[:10], "line 1: is not a baseline of stanch"},
		{"a fingerprint too long", strings.Replace(whole, "\n"+entry, "\n0"+entry, 1), "line 5: the fingerprint is not 32"},
		{"a fingerprint in capitals", strings.Replace(whole, "\n"+entry, "\nAA", 1), "line 5: the fingerprint is not 32"},
		{"no hash of a secret", strings.Replace(whole, " - ", " ", 1), "line 5: the hash of the secret is not 16"},
		{"ours", conflict("<<<<<<<"), "line 5: a merge conflict"},
		{"base", conflict("|||||||"), "line 5: a merge conflict"},
		{"between", strings.Replace(whole, "# end", "=======\n# end", 1), "line 9: a merge conflict"},
		{"theirs", conflict(">>>>>>>"), "line 5: a merge conflict"},
		{"in the first line", "<<<<<<< HEAD\n" + whole, "line 1: a merge conflict"},
		{"a newer version", strings.Replace(whole, "v1", "v2", 1), "line 1: is in version v2 of the format"},
		{"UTF-16", string(utf16le), "it is UTF-16"},
		{"not UTF-8", strings.Replace(whole, "service 1", "service \xe9", 1), "line 5: is not UTF-8"},
		{"zeros of a lost page", strings.Replace(whole, "# end\n", strings.Repeat("\x00", 4096), 1), "it holds a zero byte"},
		{"a line of 10 MB", strings.Replace(whole, "service 1", strings.Repeat("x", 10<<20), 1), "line 5: has 104858"},
		{"a comment of 10 MB", strings.Replace(whole, "# Leaks", "#"+strings.Repeat("x", 10<<20), 1), "line 2: has 104858"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := baseline.Read([]byte(tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) || len(err.Error()) > 500 {
				t.Errorf("%.200v, want %q in it", err, tt.want)
			}
		})
	}
}

// TestDigits: a fingerprint with one other byte, at any place, is refused.
func TestDigits(t *testing.T) {
	const digits = "0123456789abcdef"
	for i := range 32 {
		for c := range 256 {
			hash := []byte(digits + digits)
			hash[i] = byte(c)
			list := text(t, []baseline.Entry{{Fingerprint: string(hash), ID: "-", Secret: "-"}})
			_, err := baseline.Read([]byte(list))
			// With a line end in it, it is two lines. With # before it, it is a comment.
			if ok := strings.IndexByte(digits, byte(c)) >= 0 || i == 0 && c == '#'; (err == nil) != ok {
				t.Errorf("byte %#x at %d: %v", c, i, err)
			}
		}
	}
}

// BenchmarkRead is the cost of a list for a hook that finds nothing.
func BenchmarkRead(b *testing.B) {
	for _, n := range []int{500, 50_000} {
		text := []byte(text(b, some(n)))
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, err := baseline.Read(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// FuzzRead: whatever is read can be written, and is then read as the same list.
func FuzzRead(f *testing.F) {
	f.Add([]byte(text(f, some(3))))
	f.Add([]byte("# stanch baseline v1\r\n<<<<<<< HEAD\r\n"))
	f.Add([]byte("# stanch baseline v1\n00000000000000000000000000000000 - - 0 \n# end"))
	f.Add([]byte("# stanch baseline v1\n00000000000000000000000000000000 - - 0\r\r \r\n# end"))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := baseline.Read(data)
		if err != nil {
			return
		}
		if again := written(t, list.Entries()); !slices.Equal(again.Entries(), list.Entries()) {
			t.Errorf("%q, then %q", list.Entries(), again.Entries())
		}
	})
}
