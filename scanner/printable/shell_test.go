package printable_test

import (
	"os/exec"
	"testing"

	"github.com/stanch-dev/stanch/scanner/printable"
)

// TestShellWord: a shell reads each name as it was, and a terminal is not moved by it.
func TestShellWord(t *testing.T) {
	for _, tt := range []struct{ name, want string }{
		{"config/prod.env", "config/prod.env"},
		{"a b", "'a b'"},
		{"it's", `'it'\''s'`},
		{"$(touch x)", "'$(touch x)'"},
		{"*", "'*'"},
		{"~", "'~'"},
		{"é", "'é'"},
		{"a\nb", `$'a\012b'`},
		{"\x1b[2J'\\", `$'\033[2J\'\\'`},
		{"caf\xe9", `$'caf\351'`},
		{"a\u202eb", `$'a\342\200\256b'`},
	} {
		if got := printable.ShellWord(tt.name); got != tt.want {
			t.Errorf("%q: %s, want %s", tt.name, got, tt.want)
		}
		bash, err := exec.LookPath("bash")
		if err != nil {
			continue
		}
		got, err := exec.CommandContext(t.Context(), bash, "-c", "printf %s "+printable.ShellWord(tt.name)).Output()
		if err != nil || string(got) != tt.name {
			t.Errorf("bash reads %s as %q, not %q: %v", printable.ShellWord(tt.name), got, tt.name, err)
		}
	}
}

// TestCommandWord: no name makes a command do anything else, or send a file.
func TestCommandWord(t *testing.T) {
	for s, want := range map[string]string{
		"deploy": "deploy", "svc/app@prod,eu=1": "svc/app@prod,eu=1", "arn:aws:iam::111122223333:role/app": "arn:aws:iam::111122223333:role/app",
		"": "NAME", "a b": "NAME", "$(id)": "NAME", "a\nb": "NAME", "--profile": "NAME", "%PATH%": "NAME", "file:///home/me/.aws/credentials": "NAME",
	} {
		if got := printable.CommandWord(s, "NAME"); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}
