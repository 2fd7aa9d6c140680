//go:build sweep

package sweep

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/stanch-dev/stanch/scanner/sweep/signin"
)

// TestPageFlags: who may see the page, and which flags are refused.
func TestPageFlags(t *testing.T) {
	file := func(text string) string {
		name := filepath.Join(t.TempDir(), "tokens")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	tokens, short := file("ada 0123456789abcdef\n"), file("0123")
	for _, tt := range []struct{ args, users, fails string }{
		{"", "triager", ""}, // this machine alone: a token is made up
		{"--listen localhost:0", "triager", ""},
		{"--listen [::1]:0", "triager", ""},
		{"--listen :0", "", "others can reach that"},
		{"--listen 0.0.0.0:80", "", "others can reach that"},
		{"--listen nowhere", "", "--listen nowhere"},
		{"--listen :0 --page-token-file " + tokens, "ada reader", ""},
		{"--listen :0 --triage-token-file " + tokens, "ada triager", ""},
		{"--page-token-file " + tokens + " --triage-token-file " + tokens, "ada reader, ada triager", ""},
		{"--listen :0 --page-token-file " + short, "", "16 characters"},
		{"--listen :0 --page-token-file none", "", "--page-token-file"},
		{"--listen :0 --trust-proxy 10.0.0.0/8", "", ""},
		{"--listen :0 --trust-proxy 10.0.0.7 --trust-header Remote-User --triage-group security", "", ""},
		{"--trust-proxy proxy.example", "", "neither an IP address nor a range"},
		{"--trust-proxy 10.0.0.0/33", "", "neither an IP address nor a range"},
		{"--trust-proxy ::/0", "", "that is everybody"},
		{"--trust-header Remote-User", "", "no effect without --trust-proxy"},
		{"--trust-groups-header Remote-Groups", "", "no effect without --trust-proxy"},
		{"--triage-group security", "", "no effect without --trust-proxy"},
		{"--trust-proxy ::1 --trust-groups-header Remote-Groups", "", "no effect without --triage-group"},
		{"--trust-proxy ::1 --trust-header a:b", "", "not the name of a header"},
	} {
		f, flags := &pageFlags{}, pflag.NewFlagSet("serve", pflag.ContinueOnError)
		f.add(flags)
		if err := flags.Parse(strings.Fields(tt.args)); err != nil {
			t.Fatal(err)
		}
		var gate *signin.Gate
		made := ""
		err := f.check(flags)
		if err == nil {
			gate, made, err = f.gate()
		}
		var users []string
		if gate != nil {
			for _, token := range gate.Tokens {
				name := token.User.Name + " "
				if made != "" { // the name is that of whoever runs the test
					name = ""
				}
				users = append(users, name+token.User.Role.String())
			}
		}
		if strings.Join(users, ", ") != tt.users || (err == nil) != (tt.fails == "") || err != nil && !strings.Contains(err.Error(), tt.fails) {
			t.Errorf("%q: users %q, %v", tt.args, users, err)
		}
	}
}
