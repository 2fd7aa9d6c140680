package hook

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/stanch-dev/stanch/scanner/atomicfile"
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

// prepareFiles writes the hooks to dir, with copies of those that are there. After that,
// nothing needs space any more. If it fails, it leaves nothing behind.
func (i *Installer) prepareFiles(dir string) (*pendingHooks, error) {
	p := &pendingHooks{out: i.out}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return p, fmt.Errorf("making the folder of hooks: %w", err)
	}
	for _, stage := range i.stages {
		if err := i.prepareFile(p, dir, stage); err != nil {
			p.discard()
			return p, fmt.Errorf("installing the hook %s, nothing is changed: %w", stage, err)
		}
	}
	return p, nil
}

func (i *Installer) prepareFile(p *pendingHooks, dir, stage string) error {
	hook := pendingHook{stage: stage, name: fileOf(dir, stage)}
	for _, name := range []string{hook.name, filepath.Join(dir, stage+oldSuffix)} {
		there, err := readHook(name)
		if err != nil {
			return err
		}
		if there == nil || isOurs(there.text) {
			continue
		}
		undo, err := i.keep(dir, stage, there)
		p.undo = append(p.undo, undo)
		if err != nil {
			return err
		}
		if name != hook.name {
			hook.old = name
		}
		hook.kept = true
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
			fmt.Fprintf(p.out, "%s: the hook that was here is kept as %s, and still runs\n", hook.stage, filepath.Join(filepath.Dir(hook.name), beforeDir, hook.stage))
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
	p.undo = nil
}
