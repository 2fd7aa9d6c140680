package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/catalog"
	"github.com/stanch-dev/stanch/scanner/atomicfile"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/report"
)

// OutputFlags say in which format a report is written, and where.
type OutputFlags struct {
	Format      string // "" for the one that the name of the file stands for
	File        string // "" and "-" are stdout
	Public      bool   // the output holds no secret, so that others may read its file
	verbose     bool
	ListAll     string // see report.Options
	RefreshWith string // the command or flag that asks AWS again, see report.Options

	opened *os.File // see descriptor; kept, since it closes the descriptor when it is collected
}

// Add adds the flags to a command.
func (f *OutputFlags) Add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVarP(&f.Format, "format", "f", "", "write this `FORMAT`: text, json, sarif, junit, markdown, github or html (default: as --output ends, or text)")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(report.Formats, cobra.ShellCompDirectiveNoFileComp))
	flags.StringVarP(&f.File, "output", "o", "", "write the report to `FILE`, which only you can read; \"-\" is standard output")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "list every place, and ignored findings with the reason")
}

// Handler returns the handler of the format, writing to w.
func (f *OutputFlags) Handler(w *Output, rules ...*detectors.Rule) (finding.Handler, error) {
	ending := strings.ToLower(filepath.Ext(f.File))
	if f.Format == "" && slices.Contains([]string{".csv", ".pdf", ".tsv", ".xlsx", ".yaml", ".yml"}, ending) {
		return nil, fmt.Errorf("--output %s: no format of stanch ends with %s: choose one with --format (%s)", f.File, ending, strings.Join(report.Formats, ", "))
	}
	h, err := report.New(f.format(), w, report.Options{
		Color: WantsColour(w.Writer), Width: Width(w.Writer), Verbose: f.verbose, ListAll: f.ListAll, Rules: append(catalog.Rules(), rules...),
		Now: time.Now, RefreshWith: f.RefreshWith,
	})
	if err != nil || w.file == nil {
		return h, err
	}
	return report.All(h, report.Total(func(line string) { w.total = line })), nil
}

// format returns the format that the user names or, without one, that the file name ends with.
func (f *OutputFlags) format() string {
	if f.Format != "" {
		return f.Format
	}
	name := strings.ToLower(f.File)
	for _, x := range []struct{ ending, format string }{
		{".sarif", "sarif"}, {".sarif.json", "sarif"}, {".json", "json"}, {".jsonl", "json"},
		{".html", "html"}, {".md", "markdown"}, {".xml", "junit"},
	} {
		if strings.HasSuffix(name, x.ending) {
			return x.format
		}
	}
	return "text"
}

// KeepsJSON reports whether the output is a report that other commands of stanch can read later.
func (f *OutputFlags) KeepsJSON() bool {
	return f.format() == "json" && !f.ToStdout() && f.descriptor() == nil
}

// ToStdout reports whether the output is standard output.
func (f *OutputFlags) ToStdout() bool {
	return slices.Contains([]string{"", "-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}, f.File)
}

// descriptor returns the open file that --output names as /dev/fd/N, as a shell does for
// ">(command)", or as /proc/self/fd/N; nil if it names no such file. The path itself cannot
// always be opened: a socket cannot, and opening a file anew starts at its beginning.
func (f *OutputFlags) descriptor() *os.File {
	if f.opened != nil || runtime.GOOS == "windows" {
		return f.opened
	}
	number, ok := strings.CutPrefix(f.File, "/dev/fd/")
	if !ok {
		number, ok = strings.CutPrefix(f.File, "/proc/self/fd/")
	}
	n, err := strconv.Atoi(number)
	switch {
	case f.File == "/dev/stderr", ok && err == nil && n == 2:
		f.opened = os.Stderr
	case ok && err == nil && n > 2:
		f.opened = os.NewFile(uintptr(n), f.File)
	}
	return f.opened
}

// Save writes b to the output, a file whole or not at all. An error names the output.
func (f *OutputFlags) Save(stdout io.Writer, b []byte) error {
	out, err := f.open(stdout)
	if err != nil {
		return fmt.Errorf("writing %s: %w", f.File, err)
	}
	defer out.Discard()
	_, err = out.Write(b)
	return cmp.Or(out.Commit(), err)
}

// CheckPrivate returns an error if somebody else could read the output. It is for output
// with secrets. Files that stanch creates are private.
func (f *OutputFlags) CheckPrivate(stdout io.Writer) error {
	if f.format() == "html" {
		return errors.New("--show-secrets: a page is made to be passed on, and shows none; use text or json")
	}
	if f.ToStdout() {
		if !isPrivate(stdout) {
			return errors.New("--show-secrets: stdout is neither a terminal nor a file that only you can read; use --output FILE")
		}
		return nil
	}
	if file := f.descriptor(); file != nil {
		if !isPrivate(file) {
			return fmt.Errorf("--show-secrets: --output %s is neither a terminal nor a file that only you can read", f.File)
		}
		return nil
	}
	if info, err := os.Stat(f.File); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("--show-secrets: --output %s is not a regular file", f.File)
	}
	return nil
}

// isPrivate reports whether w is a terminal or a file that only its owner can read.
func isPrivate(w io.Writer) bool {
	if isTerminal(w) {
		return true
	}
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 == 0
}

// An Output is stdout, a device or pipe that --output names, or a file that appears
// under its name only when it is whole.
type Output struct {
	io.Writer
	name   string           // as --output says it, symbolic links of files followed
	device *os.File         // nil unless --output names one
	file   *atomicfile.File // nil unless --output names a file
	err    error            // the first error of a write: half a report must not replace a whole one
	total  string           // the last line of the report as text; "" if it is none
	tell   func(total string)
}

// Write implements io.Writer.
func (o *Output) Write(p []byte) (int, error) {
	n, err := o.Writer.Write(p)
	o.err = cmp.Or(o.err, err)
	return n, err
}

// Open opens the output; the caller commits or discards it. If it is a file that gets a report, s
// is told at its end what was found: nobody sees the report itself.
func (f *OutputFlags) Open(s *Streams) (*Output, error) {
	out, err := f.open(s.Stdout)
	if err != nil {
		return nil, Failed(fmt.Errorf("--output %s: %w", f.File, err))
	}
	out.tell = func(total string) {
		fmt.Fprintf(s.Stderr, "stanch: %s: %s\n", printable.Text(f.File), total)
	}
	return out, nil
}

// open is Open; its error does not name the output.
func (f *OutputFlags) open(stdout io.Writer) (*Output, error) {
	if f.ToStdout() {
		return &Output{Writer: stdout}, nil
	}
	if file := f.descriptor(); file != nil { // the program that opened it closes it
		if _, err := file.Stat(); err != nil {
			return nil, withoutName(err)
		}
		return &Output{Writer: file}, nil
	}
	out, err := f.openFile()
	if err != nil {
		return nil, withoutName(err)
	}
	return out, nil
}

// withoutName returns the cause of an error about a file, which may be a temporary one whose
// name tells the user nothing.
func withoutName(err error) error {
	var of *fs.PathError
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}

func (f *OutputFlags) openFile() (*Output, error) {
	if info, err := os.Stat(f.File); err == nil && !info.Mode().IsRegular() {
		device, err := os.OpenFile(f.File, os.O_WRONLY, 0)
		return &Output{Writer: device, name: f.File, device: device}, err
	}
	name := target(f.File)
	file, err := atomicfile.Create(name)
	if err == nil && f.Public {
		err = file.Chmod(0o644)
	}
	return &Output{Writer: file, name: name, file: file}, err
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

// Commit puts the file in its place, unless it could not be written. It returns the first error
// of writing to a file or device, too.
func (o *Output) Commit() error {
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
		return &fs.PathError{Op: "writing", Path: o.name, Err: withoutName(err)}
	}
	o.device = nil
	if o.total != "" {
		o.tell(o.total)
	}
	return nil
}

// Discard removes a file that was not committed.
func (o *Output) Discard() {
	if o.device != nil {
		_ = o.device.Close()
	}
	if o.file != nil {
		o.file.Discard()
	}
}
