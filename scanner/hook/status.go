package hook

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

var errUnguarded = errors.New("not all stages are guarded; see above")

// Status says for each stage which hook guards it, or which one git does not run. It returns
// an error if a stage is not guarded.
func (i *Installer) Status() error {
	path, scope := i.hooksPath()
	if path != "" {
		fmt.Fprintf(i.out, "core.hooksPath is %s (%s): git runs no hooks from elsewhere\n", path, scope)
	}
	if own, err := i.ownFolder(); err == nil && filepath.Clean(path) == own {
		instead := `"stanch hook uninstall --global", and then "stanch hook install" in each repository`
		if i.configured {
			instead = `"stanch hook install --global" again`
		}
		fmt.Fprintf(i.out, "An older stanch has set it. Hooks of a server do not run, and a push updates the files of no work tree: run %s\n", instead)
	}
	if manager := managerOf(path); manager != "" {
		fmt.Fprintf(i.out, "%s manages these hooks\n", manager)
	}
	dir := path
	if !i.global {
		var err error
		if dir, err = i.gitPath(); err != nil {
			return err
		}
	}
	unguarded := false
	for _, stage := range i.stages {
		guard := i.guard(dir, stage)
		if guard == "" {
			unguarded = true
			guard = "NOT GUARDED"
			if shadowed := i.shadowed(dir, stage); shadowed != "" {
				guard += ": " + shadowed + " is there, and git does not run it"
			}
		}
		fmt.Fprintf(i.out, "%-16s  %s\n", stage, guard)
	}
	if unguarded {
		return errUnguarded
	}
	return nil
}

// guard says which hook runs stanch in a stage, "" if none does.
func (i *Installer) guard(dir, stage string) string {
	if i.configured && i.configGuards(stage) {
		return "guarded by " + section(stage) + " in the configuration of git"
	}
	if dir == "" {
		return ""
	}
	file := filepath.Join(dir, stage)
	text, err := os.ReadFile(file)
	info, statErr := os.Stat(file)
	switch {
	case err != nil || statErr != nil:
		return ""
	case info.Mode()&0o111 == 0 && filepath.Separator == '/':
		return "" // git does not run it
	case isOurs(text):
		if strings.Contains(string(text), "hook run --stage "+stage+" ") {
			return "guarded by " + file
		}
		return ""
	}
	return i.otherGuard(file, string(text))
}

// configGuards reports whether git's configuration has a hook for the stage, and the program
// that it names exists.
func (i *Installer) configGuards(stage string) bool {
	get := func(args ...string) string {
		if i.global {
			args = append([]string{"--global"}, args...)
		}
		value, _ := i.git(append([]string{"config"}, args...)...) // none is ""
		return value
	}
	command := get("--get", section(stage)+".command")
	events := strings.Fields(get("--get-all", section(stage)+".event"))
	if command == "" || !slices.Contains(events, stage) || get("--type=bool", section(stage)+".enabled") == "false" {
		return false
	}
	file := program(command)
	_, err := exec.LookPath(file)
	if err != nil && strings.Contains(command, "command -v stanch") {
		_, err = exec.LookPath("stanch")
	}
	if err != nil {
		fmt.Fprintf(i.out, "%s runs %s, which is no longer there, so git refuses each time: run \"stanch hook install\"\n", section(stage), file)
	}
	return err == nil
}

// otherGuard says which hook manager a hook is from, if that runs stanch: the configuration of
// the manager names it. A script of the user's own may call stanch itself.
func (i *Installer) otherGuard(file, text string) string {
	for _, m := range []struct{ mark, manager, config string }{
		{"pre-commit.com", "pre-commit", ".pre-commit-config.yaml"}, {"prek", "prek", ".pre-commit-config.yaml"},
		{"lefthook", "lefthook", "lefthook.yml"}, {"husky", "husky", ".husky/" + filepath.Base(file)}, {"$0\")/h\"", "husky", ".husky/" + filepath.Base(file)},
	} {
		if !strings.Contains(text, m.mark) {
			continue
		}
		if top, err := i.git("rev-parse", "--show-toplevel"); err == nil {
			if config, err := os.ReadFile(filepath.Join(top, m.config)); err == nil && strings.Contains(string(config), "stanch") {
				return fmt.Sprintf("guarded by %s, whose %s names stanch", m.manager, m.config)
			}
		}
		fmt.Fprintf(i.out, "%s is from %s, and its %s does not name stanch\n", file, m.manager, m.config)
		return ""
	}
	if strings.Contains(text, "stanch hook run") {
		return "guarded by " + file + ", which calls stanch"
	}
	fmt.Fprintf(i.out, "%s is not from stanch; stanch hook install keeps it, and runs it first\n", file)
	return ""
}

// shadowed returns a hook of stanch that git does not run, because core.hooksPath names
// another folder; "" if there is none.
func (i *Installer) shadowed(dir, stage string) string {
	common, err := i.git("rev-parse", "--git-common-dir")
	if err != nil {
		return ""
	}
	file := filepath.Join(common, "hooks", stage)
	if text, err := os.ReadFile(file); err == nil && isOurs(text) && filepath.Join(dir, stage) != file {
		return file
	}
	return ""
}
