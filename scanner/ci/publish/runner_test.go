package publish_test

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"testing"

	"github.com/stanch-dev/stanch/scanner/ci/publish"
)

// TestRunner: the runner obeys commands that are written, and nothing else in the log.
func TestRunner(t *testing.T) {
	var log bytes.Buffer
	r := publish.NewRunner(&log)
	_, err := io.WriteString(&log, "before\n")
	err = errors.Join(err, r.Stop())
	_, quoted := io.WriteString(&log, "::error::a path that looks like a command\n")
	_, written := io.WriteString(r, "::notice::ours\n")
	if err := errors.Join(err, quoted, written, r.Resume()); err != nil {
		t.Fatal(err)
	}
	want := regexp.MustCompile(`^before
::stop-commands::(\w{20,})
::error::a path that looks like a command
::(\w{20,})::
::notice::ours
::stop-commands::(\w{20,})
::(\w{20,})::
$`)
	m := want.FindStringSubmatch(log.String())
	if m == nil || m[1] != m[2] || m[1] != m[3] || m[1] != m[4] {
		t.Errorf("the log is\n%s", &log)
	}
}
