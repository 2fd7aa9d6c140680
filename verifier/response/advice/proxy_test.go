package advice

import (
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier/response"
)

// TestProxyInCommands: where the first command needed a proxy, the next ones do too.
func TestProxyInCommands(t *testing.T) {
	f := Flags{Accounts: []string{"111122223333"}, Proxy: "http://proxy.example.com:3128", Start: "scan.jsonl"}
	stale := f.Commands("git", ".")(response.GateStale, &finding.Finding{})
	commands := append(stale, f.apply("plan.json", response.Plan{}))
	for _, command := range commands {
		if !strings.Contains(command, " --sts-proxy http://proxy.example.com:3128") {
			t.Errorf("%s has no proxy", command)
		}
	}
}
