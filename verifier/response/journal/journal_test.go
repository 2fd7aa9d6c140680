package journal_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/verifier/response/journal"
)

func writeJournal(t *testing.T, n int) (name string) {
	t.Helper()
	name = filepath.Join(t.TempDir(), "dir", "journal.jsonl")
	for i := range n { // opened anew for each: the chain goes on
		j, err := journal.Open(name, "olga")
		if err != nil {
			t.Fatal(err)
		}
		if len(j.Records) != i {
			t.Fatalf("%d records, want %d", len(j.Records), i)
		}
		if err := j.Put(journal.Record{Event: journal.EventBegin, Plan: "p", KeyID: "k"}); err != nil {
			t.Fatal(err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return name
}

// TestJournalEdited: whatever is done to the lines shows.
func TestJournalEdited(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(lines [][]byte) [][]byte
	}{
		{"a byte", func(l [][]byte) [][]byte { return replace(l, 1, `"k"`, `"K"`) }},
		{"a space", func(l [][]byte) [][]byte { return replace(l, 1, `,"plan"`, `, "plan"`) }},
		{"a field more", func(l [][]byte) [][]byte { return replace(l, 1, `,"plan"`, `,"x":1,"plan"`) }},
		{"the last line", func(l [][]byte) [][]byte { return replace(l, 4, `"k"`, `"K"`) }},
		{"removed first", func(l [][]byte) [][]byte { return l[1:] }},
		{"removed in the middle", func(l [][]byte) [][]byte { return append(l[:2:2], l[3:]...) }},
		{"removed at the end", func(l [][]byte) [][]byte { return l[:4] }},
		{"all removed", func([][]byte) [][]byte { return nil }},
		{"two changed places", func(l [][]byte) [][]byte { l[1], l[2] = l[2], l[1]; return l }},
		{"one twice", func(l [][]byte) [][]byte { return append(l[:2:2], l[1:]...) }},
		{"no JSON", func(l [][]byte) [][]byte { return append(l, []byte("x\n")) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			name := writeJournal(t, 5)
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			lines := bytes.SplitAfter(bytes.TrimSuffix(b, []byte("\n")), []byte("\n"))
			lines[4] = append(lines[4], '\n')
			if err := os.WriteFile(name, bytes.Join(tt.edit(lines), nil), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := journal.Read(name); !errors.Is(err, journal.ErrBroken) {
				t.Errorf("read: %v", err)
			}
			if _, err := journal.Open(name, "olga"); !errors.Is(err, journal.ErrBroken) {
				t.Errorf("opened: %v", err)
			}
		})
	}
}

func replace(lines [][]byte, n int, old, now string) [][]byte {
	lines[n] = bytes.Replace(lines[n], []byte(old), []byte(now), 1)
	return lines
}

// TestJournalTorn: a line that was cut off while it was written is none, and the
// head may be a line behind.
func TestJournalTorn(t *testing.T) {
	name := writeJournal(t, 3)
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	head, err := os.ReadFile(name + ".head")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, append(whole, `{"seq":3,"time":"2026`...), 0o600); err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(name, "olga")
	if err != nil || len(j.Records) != 3 {
		t.Fatalf("torn: %v", err)
	}
	if err := j.Put(journal.Record{Event: journal.EventEnd, Plan: "p"}); err != nil {
		t.Fatal(err)
	}
	_ = j.Close()
	if err := os.WriteFile(name+".head", head, 0o600); err != nil {
		t.Fatal(err)
	}
	if records, err := journal.Read(name); err != nil || len(records) != 4 {
		t.Errorf("head behind: %d records, %v", len(records), err)
	}
}

// TestTwoResponders: the second is told who the first is.
func TestTwoResponders(t *testing.T) {
	name := writeJournal(t, 1)
	j, err := journal.Open(name, "arn:aws:iam::111122223333:user/olga")
	if err != nil {
		t.Fatal(err)
	}
	_, err = journal.Open(name, "second")
	if !errors.Is(err, journal.ErrHeld) || !strings.Contains(err.Error(), "user/olga") || !strings.Contains(err.Error(), "process ") {
		t.Errorf("%v", err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if j, err = journal.Open(name, "second"); err != nil {
		t.Fatal(err)
	}
	_ = j.Close()
}
