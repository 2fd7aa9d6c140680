package refs

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestPack gives back what it was given, and refuses what is damaged.
func TestPack(t *testing.T) {
	for _, want := range []map[string]string{{}, {"HEAD": "1", "refs/heads/a b": "2"}} {
		packed, err := Pack(want)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Unpack(packed); !maps.Equal(got, want) || err != nil {
			t.Errorf("%v, %v, want %v", got, err, want)
		}
	}
	if got, err := Unpack(nil); len(got) > 0 || err != nil {
		t.Errorf("%v, %v", got, err)
	}
	packed, err := Pack(map[string]string{"HEAD": strings.Repeat("1", 40)})
	if err != nil {
		t.Fatal(err)
	}
	for _, damaged := range [][]byte{[]byte("refs"), packed[:len(packed)-9]} {
		if got, err := Unpack(damaged); err == nil {
			t.Errorf("%q becomes %v", damaged, got)
		}
	}
}

// TestHashed keeps the names that GitHub makes, and no other.
func TestHashed(t *testing.T) {
	got := slices.Sorted(maps.Keys(Hashed(map[string]string{"HEAD": "1", "refs/pull/7/head": "2", "refs/heads/secret": "3", "refs/tags/secret": "4", "refs/notes/secret": "5"})))
	all := strings.Join(got, " ")
	if len(got) != 5 || strings.Contains(all, "secret") || !strings.HasPrefix(all, "HEAD refs/") || !strings.Contains(all, "refs/pull/7/head") || !strings.Contains(all, "refs/heads/") {
		t.Errorf("the names are %q", got)
	}
}

// TestTips returns branches before tags and others, each id once.
func TestTips(t *testing.T) {
	refs := map[string]string{"refs/heads/b": "2", "refs/heads/a": "1", "refs/tags/c": "1", "refs/tags/d": "3", "refs/pull/1/head": "4"}
	for n, want := range map[int]string{0: "[]", 2: "[1 2]", 9: "[1 2 3 4]"} {
		if got := fmt.Sprint(Tips(refs, n)); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}
