//go:build sweep

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/finding"
)

// TestSweepAck acknowledges a finding and takes that back. Nothing but unack removes an
// acknowledgement, and reports name the day that was typed.
func TestSweepAck(t *testing.T) {
	o := newSweptOrg(t, filepath.Join(t.TempDir(), "sweep.db"))
	t.Setenv("USER", "somebody") // where the system has no name for this user
	name := "somebody"
	if u, err := user.Current(); err == nil && u.Username != "" {
		name = u.Username
	}
	o.repo(t, "a", "", `leak 1 f; commit 1`)
	o.add(t)
	o.sweep(t, cli.ExitLeaks)
	reported := func() (f finding.Finding) {
		t.Helper()
		_, out, errs := o.stanch(t, "report", "-f", "json")
		for line := range strings.Lines(out) {
			if strings.HasPrefix(line, `{"type":"finding"`) {
				if err := json.Unmarshal([]byte(line), &f); err != nil {
					t.Fatalf("%v: %s", err, errs)
				}
			}
		}
		return f
	}
	known := reported()
	fingerprint := known.Fingerprint()
	says := func(status int, want string, args ...string) {
		t.Helper()
		got, out, errs := o.stanch(t, args...)
		if got != status || !strings.Contains(out+errs, want) {
			t.Errorf("%q: exit status %d, want %d; it says %q, want %q", args, got, status, out+errs, want)
		}
	}
	by := func(want string) finding.Finding {
		t.Helper()
		f := reported()
		if f.History.AcknowledgedBy != want || (f.Ignored != "") != (want != "") {
			t.Errorf("acknowledged by %q, want %q; ignored: %q", f.History.AcknowledgedBy, want, f.Ignored)
		}
		return f
	}
	says(cli.ExitIncomplete, "nobody has acknowledged it", "unack", fingerprint)
	says(0, "acknowledged by ada", "ack", fingerprint, "--by", " ada ")
	by("ada")
	says(cli.ExitUsage, "unack", "ack", fingerprint, "--by", "")
	by("ada")
	says(0, "acknowledged by "+name, "ack", fingerprint, "--note", "known")
	if f := by(name); f.History.Note != "known" {
		t.Errorf("the note is %q", f.History.Note)
	}
	says(0, "until 2097-01-31", "ack", strings.ToUpper(fingerprint), "--until", "2097-01-31")
	if f := by(name); f.History.AcknowledgedUntil.Format(time.DateOnly) != "2097-01-31" || !strings.HasSuffix(f.Ignored, " until 2097-01-31") {
		t.Errorf("it is acknowledged until %s, and ignored as %q", f.History.AcknowledgedUntil, f.Ignored)
	}
	if _, out, _ := o.stanch(t, "report", "--verbose"); !strings.Contains(out, "until 2097-01-31") {
		t.Errorf("the report in text does not name the day:\n%s", out)
	}
	says(0, "not acknowledged any more", "unack", fingerprint)
	if f := by(""); f.History.Status != "" || f.History.Note != "known" || !f.History.AcknowledgedUntil.IsZero() {
		t.Errorf("what is left is %+v", f.History)
	}
	unknown := strings.Repeat("0", 32)
	says(cli.ExitIncomplete, "there is no finding with the fingerprint "+unknown, "ack", unknown)
	says(cli.ExitIncomplete, "there is no finding with the fingerprint "+unknown, "unack", unknown)
}

// TestSweepMany changes findings many at a time: by their fingerprints, by standard input, and
// by flags, which asks before it changes anything.
func TestSweepMany(t *testing.T) {
	o := newSweptOrg(t, filepath.Join(t.TempDir(), "sweep.db"))
	o.repo(t, "a", "", `leak 1 f; leak 2 g; commit 1`)
	o.repo(t, "b", "", `leak 3 f; commit 1`)
	o.add(t)
	o.sweep(t, cli.ExitLeaks)
	_, out, _ := o.stanch(t, "report", "-f", "json")
	var all []string
	for line := range strings.Lines(out) {
		var f finding.Finding
		if strings.HasPrefix(line, `{"type":"finding"`) && json.Unmarshal([]byte(line), &f) == nil {
			all = append(all, f.Fingerprint())
		}
	}
	if len(all) != 3 {
		t.Fatalf("%d findings", len(all))
	}
	says := func(status int, want, input string, args ...string) {
		t.Helper()
		var out, errs bytes.Buffer
		got := cli.ExitCode(&errs, run(t.Context(), append([]string{"sweep", "--database-url", o.database}, args...), strings.NewReader(input), &out, &errs))
		if said := out.String() + errs.String(); got != status || !strings.Contains(said, want) {
			t.Errorf("%q: exit status %d, want %d; it says %q, want %q", args, got, status, said, want)
		}
	}
	says(0, "3 findings: acknowledged by ada until 2097-01-31", strings.Join(all, "\n"), "ack", "-", "--by", "ada", "--until", "2097-01-31")
	says(cli.ExitUsage, "standard input holds no fingerprint", " ", "ack", "-", "--by", "ada")
	says(cli.ExitUsage, "2 findings, 0 live, will be given to payments. Type yes to go on: ", "no\n", "assign", "payments", "--repository", "acme/a", "--by", "ada")
	says(0, "2 findings: given to payments", "yes\n", "assign", "payments", "--repository", "acme/a", "--by", "ada")
	says(cli.ExitIncomplete, "no finding is selected", "", "assign", "x", "--repository", "acme/none", "--by", "ada")
	says(0, "closed as false-alarm by ada", all[0], "close", "-", "--as", "false-alarm", "--by", "ada", "--note", "a test")
	says(0, "2 findings: not acknowledged any more", "", "unack", "--status", "acknowledged", "--yes", "--by", "bob")
	says(cli.ExitIncomplete, "nothing was changed", "", "ack", all[0], strings.Repeat("0", 32), "--by", "ada")
	says(cli.ExitUsage, "holds a secret", "", "ack", all[0], "--by", "ada", "--note", "it is "+detectorstest.SecretKey(5))
	says(0, "ada (cli)   false-alarm", "", "history", all[0])
	says(0, `"via": "cli"`, "", "history", all[1], "--json")
	says(cli.ExitIncomplete, "there is no finding", "", "history", strings.Repeat("0", 32))
	_, out, _ = o.stanch(t, "report", "--verbose")
	if !strings.Contains(out, "false alarm by ada (a test)") || strings.Count(out, "owner payments") != 2 {
		t.Errorf("the report is\n%s", out)
	}
}

// TestSweepAckChecks holds that wrong usage is refused before there is a database.
func TestSweepAckChecks(t *testing.T) {
	o := newSweptOrg(t, filepath.Join(t.TempDir(), "none", "sweep.db"))
	fingerprint := strings.Repeat("0", 32)
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"ack", "0123", "--by", "ada"}, "32 hexadecimal digits"},
		{[]string{"ack", "aws-access-key " + fingerprint}, "32 hexadecimal digits"},
		{[]string{"unack", fingerprint + "0"}, "32 hexadecimal digits"},
		{[]string{"unack"}, `type "stanch sweep unack FINGERPRINT..."`},
		{[]string{"ack", fingerprint, "--by", "ada", "--repository", "acme/app"}, "do not go together"},
		{[]string{"ack", fingerprint, "--yes"}, "--yes answers"},
		{[]string{"ack", "--repository", ""}, "--repository is empty"},
		{[]string{"ack", "--state", "dead"}, `"dead" is no state: use one of live,`},
		{[]string{"ack", "--status", "done"}, `"done" is no status: use one of open,`},
		{[]string{"close", fingerprint, "--as", "open"}, "--as open: must be one of"},
		{[]string{"close", fingerprint}, "--as is missing"},
		{[]string{"assign"}, "name the owner"},
		{[]string{"assign", "", fingerprint}, "name the owner"},
		{[]string{"assign", "ada"}, "name findings"},
		{[]string{"ack", fingerprint, "--by", "ada", "--until", "tomorrow"}, "not a date"},
		{[]string{"ack", fingerprint, "--by", "ada", "--until", "2020-01-31"}, "that day is over"},
		{[]string{"ack", fingerprint, "--by", "ada", "--until", ""}, "--until is empty"},
		{[]string{"ack", fingerprint, "--by", " \t"}, "--by is empty"},
	} {
		if status, _, errs := o.stanch(t, tt.args...); status != cli.ExitUsage || !strings.Contains(errs, tt.want) {
			t.Errorf("%q: exit status %d; it says %q, want %q", tt.args, status, errs, tt.want)
		}
	}
	if _, err := os.Stat(filepath.Dir(o.database)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder of the database: %v", err)
	}
}
