package cli

import "testing"

// TestProxyFlag: a command that is printed shows no password.
func TestProxyFlag(t *testing.T) {
	t.Setenv("MY_PROXY", "http://olga:hunter2@proxy.example.com:3128")
	for value, want := range map[string]struct{ url, typed string }{
		"":                              {"", ""},
		"http://proxy.example.com:3128": {"http://proxy.example.com:3128", "http://proxy.example.com:3128"},
		"env:MY_PROXY":                  {"http://olga:hunter2@proxy.example.com:3128", "env:MY_PROXY"},
		"http://olga:hunter2@proxy.example.com:3128": {"http://olga:hunter2@proxy.example.com:3128", "env:VARIABLE"},
	} {
		f := ProxyFlag{value: value}
		if u, err := f.URL(); err != nil || u.Reveal() != want.url || f.Typed() != want.typed {
			t.Errorf("%q: %v, typed as %q", value, err, f.Typed())
		}
	}
}
