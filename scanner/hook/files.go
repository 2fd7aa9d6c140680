package hook

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/stanch-dev/stanch/scanner/atomicfile"
	"github.com/stanch-dev/stanch/scanner/filelock"
)

// pendingHooks are hooks whose files are written, but not yet under the names that git runs.
type pendingHooks struct {
	hooks []pendingHook
	undo  []func()
	out   io.Writer
}

type pendingHook struct {
	*atomicfile.File
	stage, name string
	kept        bool   // there was another hook
	old         string // its file, if that is no longer needed
}

// lock keeps other processes from installing and uninstalling files in this repository until
// unlock is called. It goes without where no lock can be had, as in a folder that is read-only.
func (i *Installer) lock() (unlock func(), err error) {
	unlock = func() {}
	if i.global { // git locks its configuration
		return unlock, nil
	}
	common, err := i.git("rev-parse", "--git-common-dir")
	if err != nil {
		return unlock, err
	}
	name := filepath.Join(common, "stanch-hooks.lock")
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		file, err := filelock.Acquire(name)
		switch {
		case errors.Is(err, filelock.ErrHeld) && time.Now().After(deadline):
			return unlock, fmt.Errorf("waiting for another install: %w", err)
		case errors.Is(err, filelock.ErrHeld):
		case err != nil:
			return unlock, nil //nolint:nilerr // see above
		case isFile(file, name):
			return func() { _ = os.Remove(name); _ = file.Close() }, nil
		default: // its last owner has removed it
			_ = file.Close()
		}
	}
}

// isFile reports whether file is still what name names.
func isFile(file *os.File, name string) bool {
	opened, err := file.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(name)
	return err == nil && os.SameFile(opened, named)
}

// prepareFiles writes the hooks to dir, with copies of those that are there: to put them in
// their places needs little space. If it fails, it removes what it has written.
func (i *Installer) prepareFiles(dir string) (*pendingHooks, error) {
	p := &pendingHooks{out: i.out}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return p, fmt.Errorf("making the folder of hooks: %w", err)
	}
	dir = realDir(dir)
	for _, stage := range i.stages {
		if err := i.prepareFile(p, dir, stage); err != nil {
			p.discard()
			return p, fmt.Errorf("installing the hook %s (no file was changed): %w", stage, err)
		}
	}
	if err := i.linkSiblings(dir); err != nil {
		p.discard()
		return p, fmt.Errorf("linking the files beside the earlier hooks: %w", err)
	}
	return p, nil
}

func (i *Installer) prepareFile(p *pendingHooks, dir, stage string) error {
	hook := pendingHook{stage: stage, name: fileOf(dir, stage)}
	name, before, err := i.before(dir, stage)
	if err != nil {
		return err
	}
	if before != nil {
		undo, err := i.keep(dir, stage, before)
		p.undo = append(p.undo, undo)
		if err != nil {
			return err
		}
		if name != hook.name {
			hook.old = name
		}
		hook.kept = true
	}
	undo, err := i.keepLegacy(dir, stage)
	p.undo = append(p.undo, undo)
	if err != nil {
		return err
	}
	f, err := atomicfile.Create(hook.name)
	if err != nil {
		return err
	}
	hook.File = f
	p.hooks = append(p.hooks, hook)
	if _, err := f.Write(i.script(stage)); err != nil {
		return err
	}
	if err := f.Chmod(0o755); err != nil {
		return err
	}
	return f.Sync()
}

// before returns the hook of a stage that is in the way of stanch's, and its file; nil if
// there is none. Which of two different ones should run is not for stanch to say.
func (i *Installer) before(dir, stage string) (name string, before *hookFile, err error) {
	kept := filepath.Join(keptDir(dir), stage)
	other, err := readHook(kept)
	if err != nil {
		return "", nil, err
	}
	for _, file := range []string{fileOf(dir, stage), filepath.Join(dir, stage+keptSuffix)} {
		there, err := readHook(file)
		if err != nil {
			return "", nil, err
		}
		if there == nil || isOurs(there.text) {
			continue
		}
		if other != nil && !other.equal(there) {
			return "", nil, &conflictError{file, kept}
		}
		if before == nil {
			name, before = file, there
		}
		other, kept = there, file
	}
	return name, before, nil
}

// A conflictError says that there are two hooks from before.
type conflictError struct{ file, other string }

// Error implements error.
func (e *conflictError) Error() string {
	return fmt.Sprintf("neither %s nor %s is from stanch, and only one of them can be kept: remove the other", e.file, e.other)
}

// fileOf returns the file of stanch's hook for a stage. That is not the one that git runs if
// pre-commit or prek was installed after stanch: they rename the hook, and run it first.
func fileOf(dir, stage string) string {
	name := filepath.Join(dir, stage)
	text, err := os.ReadFile(name)
	if err != nil || !bytes.Contains(text, []byte(hookImpl)) {
		return name
	}
	if legacy, err := os.ReadFile(name + legacySuffix); err == nil && isOurs(legacy) {
		return name + legacySuffix
	}
	return name
}

// commit puts the hooks in their places.
func (p *pendingHooks) commit() error {
	p.undo = nil // from the first on, the copies are what runs
	for _, hook := range p.hooks {
		if err := hook.Commit(); err != nil {
			return fmt.Errorf("installing %s: %w", hook.name, err)
		}
		if hook.old != "" {
			if err := os.Remove(hook.old); err != nil {
				return err
			}
		}
		if hook.kept {
			fmt.Fprintf(p.out, "%s: your earlier hook is kept as %s, and still runs\n", hook.stage, filepath.Join(keptDir(filepath.Dir(hook.name)), hook.stage))
		}
		fmt.Fprintf(p.out, "%s: installed as %s\n", hook.stage, hook.name)
	}
	return nil
}

// discard removes what is not in its place.
func (p *pendingHooks) discard() {
	for _, hook := range p.hooks {
		hook.Discard()
	}
	for _, undo := range p.undo {
		undo()
	}
	p.hooks, p.undo = nil, nil
}
