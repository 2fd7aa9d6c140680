package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/scanner/report"
)

// outputFlags say in which form a report goes where.
type outputFlags struct {
	format  string
	file    string
	verbose bool
}

func (f *outputFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVarP(&f.format, "format", "f", "text", "text, json (one object a line) or sarif (2.1.0)")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"text", "json", "sarif"}, cobra.ShellCompDirectiveNoFileComp))
	flags.StringVarP(&f.file, "output", "o", "", "write the report to this file, readable by you only")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "list every place and what was ignored, with the reason")
}

// handler returns the handler of the format, writing to w.
func (f *outputFlags) handler(w *output) (report.Handler, error) {
	return report.New(f.format, w, report.Options{
		Color: f.file == "" && wantsColour(w.Writer), Verbose: f.verbose, Rules: awskeys.Detector{}.Rules(),
	})
}

// checkPrivate returns an error unless nobody else can read what goes to the
// output: secrets were asked for. Files that stanch creates are private.
func (f *outputFlags) checkPrivate(stdout io.Writer) error {
	if f.file != "" || isTerminal(stdout) {
		return nil
	}
	if file, ok := stdout.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 == 0 {
			return nil
		}
	}
	return errors.New("--show-secrets: stdout is neither a terminal nor a file that only you can read; use --output FILE")
}

// output is stdout, or a file that appears under its name only when it is whole.
type output struct {
	io.Writer
	temp *os.File // nil for stdout
	name string
}

func (f *outputFlags) open(stdout io.Writer) (*output, error) {
	if f.file == "" {
		return &output{Writer: stdout}, nil
	}
	// CreateTemp makes files of mode 0600.
	temp, err := os.CreateTemp(filepath.Dir(f.file), "."+filepath.Base(f.file)+".*")
	if err != nil {
		return nil, incomplete(fmt.Errorf("--output %s: %w", f.file, err))
	}
	return &output{Writer: temp, temp: temp, name: f.file}, nil
}

// commit puts the file in its place.
func (o *output) commit() error {
	if o.temp == nil {
		return nil
	}
	if err := errors.Join(o.temp.Close(), os.Rename(o.temp.Name(), o.name)); err != nil {
		return fmt.Errorf("writing %s: %w", o.name, err)
	}
	o.temp = nil
	return nil
}

// discard removes what was not committed.
func (o *output) discard() {
	if o.temp != nil {
		_ = o.temp.Close()
		_ = os.Remove(o.temp.Name())
	}
}
