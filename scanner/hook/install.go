package hook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/scanner/atomicfile"
	"github.com/stanch-dev/stanch/scanner/internal/gitcmd"
)

// The stages that a hook can be installed in; by default, all in which a key can come in on
// a developer's machine.
var (
	Installable   = []string{PreCommit, PreMerge, CommitMsg, PrePush, PreReceive}
	DefaultStages = []string{PreCommit, PreMerge, CommitMsg, PrePush}
)

// An Installer installs and removes the hooks of a repository or of a user.
type Installer struct {
	stages     []string
	global     bool // of all repositories of the user
	out        io.Writer
	ctx        context.Context
	executable string // of stanch, with forward slashes
	version    string // of git: "git version 2.39.5"
	configured bool   // git takes hooks from its configuration
}

// NewInstaller returns an installer of hooks of stages: in the repository of the current
// folder or, if global, for all repositories of the user. It describes its changes on out.
func NewInstaller(ctx context.Context, stages []string, global bool, out io.Writer) (*Installer, error) {
	i := &Installer{stages: stages, global: global, out: out, ctx: ctx}
	version, err := i.git("version")
	if err != nil {
		return nil, fmt.Errorf("hooks are run by git, which is not to be found: %w", err)
	}
	i.version, i.configured = version, hooksInConfig(version)
	name, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding the program of this process: %w", err)
	}
	i.executable = filepath.ToSlash(name)
	if !global {
		if _, err := i.git("rev-parse", "--git-dir"); err != nil {
			return nil, err
		}
	}
	return i, nil
}

// A RefusedError says why hooks cannot be installed in a place, and how to do it. Nothing
// was changed.
type RefusedError struct{ why string }

// Error implements error.
func (e *RefusedError) Error() string { return e.why }

func refused(format string, args ...any) error { return &RefusedError{fmt.Sprintf(format, args...)} }

// hooksInConfig reports whether git is 2.54 or later: "git version 2.54.0.windows.1".
func hooksInConfig(version string) bool {
	var major, minor int
	if n, err := fmt.Sscanf(version, "git version %d.%d", &major, &minor); n < 2 || err != nil {
		return false
	}
	return major > 2 || major == 2 && minor >= 54
}

// git runs git and returns its output, without the newline at the end.
func (i *Installer) git(args ...string) (string, error) {
	return git(i.ctx, args...)
}

// git runs git as the user would, in the current folder.
func git(ctx context.Context, args ...string) (string, error) {
	out, err := gitcmd.Run(ctx, gitcmd.Command{Args: args, AsUser: true})
	return strings.TrimSuffix(out, "\n"), err
}

// gitConfig runs git config in the scope of i.
func (i *Installer) gitConfig(args ...string) (string, error) {
	return i.git(append([]string{"config", i.scope()}, args...)...)
}

func (i *Installer) scope() string {
	if i.global {
		return "--global"
	}
	return "--local"
}

// Install installs the hooks: in the configuration of git where git takes them from there,
// else as files. A hook that is there already is kept, and runs first.
func (i *Installer) Install() error {
	if i.configured {
		return i.installConfig()
	}
	if i.global {
		return i.refuseGlobal()
	}
	dir, err := i.hooksDir()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, name := range i.stages {
		if err := i.installFile(dir, name); err != nil {
			return fmt.Errorf("installing %s: %w", name, err)
		}
	}
	return nil
}

// refuseGlobal says why an older git has no hooks for all repositories. With
// core.hooksPath, git takes every hook from one folder. The folder would need a hook of
// each kind, to run the hook of the repository. But a push-to-checkout hook changes the
// behaviour of git by being there, and a reference-transaction hook runs three times for
// each ref.
func (i *Installer) refuseGlobal() error {
	undo := ""
	if _, err := i.ownFolder(); err == nil {
		undo = `. An older stanch has set core.hooksPath: undo that by "stanch hook uninstall --global"`
	}
	return refused("--global: this is %s, whose only hooks for all repositories, core.hooksPath, replace those of each, "+
		`of git-lfs, of pre-commit and of a server: run "stanch hook install" in each repository, or use git 2.54 or later%s`, i.version, undo)
}

// installConfig installs hooks that git finds in its configuration (git-hook(1)).
func (i *Installer) installConfig() error {
	for _, stage := range i.stages {
		for _, kv := range [][2]string{{"command", i.command(stage)}, {"event", stage}} {
			if _, err := i.gitConfig("--replace-all", section(stage)+"."+kv[0], kv[1]); err != nil {
				return err
			}
		}
		fmt.Fprintf(i.out, "%s: installed as %s in the configuration of git\n", stage, section(stage))
	}
	if i.global { // from before git was upgraded
		if _, err := i.uninstallFolder(); err != nil {
			return err
		}
	}
	return nil
}

// hooksDir returns the folder to install files in.
func (i *Installer) hooksDir() (string, error) {
	path, scope := i.hooksPath()
	if manager := managerOf(path); manager != "" {
		return "", refused("core.hooksPath is %s, which %s writes anew: add \"stanch hook run\" to its hooks instead (docs/hooks.md)", path, manager)
	}
	if _, err := i.ownFolder(); err == nil && scope == "global" {
		return "", refused("core.hooksPath is %s for all repositories, as an older stanch has set it, so that git runs no hooks of this one: run \"stanch hook uninstall --global\" first", path)
	}
	if scope == "global" || scope == "system" {
		return "", refused("core.hooksPath is %s for all repositories, so that git runs no hooks of this one: unset it, set core.hooksPath in this repository, or add \"stanch hook run\" to the hooks there (docs/hooks.md)", path)
	}
	dir, err := i.gitPath()
	if err != nil {
		return "", err
	}
	return dir, nil
}

// gitPath returns the folder where git looks for hooks: below the git directory that all
// work trees share, or core.hooksPath, which is relative to the top of each work tree.
func (i *Installer) gitPath() (string, error) {
	dir, err := i.git("rev-parse", "--git-path", "hooks")
	if err != nil {
		return "", err
	}
	return filepath.Abs(dir)
}

// hooksPath returns core.hooksPath and where it is set, "" if it is not.
func (i *Installer) hooksPath() (path, scope string) {
	args := []string{"config", "--show-scope", "--type=path", "core.hooksPath"}
	if i.global {
		args = slices.Insert(args, 1, "--global")
	}
	out, err := i.git(args...)
	if err != nil {
		return "", ""
	}
	scope, path, _ = strings.Cut(out, "\t")
	return path, scope
}

// ownHooks returns the folder where an older stanch had hooks for all repositories.
func ownHooks() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("finding the hooks for all repositories: %w", err)
	}
	return filepath.Join(dir, "stanch", "hooks"), nil
}

// ownFolder returns ownHooks if the user's core.hooksPath names it, else an error.
func (i *Installer) ownFolder() (string, error) {
	dir, err := ownHooks()
	if err != nil {
		return "", err
	}
	path, err := i.git("config", "--global", "--type=path", "core.hooksPath")
	if err == nil && filepath.Clean(path) != dir {
		err = errors.New("core.hooksPath is not from stanch")
	}
	return dir, err
}

// managerOf returns the hook manager that a folder of hooks belongs to, "" for none.
func managerOf(dir string) string {
	if dir == "" {
		return ""
	}
	if slices.Contains(strings.Split(filepath.ToSlash(dir), "/"), ".husky") {
		return "husky"
	}
	return ""
}

// installFile writes a hook, and renames the one that is there.
func (i *Installer) installFile(dir, name string) error {
	file := filepath.Join(dir, name)
	text, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case isOurs(text):
	default:
		kept := file + chained
		if _, err := os.Lstat(kept); err == nil {
			return fmt.Errorf("%s is not from stanch, and there is %s already: remove one of them", file, kept)
		}
		if err := os.Rename(file, kept); err != nil {
			return err
		}
		fmt.Fprintf(i.out, "%s: the hook that was here is kept as %s, and runs first\n", name, kept)
	}
	// git would run a hook that is half written.
	if err := atomicfile.Write(file, i.script(name), 0o755); err != nil {
		return err
	}
	fmt.Fprintf(i.out, "%s: installed as %s\n", name, file)
	return nil
}
