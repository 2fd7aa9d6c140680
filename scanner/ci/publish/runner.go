package publish

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/report/annotations"
)

// A Runner writes workflow commands to the log of GitHub Actions. GitHub's runner obeys
// every command in a log, and stanch quotes paths and authors in it, which may look like
// commands. So from Stop to Resume the runner is told, by a word that nobody can guess, to
// obey only the commands that Write writes (docs.github.com, "Stopping and starting
// workflow commands").
type Runner struct {
	log  io.Writer
	word string
}

// NewRunner returns a Runner that writes to log.
func NewRunner(log io.Writer) *Runner { return &Runner{log, rand.Text()} }

// Stop makes the runner obey no command in the log.
func (r *Runner) Stop() error {
	_, err := fmt.Fprintf(r.log, "::stop-commands::%s\n", r.word)
	return err
}

// Resume makes the runner obey commands again.
func (r *Runner) Resume() error {
	_, err := fmt.Fprintf(r.log, "::%s::\n", r.word)
	return err
}

// Write implements io.Writer. p holds whole commands, which the runner obeys.
func (r *Runner) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	err := r.Resume()
	if err == nil {
		_, err = r.log.Write(p)
	}
	return len(p), errors.Join(err, r.Stop())
}

// A maskingSink tells the runner which texts to mask in its log, before a finding is
// reported. The commands hold the secrets; only the runner reads them.
type maskingSink struct {
	scanner.Sink
	runner *Runner
}

// Mask returns a sink that masks the secrets of findings in the log, and passes them on.
func (r *Runner) Mask(sink scanner.Sink) scanner.Sink { return maskingSink{sink, r} }

// Finding implements scanner.Sink.
func (m maskingSink) Finding(f *finding.Finding) error {
	cred := f.Match.Credential
	var masks strings.Builder
	for _, s := range append([]detectors.Secret{cred.Secret, cred.Token}, f.Others...) {
		masks.WriteString(annotations.Mask(s.Reveal()))
	}
	if _, err := io.WriteString(m.runner, masks.String()); err != nil {
		return err
	}
	return m.Sink.Finding(f)
}
