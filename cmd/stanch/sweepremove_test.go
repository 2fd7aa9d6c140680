//go:build sweep

package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/scanner/sweep/sweeptest"
)

// TestSweepRemoves holds that no target and no table goes with findings before a person has typed
// yes, or a script has given --yes, and that both are told how much goes.
func TestSweepRemoves(t *testing.T) {
	for _, kind := range []string{"sqlite", "postgresql"} {
		t.Run(kind, func(t *testing.T) {
			database := filepath.Join(t.TempDir(), "sweep.db")
			if kind == "postgresql" {
				database = sweeptest.StartPostgres(t).URL
			}
			o := newSweptOrg(t, database)
			o.repo(t, "a", "", `leak 1 f; commit 1`)
			o.repo(t, "b", "", `leak 2 f; commit 1`)
			says := func(status int, want, input string, args ...string) {
				t.Helper()
				var out, errs bytes.Buffer
				got := cli.ExitCode(&errs, run(t.Context(), append([]string{"sweep", "--database-url", o.database}, args...), strings.NewReader(input), &out, &errs))
				if got != status || errs.String() != want {
					t.Errorf("%q: exit code %d, want %d; it says\n%s\nwant\n%s", args, got, status, &errs, want)
				}
			}
			const no = "nothing was changed: the answer was not \"yes\" (--yes answers it)\n"
			says(0, "stanch: all tables are removed\n", "", "migrate", "--down")
			o.add(t)
			if status, _, errs := o.stanch(t, "add", "acme/b", "--api-url", o.url); status != 0 {
				t.Fatal(errs)
			}
			o.sweep(t, cli.ExitLeaks)
			if status, _, errs := o.stanch(t, "assign", "payments", "--repository", "acme/a", "--by", "ada", "--yes"); status != 0 {
				t.Fatal(errs)
			}
			const acme = "with 2 repositories and 1 finding (1 with a status, an owner or a comment)" // acme/b has the other one
			says(cli.ExitUsage, "stanch: acme will be removed, "+acme+". Type yes to go on: \nstanch: acme: "+no, "", "remove", "acme")
			says(cli.ExitUsage, "stanch: all tables will be removed, with 3 repositories and 2 findings (1 with a status, an owner or a comment). Type yes to go on: stanch: "+no, "y\n", "migrate", "--down")
			says(cli.ExitUsage, "stanch: acme will be removed, "+acme+". Type yes to go on: stanch: acme: removed, "+acme+"\n"+
				"stanch: acme/b will be removed, with 1 repository and 1 finding. Type yes to go on: stanch: acme/b: "+no, "yes\nno\n", "remove", "acme", "acme/b")
			says(0, "stanch: all tables are removed, with 1 repository and 1 finding\n", "", "migrate", "--down", "--yes")
			o.add(t)
			says(0, "stanch: acme: removed\n", "", "remove", "acme") // it was never swept
			if status, _, errs := o.stanch(t, "migrate", "--yes"); status != cli.ExitUsage || !strings.Contains(errs, "--down") {
				t.Errorf("--yes alone: %d: %s", status, errs)
			}
		})
	}
}
