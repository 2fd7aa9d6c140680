package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/run"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/response/protocol"
)

func TestExitCode(t *testing.T) {
	refused := &response.RefusedError{Gate: response.GateConfirm, Why: "nobody types"}
	write := func(file string) error { return &fs.PathError{Op: "write", Path: file, Err: syscall.EPIPE} }
	for _, tt := range []struct {
		name string
		err  error
		code int
		says string // on stderr
	}{
		{"clean", nil, ExitClean, ""},
		{"leaks", ErrLeaks, ExitLeaks, ""},
		{"usage", fmt.Errorf("ci: %w", &UsageError{"there is no flag --x", "stanch ci"}), ExitUsage, "stanch: ci: there is no flag --x\nRun 'stanch ci --help' for usage.\n"},
		{"a wrong configuration", errors.New("line 3 is wrong"), ExitUsage, "stanch: line 3 is wrong\n"},
		{"failed", Failed(errors.New("no such file")), ExitIncomplete, "stanch: no such file\n"},
		{"failed for nothing", Failed(nil), ExitClean, ""},
		{"failed, and interrupted", Failed(context.Canceled), ExitInterrupted, "interrupted"},
		{"failed, since the reader left", Failed(write("/dev/stdout")), ExitReaderLeft, ""},
		{"refused", fmt.Errorf("apply: %w", refused), ExitUsage, "not-confirmed"},
		{"refused, and so not all is done", Unfinished(refused), ExitUsage, "not-confirmed"},
		{"not all is done", Unfinished(errors.New("a step failed")), ExitIncomplete, "a step failed"},
		{"unread", Incomplete(ErrUnread), ExitIncomplete, "could not be read"},
		{"AWS gave no answer", &unansweredError{2}, ExitIncomplete, "AWS gave no answer about 2 keys, so nobody knows whether they are live"},
		{"AWS gave no answer about one", &unansweredError{1}, ExitIncomplete, "AWS gave no answer about 1 key, so nobody knows whether it is live"},
		{"unread, and leaks", ScanEnded(run.Result{Leaks: 2, Summary: finding.Summary{Unread: []finding.Unread{{What: "a"}}}}, nil), ExitIncomplete,
			"stanch: the scan is incomplete: the report names what could not be read, and 2 leaks that --fail-on counts\n"},
		{"unread, and refused", errors.Join(Incomplete(ErrUnread), refused), ExitIncomplete, "not-confirmed"},
		{"the reader left", Incomplete(fmt.Errorf("writing: %w", write("/dev/stdout"))), ExitReaderLeft, ""},
		{"a program that stanch runs left", Incomplete(write("|1")), ExitIncomplete, "broken pipe"},
		{"the reader left, and a step failed", errors.Join(Incomplete(write("/dev/stdout")), Unfinished(errors.New("a step failed"))), ExitIncomplete, "a step failed"},
		{"unread, and interrupted", errors.Join(Incomplete(ErrUnread), context.Canceled), ExitInterrupted, "interrupted: a report"},
		{"a service that was stopped", ErrStopped, ExitInterrupted, "stanch: stopped: the jobs"},
		{"interrupted while a plan is applied", &protocol.UnfinishedError{Err: context.Canceled}, ExitInterrupted, "run the same command again"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var stderr bytes.Buffer
			if code := ExitCode(&stderr, tt.err); code != tt.code || !strings.Contains(stderr.String(), tt.says) || (tt.says == "") != (stderr.Len() == 0) || strings.HasSuffix(tt.says, "\n") && tt.says != stderr.String() {
				t.Errorf("exit code %d, want %d, with %q:\n%s", code, tt.code, tt.says, &stderr)
			}
		})
	}
}

func TestScanEnded(t *testing.T) {
	unread := finding.Summary{Unread: []finding.Unread{{What: "a"}}}
	disk := errors.New("the disk is full")
	for _, tt := range []struct {
		name       string
		result     run.Result
		err        error
		want       error
		incomplete bool
	}{
		{"clean", run.Result{}, nil, nil, false},
		{"leaks", run.Result{Leaks: 1}, nil, ErrLeaks, false},
		{"unread", run.Result{Summary: unread}, nil, ErrUnread, true},
		{"unread, and leaks", run.Result{Leaks: 1, Summary: unread}, nil, ErrUnread, true},
		{"AWS gave no answer", run.Result{Unanswered: 2}, nil, &unansweredError{2}, false},
		{"AWS gave no answer, and leaks", run.Result{Leaks: 1, Unanswered: 2}, nil, ErrLeaks, false},
		{"AWS gave no answer, and unread", run.Result{Unanswered: 2, Summary: unread}, nil, ErrUnread, true},
		{"an error", run.Result{Leaks: 1}, disk, disk, true},
		{"interrupted", run.Result{Summary: unread}, context.Canceled, context.Canceled, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ScanEnded(tt.result, tt.err)
			if !errors.Is(got, tt.want) && fmt.Sprint(got) != fmt.Sprint(tt.want) || (got == nil) != (tt.want == nil) {
				t.Errorf("%v, want %v", got, tt.want)
			}
			if errors.Is(got, ErrIncomplete) != tt.incomplete {
				t.Errorf("incomplete: %v, want %v", !tt.incomplete, tt.incomplete)
			}
		})
	}
}
