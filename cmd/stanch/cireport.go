package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/scanflags"
	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/catalog"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/ci/checkout"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource"
	"github.com/stanch-dev/stanch/scanner/report"
	"github.com/stanch-dev/stanch/scanner/report/annotations"
	"github.com/stanch-dev/stanch/scanner/report/sarif"
	"github.com/stanch-dev/stanch/verifier/assessment"
)

// attach makes j write all that CI wants, beside the report that goes to the log.
func (c *ciRun) attach(j *scanflags.Job) error {
	j.Exposure = c.exposure()
	j.Wraps = append(j.Wraps, c.deactivate.Watch)
	handlers := []finding.Handler{j.Handler, &lastSummary{to: &c.counts}}
	add := func(format string, w io.Writer) error {
		h, err := report.New(format, w, report.Options{
			Rules: append(catalog.Rules(), j.Config.Rules()...), Category: c.category(), LineHash: lineHash(c.dir),
			Now: time.Now, Again: j.Flags.Output.Again,
		})
		handlers = append(handlers, h)
		return err
	}
	wanted := map[string]io.Writer{}
	if c.sarif != "" || c.upload != "false" {
		wanted["sarif"] = &c.sarifText
	}
	if c.json != "" {
		wanted["json"] = &c.jsonText
	}
	if c.junit != "" {
		wanted["junit"] = &c.junitText
	}
	if c.onGitHub() {
		wanted["github"], wanted["markdown"] = c.commands, &c.summary
		j.Wraps = append(j.Wraps, func(s scanner.Sink) scanner.Sink { return masking{s, c.commands} })
	}
	for _, format := range slices.Sorted(maps.Keys(wanted)) {
		if err := add(format, wanted[format]); err != nil {
			return err
		}
	}
	j.Handler = report.All(handlers...)
	if c.quiet() {
		j.Handler = report.Anonymous(j.Handler)
	}
	return nil
}

// exposure is what CI knows of who can read what is found, and since when.
func (c *ciRun) exposure() assessment.Exposure {
	e := assessment.Exposure{Visibility: c.event.Visibility}
	if c.event.Ref != "" && !c.rng.All { // its commits were pushed a moment ago
		e.Pushed = time.Now()
	}
	return e
}

// category is that of SARIF in code scanning. What is uploaded to a category closes
// all alerts of the upload before that it does not name. For a pull request and for
// a whole repository that is right. The commits of one push say nothing of those
// before them, so that each push has a category of its own.
func (c *ciRun) category() string {
	if c.rng.All || c.event.PullRequest > 0 || len(c.rng.Include) == 0 {
		return "stanch/"
	}
	return "stanch/push/" + c.rng.Include[0] + "/" // without the slash it would be the id of a run
}

// A lastSummary remembers how a scan ended.
type lastSummary struct{ to *finding.Summary }

func (*lastSummary) Scan(finding.Scan) error             { return nil }
func (*lastSummary) Finding(finding.Finding) error       { return nil }
func (*lastSummary) Repository(finding.Repository) error { return nil }
func (h *lastSummary) Summary(s finding.Summary) error {
	*h.to = s
	return nil
}

// runnerCommands writes workflow commands to GitHub's runner. It obeys those that
// stand anywhere in a log, and a log quotes paths and authors: so from stop to resume
// it is told to obey none but what is written here, by a word that nobody can know
// beforehand (docs.github.com, "Stopping and starting workflow commands").
type runnerCommands struct {
	log  io.Writer
	word string
}

func (r *runnerCommands) stop() error {
	_, err := fmt.Fprintf(r.log, "::stop-commands::%s\n", r.word)
	return err
}

func (r *runnerCommands) resume() error {
	_, err := fmt.Fprintf(r.log, "::%s::\n", r.word)
	return err
}

// Write implements io.Writer: p is whole commands.
func (r *runnerCommands) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	err := r.resume()
	if err == nil {
		_, err = r.log.Write(p)
	}
	return len(p), errors.Join(err, r.stop())
}

// masking tells GitHub's runner what it must not log, before anything of a finding is
// written. It is for the runner alone: what it writes holds the secrets.
type masking struct {
	scanner.Sink
	runner io.Writer
}

func (m masking) Finding(f *finding.Finding) error {
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

// lineHash returns a function that hashes lines of files in dir, for SARIF.
func lineHash(dir string) func(string, int) string {
	root, err := os.OpenRoot(dir) // no path and no link leads out of it
	if err != nil {
		return nil
	}
	return func(path string, line int) string {
		name := filepath.FromSlash(path)
		info, err := root.Lstat(name)
		if err != nil || !info.Mode().IsRegular() || info.Size() > 16<<20 {
			return ""
		}
		text, err := root.ReadFile(name)
		if err != nil {
			return ""
		}
		return sarif.LineHash(string(text), line)
	}
}

// source is what the event is about.
func (c *ciRun) source(repo *gitsource.Repository) scanner.Source {
	if c.rng.All && c.rng.Unread == nil {
		return repo
	}
	if c.rng.All {
		return &lackingRepository{repo, scanner.Blob{ID: "repository", Kind: scanner.KindCommit, Name: "the whole repository", Err: c.rng.Unread}}
	}
	return &ciSource{Range: gitsource.Range{Repo: repo, Include: c.rng.Include, Exclude: c.rng.Exclude, Head: c.rng.Include[0]}, rng: &c.rng}
}

// A lackingRepository is a repository of which the server may have more.
type lackingRepository struct {
	*gitsource.Repository
	rest scanner.Blob // says why
}

// Blobs implements scanner.Source.
func (s *lackingRepository) Blobs(ctx context.Context, yield func(scanner.Blob) error) error {
	if err := yield(s.rest); err != nil {
		return err
	}
	return s.Repository.Blobs(ctx, yield)
}

// BlobsMatching implements scanner.SelectiveSource.
func (s *lackingRepository) BlobsMatching(ctx context.Context, p scanner.Prefilter, yield func(scanner.Blob) error) error {
	if err := yield(s.rest); err != nil {
		return err
	}
	return s.Repository.BlobsMatching(ctx, p, yield)
}

// A ciSource is a range of commits with what is known of the checkout.
type ciSource struct {
	gitsource.Range
	rng *checkout.Range
}

// Blobs implements scanner.Source.
func (s *ciSource) Blobs(ctx context.Context, yield func(scanner.Blob) error) error {
	if s.rng.Unread != nil {
		b := scanner.Blob{ID: "range", Kind: scanner.KindCommit, Name: "commits of the event", Err: s.rng.Unread}
		if err := yield(b); err != nil {
			return err
		}
	}
	return s.Range.Blobs(ctx, func(b scanner.Blob) error {
		if s.rng.Tip && errors.Is(b.Err, gitsource.ErrShallow) {
			return nil // what is older is of no event
		}
		return yield(b)
	})
}

// writeFiles writes the reports that flags name.
func (c *ciRun) writeFiles() error {
	var errs []error
	for _, f := range []struct {
		flag, name string
		text       []byte
	}{{"--sarif", c.sarif, c.sarifText.Bytes()}, {"--json", c.json, c.jsonText.Bytes()}, {"--junit", c.junit, c.junitText.Bytes()}} {
		if f.name == "" {
			continue
		}
		out, err := (&cli.OutputFlags{File: f.name}).Open(io.Discard)
		if err == nil {
			_, err = out.Write(f.text)
			err = errors.Join(err, out.Commit())
			out.Discard()
		}
		if err != nil {
			errs = append(errs, cli.Incomplete(fmt.Errorf("%s: %w", f.flag, err)))
		}
	}
	return errors.Join(errs...)
}
