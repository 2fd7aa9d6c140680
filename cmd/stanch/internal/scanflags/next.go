package scanflags

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/verifier"
)

// liveAccounts is a sink that notes the accounts of live keys.
type liveAccounts struct {
	scanner.Sink
	accounts []string
}

// Finding implements scanner.Sink.
func (l *liveAccounts) Finding(f *finding.Finding) error {
	if f.Ignored == "" && f.Verdict.State == verifier.Live && !slices.Contains(l.accounts, f.Verdict.Identity.Account) {
		l.accounts = append(l.accounts, f.Verdict.Identity.Account)
	}
	return l.Sink.Finding(f)
}

// sayNext names the command that shuts off the live keys of a report for programs, which was
// written to file: other formats have it beside each key.
func (l *liveAccounts) sayNext(w io.Writer, file string) {
	if len(l.accounts) > 0 {
		fmt.Fprintf(w, "stanch: live keys are in %s. To shut them off:\n  stanch respond plan %[1]s --accounts %s -o plan.json\n",
			printable.ShellWord(file), printable.Text(strings.Join(l.accounts, ",")))
	}
}
