package inventory_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier/inventory"
)

// file writes an inventory of one key and returns its name.
func file(t *testing.T, id string, k inventory.Key) string {
	t.Helper()
	var b bytes.Buffer
	w, err := inventory.NewWriter(&b, now)
	if err == nil {
		err = w.Write(id, k)
	}
	name := filepath.Join(t.TempDir(), "keys.jsonl")
	if err == nil {
		err = os.WriteFile(name, b.Bytes(), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func TestReadFiles(t *testing.T) {
	one := file(t, "id-1", inventory.Key{Account: "111122223333", User: "alice", Status: "Active"})
	two := file(t, "id-2", inventory.Key{Account: "111122223333", User: "bob", Status: "Inactive"})
	broken := filepath.Join(t.TempDir(), "broken")
	if err := os.WriteFile(broken, []byte("x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if inv, err := inventory.ReadFiles(nil); inv != nil || err != nil {
		t.Errorf("no file: %v, %v", inv, err)
	}
	if inv, err := inventory.ReadFiles([]string{one, two}); err != nil || inv.Len() != 2 {
		t.Errorf("two files: %v, %v", inv, err)
	}
	for name, says := range map[string]string{broken: "--inventory " + broken + ": line 1", broken + "-2": "--inventory: open "} {
		if _, err := inventory.ReadFiles([]string{one, name}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", name, err, says)
		}
	}
}

// TestMark: a key of the inventory is certain, whether the finding is the key or only names it.
func TestMark(t *testing.T) {
	inv, err := inventory.ReadFiles([]string{
		file(t, "id-1", inventory.Key{Account: "111122223333", User: "alice", Status: "Active", Created: now}),
		file(t, "id-2", inventory.Key{Account: "111122223333", User: "bob", Status: "Inactive", Created: now}),
	})
	if err != nil {
		t.Fatal(err)
	}
	marks := func(user, status string, risk int) []detectors.Fact {
		return []detectors.Fact{
			{Name: "owner", Value: "IAM user " + user + " of account 111122223333, by your inventory", Risk: risk},
			{Name: "key-status", Value: status + " on " + now.Format(time.DateOnly)},
		}
	}
	made := detectors.Fact{Name: "made-with", Value: "id-2"}
	for _, tt := range []struct {
		name, id     string
		facts        []detectors.Fact
		confidence   detectors.Confidence
		unverifiable string
		want         []detectors.Fact
	}{
		{"own key", "id-1", nil, detectors.High, "", marks("alice", "Active", 3)},
		{"made with an own key", "", []detectors.Fact{made}, detectors.High, "no key", append([]detectors.Fact{made}, marks("bob", "Inactive", 1)...)},
		{"another's", "id-3", nil, detectors.Low, "no key", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := finding.Finding{Match: detectors.Match{Confidence: detectors.Low, Unverifiable: "no key", Credential: detectors.Credential{ID: tt.id}, Facts: tt.facts}}
			inv.Mark(&f)
			if d := cmp.Diff(tt.want, f.Match.Facts); d != "" || f.Match.Confidence != tt.confidence || f.Match.Unverifiable != tt.unverifiable {
				t.Errorf("%s, unverifiable: %q, facts (-want +got):\n%s", f.Match.Confidence, f.Match.Unverifiable, d)
			}
		})
	}
}
