//go:build sweep

package sweep

import "testing"

// TestAsking: the line counts the keys of all scans that ask, and those of scans that have ended
// until none asks any more.
func TestAsking(t *testing.T) {
	a := &asking{}
	is := func(step, want string) {
		t.Helper()
		if got := a.text(); got != want {
			t.Errorf("%s: %q, want %q", step, got, want)
		}
	}
	one, two, none := a.scan(), a.scan(), a.scan()
	is("no scan asks", "")
	none(0, 0, 0)
	is("a scan without keys", "")
	one(0, 2, 0)
	is("one scan", "asking AWS: 0 of 2 keys")
	one(1, 2, 0)
	two(0, 3, 1)
	is("two", "asking AWS: 1 of 5 keys, 1 of them ignored")
	one(2, 2, 0)
	two(1, 3, 1)
	is("one has ended", "asking AWS: 3 of 5 keys, 1 of them ignored")
	two(2, 3, 1)
	two(3, 3, 1)
	is("both have", "")
	a.scan()(0, 1, 0)
	is("another one", "asking AWS: 0 of 1 key")
}
