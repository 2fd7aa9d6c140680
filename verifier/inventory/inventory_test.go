package inventory_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/verifier/inventory"
)

var now = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

func TestRoundTrip(t *testing.T) {
	keys := map[string]inventory.Key{
		"id-1": {Account: "111122223333", User: "alice", Status: "Active", Created: now.AddDate(-1, 0, 0), Listed: now},
		"id-2": {Account: "111122223333", User: "bob", Status: "Inactive", Created: now, Listed: now},
	}
	inv := &inventory.Inventory{}
	for id, k := range keys { // a file each: every one has its own salt
		var b bytes.Buffer
		w, err := inventory.NewWriter(&b, now)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(id, k); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String(), id) {
			t.Errorf("the id stands in clear in %s", b.String())
		}
		if err := inv.Read(&b); err != nil {
			t.Fatal(err)
		}
	}
	for id, want := range keys {
		got, ok := inv.Find(id)
		if diff := cmp.Diff(want, got); !ok || diff != "" {
			t.Errorf("%s: found %v (-want +got):\n%s", id, ok, diff)
		}
	}
	for _, id := range []string{"id-3", "", "id-"} {
		if _, ok := inv.Find(id); ok {
			t.Errorf("%q was found", id)
		}
	}
	if inv.Len() != 2 {
		t.Errorf("%d keys", inv.Len())
	}
}

func TestReadIsStrict(t *testing.T) {
	head := `{"type":"inventory","schema":"stanch-inventory/v1","salt":"` + strings.Repeat("0a", 16) + `","created":"2026-11-22T08:00:00Z"}` + "\n"
	key := `{"type":"key","id_hmac":"` + strings.Repeat("0a", 32) + `","account":"111122223333","user":"alice","status":"Active","created":"2026-01-01T00:00:00Z"}` + "\n"
	for _, tt := range []struct{ name, text, err string }{
		{"good", head + key, ""},
		{"no_keys", head, ""},
		{"empty", "", "line 1: the file is empty"},
		{"no_header", key, "line 1: not the first line of an inventory"},
		{"of_another_version", strings.Replace(head, "/v1", "/v2", 1) + key, `line 1: type "inventory", schema "stanch-inventory/v2"`},
		{"short_salt", strings.Replace(head, "0a0a", "", 1), "line 1: salt"},
		{"not_json", head + key + "x\n", "line 3: not an object"},
		{"blank_line", head + "\n" + key, "line 2: not an object"},
		{"unknown_field", head + strings.Replace(key, "user", "owner", 1), `line 2: not an object of an inventory: json: unknown field "owner"`},
		{"unknown_type", head + strings.Replace(key, `"key"`, `"role"`, 1), `line 2: type "role"`},
		{"two_objects", head + strings.TrimSpace(key) + key, "line 2: more than one object"},
		{"short_hash", head + strings.Replace(key, "0a0a", "", 1), "line 2: id_hmac"},
		{"account", head + strings.Replace(key, "1111", "111", 1), "line 2: account"},
		{"user", head + strings.Replace(key, "alice", "", 1), "line 2: user is missing"},
		{"status", head + strings.Replace(key, "Active", "active", 1), "line 2: status"},
		{"second_header", head + head, "line 2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := (&inventory.Inventory{}).Read(strings.NewReader(tt.text))
			if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("error %v, want %q", err, tt.err)
			}
		})
	}
}
