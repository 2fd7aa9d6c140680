package api

import (
	"strings"

	"github.com/stanch-dev/stanch/scanner/sweep/triage"
	"github.com/stanch-dev/stanch/verifier"
)

// commands returns the commands that shut the key of a finding off, none for a finding that
// has no key, or whose key is off. Every text in them has only letters and digits.
func commands(d *triage.Detail) []string {
	if d.KeyID == "" || strings.Trim(d.KeyID, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" || d.State == verifier.Invalid || d.State == verifier.Expired {
		return []string{}
	}
	accounts := ""
	if len(d.Account) == 12 && strings.Trim(d.Account, "0123456789") == "" {
		accounts = " --accounts " + d.Account
	}
	return []string{"stanch respond plan " + d.KeyID + accounts + " -o plan.json"}
}
