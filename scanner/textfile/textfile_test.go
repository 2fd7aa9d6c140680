package textfile

import (
	"io"
	"strings"
	"testing"
)

func TestUTF8(t *testing.T) {
	for _, tt := range []struct{ name, text, want, fails string }{
		{"UTF-8", "a\n", "a\n", ""},
		{"nothing", "", "", ""},
		{"a mark", "\ufeffa\n", "a\n", ""},
		{"a mark alone", "\ufeff", "", ""},
		{"no UTF-8", "\xe4\n", "\xe4\n", ""},
		{"UTF-16, little-endian", "\xff\xfea\x00", "", "UTF-16"},
		{"UTF-16, big-endian", "\xfe\xff\x00a", "", "UTF-16"},
		{"UTF-16 without a mark", "a\x00\n\x00", "", "zero byte"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := UTF8([]byte(tt.text))
			check(t, got, err, tt.want, tt.fails)
			r, err := Reader(strings.NewReader(tt.text))
			if err == nil {
				got, err = io.ReadAll(r)
			}
			check(t, got, err, tt.want, tt.fails)
		})
	}
}

func check(t *testing.T, got []byte, err error, want, fails string) {
	t.Helper()
	if (err != nil) != (fails != "") || err != nil && !strings.Contains(err.Error(), fails) || err == nil && string(got) != want {
		t.Errorf("%q, %v; want %q, %q", got, err, want, fails)
	}
}
