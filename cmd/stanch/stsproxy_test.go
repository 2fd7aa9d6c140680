package main

import (
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
)

// TestSTSProxyFlag: whatever signs with leaked keys can be led through a proxy, and nothing else.
func TestSTSProxyFlag(t *testing.T) {
	for command, want := range map[string]bool{
		"git": true, "github": true, "dir": true, "stdin": true, "ci": true, "verify": true,
		"respond plan": true, "respond now": true, "respond apply": true, "respond confirm": true,
		"hook run": false, "respond undo": false, "assess": false, "inventory": false,
	} {
		help := printed(t, cli.ExitClean, "", append(strings.Fields(command), "--help")...)
		if got := strings.Contains(help, "--sts-proxy"); got != want {
			t.Errorf("stanch %s has --sts-proxy: %v", command, got)
		}
	}
}
