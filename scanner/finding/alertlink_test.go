package finding

import "testing"

// TestAlertLink: a place of which the path is known is linked to, and the commit of one that has
// a secret in its path.
func TestAlertLink(t *testing.T) {
	const page = "https://github.com/o/n"
	for path, want := range map[string]string{
		"a b.env":                   page + "/blob/c0ffee/a%20b.env#L3",
		"a/[redacted 1a2b3c4d].env": page + "/commit/c0ffee",
		"[redacted]":                page + "/commit/c0ffee",
	} {
		if got := linkTo(page, &Location{Kind: KindBlob, Path: path, Line: 3, Commit: "c0ffee"}); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}
