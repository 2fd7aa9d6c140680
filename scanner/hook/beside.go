package hook

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/scanner/atomicfile"
)

// keptSuffix is the suffix of the folder of the hooks that were there before stanch's. Once
// each hook got it instead.
const keptSuffix = ".before-stanch"

// keptDir returns the folder of the hooks that were there before stanch's. It lies beside
// dir, the folder of hooks, since some hooks read files above their own folder. Each hook has
// its own name there, since some look at it: Overcommit and old versions of husky link all
// hooks to one program.
func keptDir(dir string) string { return realDir(dir) + keptSuffix }

// realDir returns dir without symbolic links, for "..", if it is there.
func realDir(dir string) string {
	if resolved, err := filepath.EvalSymlinks(dir); err == nil {
		return resolved
	}
	return filepath.Clean(dir)
}

// legacySuffix is the suffix by which pre-commit and prek rename a hook that is there when
// they are installed. They run it first.
const legacySuffix = ".legacy"

// hookImpl is in each hook of pre-commit and prek, as the subcommand that it calls.
const hookImpl = "hook-impl"

// A hookFile is a file that git runs, or a symbolic link to one.
type hookFile struct {
	link string // its target, "" if it is no link
	text []byte // nil if a link leads nowhere
	mode fs.FileMode
}

// readHook reads a hook. It returns nil if there is none.
func readHook(name string) (*hookFile, error) {
	info, err := os.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // no hook is no error
	}
	if err != nil {
		return nil, err
	}
	h := &hookFile{mode: info.Mode().Perm()}
	if info.Mode()&fs.ModeSymlink != 0 {
		if h.link, err = os.Readlink(name); err != nil {
			return nil, err
		}
	}
	h.text, err = os.ReadFile(name)
	if h.link != "" && errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return h, err
}

// equal reports whether h and other are one hook, in the same folder or moved by write.
func (h *hookFile) equal(other *hookFile) bool {
	return (h.link == "") == (other.link == "") && bytes.Equal(h.text, other.text)
}

// write writes h, which is from the folder from, as a file or a link of that name. A link
// leads where it led.
func (h *hookFile) write(name, from string) error {
	if h.link == "" {
		return atomicfile.Write(name, h.text, h.mode)
	}
	target := h.link
	if !filepath.IsAbs(target) {
		var err error
		if target, err = filepath.Rel(filepath.Dir(name), filepath.Join(from, target)); err != nil {
			return err
		}
	}
	temp := name + ".stanch-new"
	_ = os.Remove(temp) // of an install that was interrupted
	if err := os.Symlink(filepath.ToSlash(target), temp); err != nil {
		return err
	}
	return os.Rename(temp, name)
}

// keep copies the hook h of dir to keptDir, under name, and returns a function that undoes
// that. The hook stays where it is until stanch's takes its place in one step. So no commit
// runs without it, and an install that is interrupted can be repeated.
func (i *Installer) keep(dir, name string, h *hookFile) (undo func(), err error) {
	kept := filepath.Join(keptDir(dir), name)
	old, err := readHook(kept)
	if err != nil || old != nil && old.equal(h) {
		return func() {}, err
	}
	undo = func() {
		_ = os.Remove(kept)
		i.cleanKept(dir)
	}
	if err := os.MkdirAll(filepath.Dir(kept), 0o755); err != nil {
		return undo, err
	}
	return undo, h.write(kept, dir)
}

// linkSiblings links the files of dir in keptDir, if that is there: a hook may read files
// beside itself, as $(dirname "$0")/common.sh.
func (i *Installer) linkSiblings(dir string) error {
	if _, err := os.Stat(keptDir(dir)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := e.Name()
		text, _ := os.ReadFile(filepath.Join(dir, name)) // a folder has no text
		if strings.HasSuffix(name, ".sample") || strings.HasPrefix(name, ".stanch-") || isOurs(text) || slices.Contains(Installable, stageOf(name)) {
			continue
		}
		err := os.Symlink(sibling(dir, name), filepath.Join(keptDir(dir), name))
		if err != nil && !errors.Is(err, fs.ErrExist) {
			// Windows lets few users make links.
			fmt.Fprintf(i.out, "%s is not linked in %s, where a hook may look for it: %v\n", name, keptDir(dir), err)
		}
	}
	return nil
}

// sibling returns the target of a link in keptDir to the file name of dir.
func sibling(dir, name string) string { return "../" + filepath.Base(dir) + "/" + name }

// stageOf returns the stage of a file of hooks: of "pre-commit", and of
// "pre-commit.before-stanch". Neither is linked, for stanch's own hook may come to lie there,
// and would then run itself. But "pre-commit.legacy" is linked: pre-commit looks for it.
func stageOf(name string) string { return strings.TrimSuffix(name, keptSuffix) }

// cleanKept removes keptDir if it holds nothing but links to the files of dir.
func (i *Installer) cleanKept(dir string) {
	kept := keptDir(dir)
	entries, _ := os.ReadDir(kept) // none if it is not there
	isLink := func(e os.DirEntry) bool {
		target, err := os.Readlink(filepath.Join(kept, e.Name()))
		return err == nil && filepath.ToSlash(target) == sibling(dir, e.Name())
	}
	if slices.ContainsFunc(entries, func(e os.DirEntry) bool { return !isLink(e) }) {
		return
	}
	for _, e := range entries {
		_ = os.Remove(filepath.Join(kept, e.Name()))
	}
	_ = os.Remove(kept)
}

// keepLegacy keeps a copy of the hook that a kept one of pre-commit or prek runs first. Where
// they are installed again, they put stanch's hook in its place.
func (i *Installer) keepLegacy(dir, stage string) (undo func(), err error) {
	undo = func() {}
	h, err := readHook(filepath.Join(dir, stage+legacySuffix))
	if err != nil || h == nil || isOurs(h.text) || !isHookImpl(filepath.Join(keptDir(dir), stage)) {
		return undo, err
	}
	return i.keep(dir, stage+legacySuffix, h)
}

// isHookImpl reports whether a file is a hook of pre-commit or prek.
func isHookImpl(name string) bool {
	text, err := os.ReadFile(name)
	return err == nil && bytes.Contains(text, []byte(hookImpl))
}

// restore puts the hook from before back to name, a file of dir, and reports whether there
// was one. It drops one of pre-commit or prek that would be called by its successor, and
// brings back the one that it ran first.
func (i *Installer) restore(dir, stage, name string) (back bool, err error) {
	kept := []string{filepath.Join(keptDir(dir), stage), filepath.Join(dir, stage+keptSuffix)}
	if slices.ContainsFunc(kept, isHookImpl) {
		back, err = restoreLegacy(dir, stage, name != stage)
	}
	if name != stage {
		kept, err = dropHookImpl(kept, err)
	}
	for _, file := range kept {
		if err != nil || back && name != stage {
			break
		}
		var moved bool
		if moved, err = move(file, filepath.Join(dir, name)); moved {
			back = true
			break
		}
	}
	i.cleanKept(dir)
	return back, err
}

// restoreLegacy brings back the copy of the hook NAME.legacy, if stanch's has taken its place
// or it is gone, and removes the copy. It reports whether there was one to bring back.
func restoreLegacy(dir, stage string, replace bool) (back bool, err error) {
	legacy, kept := filepath.Join(dir, stage+legacySuffix), filepath.Join(keptDir(dir), stage+legacySuffix)
	if _, err := os.Lstat(legacy); replace || errors.Is(err, fs.ErrNotExist) {
		return move(kept, legacy)
	}
	if err := os.Remove(kept); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	return false, nil
}

// dropHookImpl removes the hooks of pre-commit and prek among files, and returns the others.
// It does nothing after an error.
func dropHookImpl(files []string, err error) (others []string, _ error) {
	for _, file := range files {
		switch {
		case err != nil || !isHookImpl(file):
			others = append(others, file)
		default:
			err = os.Remove(file)
		}
	}
	return others, err
}

// move moves a hook from before, and reports whether there was one.
func move(from, to string) (moved bool, err error) {
	h, err := readHook(from)
	if err != nil || h == nil || isOurs(h.text) {
		return false, err
	}
	if err := h.write(to, filepath.Dir(from)); err != nil {
		return false, err
	}
	return true, os.Remove(from)
}
