package api

import (
	"strings"

	"github.com/stanch-dev/stanch/scanner/sweep/triage"
	"github.com/stanch-dev/stanch/verifier"
)

// commands returns the commands that shut the key of a finding off, none for a finding that
// has no key, or whose key is off. The plan starts from the database of the sweep, which knows
// more of the key than its id. Every text in them is one word of a shell.
func commands(d *triage.Detail) []string {
	if !isWord(d.KeyID, "") || d.State == verifier.Invalid || d.State == verifier.Expired {
		return []string{}
	}
	start := d.KeyID
	if d.Ignored == "" && isWord(d.Where.Target, "-_./") && d.Where.Target[0] != '-' { // reports leave out what is ignored
		start = "--sweep " + d.Where.Target + " --key " + d.KeyID
	}
	accounts := ""
	if len(d.Account) == 12 && strings.Trim(d.Account, digits) == "" {
		accounts = " --accounts " + d.Account
	}
	return []string{"stanch respond plan " + start + accounts + " -o plan.json"}
}

const (
	letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	digits  = "0123456789"
)

// isWord reports whether text has one character or more, and only letters, digits and those
// of others.
func isWord(text, others string) bool {
	return text != "" && strings.Trim(text, letters+digits+others) == ""
}
