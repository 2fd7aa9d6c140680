package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/catalog"
	"github.com/stanch-dev/stanch/scanner/atomicfile"
	"github.com/stanch-dev/stanch/scanner/report"
)

// outputFlags say in which form a report goes where.
type outputFlags struct {
	format  string
	file    string
	verbose bool
	again   string // has AWS asked anew, see report.Options
}

func (f *outputFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVarP(&f.format, "format", "f", "text", "text, json (one object a line), sarif (2.1.0), junit, markdown, github (annotations) or html (a page)")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(report.Formats, cobra.ShellCompDirectiveNoFileComp))
	flags.StringVarP(&f.file, "output", "o", "", "write the report to this file, readable by you only")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "list every place and what was ignored, with the reason")
}

// handler returns the handler of the format, writing to w.
func (f *outputFlags) handler(w *output, rules ...*detectors.Rule) (report.Handler, error) {
	return report.New(f.format, w, report.Options{
		Color: wantsColour(w.Writer), Verbose: f.verbose, Rules: append(catalog.Rules(), rules...),
		Now: time.Now, Again: f.again,
	})
}

// save writes b to the file that --output names, whole or not at all.
func (f *outputFlags) save(b []byte) error {
	out, err := f.open(nil)
	if err != nil {
		return err
	}
	defer out.discard()
	_, err = out.Write(b)
	if err = errors.Join(err, out.commit()); err != nil {
		return unfinished(err)
	}
	return nil
}

// checkPrivate returns an error unless nobody else can read what goes to the
// output: secrets were asked for. Files that stanch creates are private.
func (f *outputFlags) checkPrivate(stdout io.Writer) error {
	if f.format == "html" {
		return errors.New("--show-secrets: a page is made to be passed on, and shows none; use text or json")
	}
	if f.file != "" {
		if info, err := os.Stat(f.file); err == nil && !info.Mode().IsRegular() {
			return fmt.Errorf("--show-secrets: --output %s is not a regular file", f.file)
		}
		return nil
	}
	if isTerminal(stdout) {
		return nil
	}
	if file, ok := stdout.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 == 0 {
			return nil
		}
	}
	return errors.New("--show-secrets: stdout is neither a terminal nor a file that only you can read; use --output FILE")
}

// output is stdout, a device or pipe that --output names, or a file that appears
// under its name only when it is whole.
type output struct {
	io.Writer
	name   string           // as --output says it, symbolic links followed
	device *os.File         // nil unless --output names one
	file   *atomicfile.File // nil unless --output names a file
	err    error            // the first error of a write: half a report must not replace a whole one
}

func (o *output) Write(p []byte) (int, error) {
	n, err := o.Writer.Write(p)
	o.err = cmp.Or(o.err, err)
	return n, err
}

// open opens what the flags name; the caller commits or discards it.
func (f *outputFlags) open(stdout io.Writer) (*output, error) {
	if f.file == "" {
		return &output{Writer: stdout}, nil
	}
	o, err := f.openFile()
	if err != nil {
		return nil, incomplete(fmt.Errorf("--output %s: %w", f.file, err))
	}
	return o, nil
}

func (f *outputFlags) openFile() (*output, error) {
	name := target(f.file)
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		device, err := os.OpenFile(name, os.O_WRONLY, 0)
		return &output{Writer: device, name: name, device: device}, err
	}
	file, err := atomicfile.Create(name)
	return &output{Writer: file, name: name, file: file}, err
}

// target follows symbolic links, so that they stay links; the last may lead to
// a file that does not exist yet.
func target(name string) string {
	if path, err := filepath.EvalSymlinks(name); err == nil {
		return path
	}
	link, err := os.Readlink(name)
	switch {
	case err != nil:
		return name
	case filepath.IsAbs(link):
		return link
	}
	return filepath.Join(filepath.Dir(name), link)
}

// commit puts the file in its place, unless it could not be written.
func (o *output) commit() error {
	var err error
	switch {
	case o.device != nil:
		err = errors.Join(o.err, o.device.Close())
	case o.file != nil && o.err != nil:
		err = o.err
	case o.file != nil:
		err = o.file.Commit()
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", o.name, err)
	}
	o.device = nil
	return nil
}

// discard removes a file that was not committed.
func (o *output) discard() {
	if o.device != nil {
		_ = o.device.Close()
	}
	if o.file != nil {
		o.file.Discard()
	}
}
