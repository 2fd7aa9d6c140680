package hook

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/scanner/printable"
)

// Status says for each stage which hook guards it, or which one git does not run. It returns
// an error if a stage is not guarded.
func (i *Installer) Status() error {
	path, scope := i.hooksPath()
	if path != "" {
		fmt.Fprintf(i.out, "core.hooksPath is %s (%s): git runs hooks from nowhere else\n", path, scope)
	}
	if own, err := i.ownFolder(); err == nil && filepath.Clean(path) == own {
		instead := `"stanch hook uninstall --global", and then "stanch hook install" in each repository`
		if i.configured {
			instead = `"stanch hook install --global" again`
		}
		fmt.Fprintf(i.out, "An older stanch has set it. With it, hooks of a server do not run, and a push updates no work tree: run %s\n", instead)
	}
	if manager := managerOf(path); manager != "" {
		fmt.Fprintf(i.out, "%s manages these hooks\n", manager)
	}
	dir := path
	if !i.global {
		var err error
		dir, err = i.gitPath()
		var none *RefusedError
		switch {
		case errors.As(err, &none):
			fmt.Fprintln(i.out, none)
		case err != nil:
			return err
		}
	}
	unguarded, onlyConfig, unread := 0, false, false
	for _, stage := range i.stages {
		guard, config := i.guard(dir, stage)
		onlyConfig = onlyConfig || config
		unread = unread || guard == "" && !i.configured && i.inConfig(stage)
		if guard == "" {
			unguarded++
			guard = "NOT GUARDED"
			if shadowed := i.shadowed(dir, stage); shadowed != "" {
				guard += ": " + shadowed + " exists, but git does not run it"
			}
		}
		fmt.Fprintf(i.out, "%-16s  %s\n", stage, guard)
	}
	if unread {
		fmt.Fprintf(i.out, "The hooks are in git's configuration, which git 2.54 and later reads, and this is %s: run \"stanch hook install\" with it as well\n", i.version)
	}
	if onlyConfig {
		fmt.Fprintf(i.out, "%s For such a git, run \"stanch hook install\" in each repository, or have its hook manager call \"stanch hook run\"\n", olderGit)
	}
	if !i.global && dir != "" && slices.Contains(i.stages, PrePush) {
		i.warnOfLFS(dir)
	}
	if unguarded > 0 {
		return fmt.Errorf("%s not guarded. To install hooks: %s", printable.Plural(unguarded, "stage"), i.installCommand())
	}
	return nil
}

// installCommand returns the command that installs the hooks of i.
func (i *Installer) installCommand() string {
	s := "stanch hook install"
	if i.global {
		s += " --global"
	}
	if !slices.Equal(i.stages, DefaultStages) {
		s += " --stage " + strings.Join(i.stages, ",")
	}
	return s
}

// guard says which hook runs stanch in a stage, "" if none does, and whether an older git has
// none.
func (i *Installer) guard(dir, stage string) (guard string, onlyConfig bool) {
	if !i.configured || !i.inConfig(stage) {
		return i.fileGuard(dir, stage), false
	}
	// A file of stanch does nothing if git's configuration names the hook, switched off or not.
	if !i.configGuards(stage) {
		return "", false
	}
	guard = "guarded by " + section(stage) + " in the configuration of git"
	if file := i.fileGuard(dir, stage); file != "" {
		return guard + "; for an older git, " + file, false
	}
	return guard, true
}

// fileGuard says which file runs stanch in a stage, "" if none does. dir is the folder of
// hooks, or "".
func (i *Installer) fileGuard(dir, stage string) string {
	if dir == "" {
		return ""
	}
	file := filepath.Join(dir, stage)
	text, err := os.ReadFile(file)
	if err != nil || !isExecutable(file) {
		return "" // git does not run it
	}
	if own := fileOf(dir, stage); own != file { // pre-commit and prek run any file
		if legacy, err := os.ReadFile(own); err == nil && isExecutable(own) && i.runs(own, legacy, stage) {
			return "guarded by " + own + ", which " + file + " runs first"
		}
	}
	if isOurs(text) {
		if i.runs(file, text, stage) {
			return "guarded by " + file
		}
		return ""
	}
	return i.otherGuard(file, string(text))
}

// isExecutable reports whether git runs a file. On Windows it runs each.
func isExecutable(file string) bool {
	info, err := os.Stat(file)
	return err == nil && (info.Mode()&0o111 != 0 || filepath.Separator != '/')
}

// runs reports whether a hook that stanch has written finds a stanch to run in the stage. If
// not, it says so.
func (i *Installer) runs(name string, code []byte, stage string) bool {
	if !bytes.Contains(code, []byte("hook run --stage "+stage)) {
		return false
	}
	return i.finds(name, string(code))
}

// finds reports whether the code of the hook name finds a stanch to run. If not, it says so.
func (i *Installer) finds(name, code string) bool {
	file := program(code)
	_, err := exec.LookPath(file)
	if err != nil && strings.Contains(code, "command -v stanch") {
		_, err = exec.LookPath("stanch")
	}
	if err != nil {
		fmt.Fprintf(i.out, "%s runs %s, which no longer exists, so git refuses every time: run \"stanch hook install\"\n", name, file)
	}
	return err == nil
}

// inConfig reports whether git's configuration has a hook for a stage (git-hook(1)), be it
// switched off.
func (i *Installer) inConfig(stage string) bool {
	in := false
	for event := range strings.SplitSeq(i.configValue("--get-all", section(stage)+".event"), "\n") {
		in = event != "" && (in || event == stage) // an empty value takes back those before it
	}
	return in
}

// configGuards reports whether git runs its configuration's hook for a stage, with a program
// that exists. If not, it says why.
func (i *Installer) configGuards(stage string) bool {
	for _, key := range []string{section(stage), "hook." + stage} {
		if i.configValue("--get", "--type=bool", key+".enabled") == "false" {
			fmt.Fprintf(i.out, "%s is switched off: %s.enabled is false\n", section(stage), key)
			return false
		}
	}
	command := i.configValue("--get", section(stage)+".command")
	if !strings.Contains(command+" ", "hook run --stage "+stage+" ") {
		fmt.Fprintf(i.out, "%s does not run stanch in this stage: its command is %q\n", section(stage), command)
		return false
	}
	return i.finds(section(stage), command)
}

// configValue returns a value of git's configuration: the user's if i is global, else all.
func (i *Installer) configValue(args ...string) string {
	if i.global {
		args = append([]string{"--global"}, args...)
	}
	value, _ := i.git(append([]string{"config"}, args...)...) // none is ""
	return value
}

// otherGuard says which hook manager a hook is from, if its configuration runs stanch in the
// stage. A script of the user's own may call stanch itself.
func (i *Installer) otherGuard(file, text string) string {
	stage := filepath.Base(file)
	if m := managerOfHook(text); m != nil {
		config := m.config
		if top, err := i.git("rev-parse", "--show-toplevel"); err == nil {
			name, guards := m.guardsIn(top, stage)
			if guards {
				return fmt.Sprintf("guarded by %s, whose %s runs stanch", m.name, name)
			}
			config = name
		}
		fmt.Fprintf(i.out, "%s is from %s, and nothing in its %s is seen to run stanch in this stage\n", file, m.name, config)
		return ""
	}
	if scriptGuards(withoutComments([]byte(text)), stage) {
		return "guarded by " + file + ", which calls stanch"
	}
	keeps := "stanch hook install keeps it, and it still runs"
	if _, _, err := i.before(filepath.Dir(file), stage); err != nil {
		keeps = err.Error()
	}
	fmt.Fprintf(i.out, "%s is not from stanch: %s\n", file, keeps)
	return ""
}

// warnOfLFS says how to get the push hook of git-lfs if it is missing in a repository that
// uses git-lfs. Without it, a push brings no large files. "git lfs install" refuses to write
// the hook beside another one.
func (i *Installer) warnOfLFS(dir string) {
	top, err := i.git("rev-parse", "--show-toplevel")
	if err != nil {
		return // a bare repository pushes nothing
	}
	attributes, _ := os.ReadFile(filepath.Join(top, ".gitattributes")) // none is empty
	if !bytes.Contains(attributes, []byte("filter=lfs")) {
		return
	}
	file := filepath.Join(dir, PrePush)
	text, _ := os.ReadFile(file)
	for _, kept := range []string{filepath.Join(keptDir(dir), PrePush), file + keptSuffix, file + legacySuffix} {
		more, _ := os.ReadFile(kept)
		text = append(text, more...)
	}
	switch {
	case bytes.Contains(text, []byte("lfs")) || bytes.Contains(text, []byte("lefthook")): // lefthook calls git-lfs
	case isOurs(text):
		fmt.Fprintln(i.out, `This repository uses git-lfs, whose hook is missing, so a push would leave out its files: run "stanch hook uninstall", "git lfs install" and "stanch hook install"`)
	case len(text) == 0:
		fmt.Fprintln(i.out, `This repository uses git-lfs, whose hook is missing, so a push would leave out its files: run "git lfs install"`)
	}
}

// shadowed returns a hook of stanch that git does not run, because core.hooksPath names
// another folder; "" if there is none.
func (i *Installer) shadowed(dir, stage string) string {
	common, err := i.git("rev-parse", "--git-common-dir")
	if err != nil {
		return ""
	}
	file, err := filepath.Abs(filepath.Join(common, "hooks", stage))
	if err != nil {
		return ""
	}
	if text, err := os.ReadFile(file); err == nil && isOurs(text) && filepath.Join(dir, stage) != file {
		return file
	}
	return ""
}
