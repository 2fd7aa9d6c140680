package hook

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
)

// Uninstall removes the hooks that stanch has installed, and nothing else.
func (i *Installer) Uninstall() error {
	unlock, err := i.lock()
	if err != nil {
		return err
	}
	defer unlock()
	removed := 0
	for _, stage := range i.stages {
		if _, err := i.gitConfig("--get-regexp", "^"+regexp.QuoteMeta(section(stage))+`\.`); err != nil {
			continue // git would make an empty ~/.gitconfig to remove it from
		}
		if _, err := i.gitConfig("--remove-section", section(stage)); err == nil {
			fmt.Fprintf(i.out, "%s: removed from the configuration of git\n", stage)
			removed++
		}
	}
	files := i.uninstallFiles
	if i.global {
		files = i.uninstallFolder
	}
	n, err := files()
	if err != nil {
		return err
	}
	if removed+n == 0 {
		fmt.Fprintln(i.out, "stanch had installed no hook here")
	}
	return nil
}

// uninstallFiles removes the files of this repository, and also those that git does not run
// because core.hooksPath names another folder.
func (i *Installer) uninstallFiles() (removed int, err error) {
	common, err := i.git("rev-parse", "--git-common-dir")
	if err != nil {
		return 0, err
	}
	dirs := []string{filepath.Join(common, "hooks")}
	if _, scope := i.hooksPath(); scope != "global" && scope != "system" {
		dir, err := i.gitPath()
		var none *RefusedError
		switch {
		case err == nil:
			dirs = append(dirs, dir)
		case !errors.As(err, &none):
			return 0, err
		}
	}
	for _, dir := range dirs {
		for _, stage := range i.stages {
			for _, name := range []string{stage, stage + legacySuffix} {
				n, err := i.removeFile(dir, stage, name)
				if err != nil {
					return removed, err
				}
				removed += n
			}
		}
	}
	return removed, nil
}

// uninstallFolder removes the hooks for all repositories that an older stanch installed.
func (i *Installer) uninstallFolder() (removed int, err error) {
	dir, err := ownHooks()
	if err != nil {
		return 0, err
	}
	if _, err := i.ownFolder(); err == nil {
		if _, err := i.gitConfig("--unset-all", "core.hooksPath"); err != nil {
			return 0, err
		}
		fmt.Fprintln(i.out, "core.hooksPath, which an older stanch had set, is unset")
		removed++
	}
	for _, name := range globalHooks {
		n, err := i.removeFile(dir, name, name)
		if err != nil {
			return removed, err
		}
		removed += n
	}
	_ = os.Remove(dir) // if nothing else is there
	return removed, nil
}

// removeFile removes the hook of a stage, the file name of dir, if stanch has written it, and
// brings back the one that was there before. It does that also if stanch's is gone.
func (i *Installer) removeFile(dir, stage, name string) (removed int, err error) {
	dir = realDir(dir)
	file := filepath.Join(dir, name)
	h, err := readHook(file)
	gone := err == nil && h == nil && name == stage
	if !gone && (err != nil || h == nil || !isOurs(h.text)) {
		i.sayKept(dir, stage, name)
		return 0, nil //nolint:nilerr // a file that cannot be read is not ours
	}
	back, err := i.restore(dir, stage, name)
	switch {
	case err != nil:
		return 0, fmt.Errorf("bringing back the hook that was there before %s: %w", file, err)
	case back:
		fmt.Fprintf(i.out, "%s: your earlier hook is back\n", name)
		return 1, nil
	case gone:
		return 0, nil
	}
	if err := os.Remove(file); err != nil {
		return 0, err
	}
	if !i.global {
		fmt.Fprintf(i.out, "%s: removed\n", name)
	}
	return 1, nil
}

// sayKept says where the hook from before is if another has taken the place of stanch's.
func (i *Installer) sayKept(dir, stage, name string) {
	kept := filepath.Join(keptDir(dir), stage)
	legacy, _ := readHook(filepath.Join(dir, stage+legacySuffix)) // nil if there is none
	if legacy != nil && isOurs(legacy.text) || name != stage {
		return
	}
	if h, err := readHook(kept); err == nil && h != nil {
		fmt.Fprintf(i.out, "%s: %s is not from stanch and stays; your earlier hook is %s\n", stage, filepath.Join(dir, name), kept)
	}
}
