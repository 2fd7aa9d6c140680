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
	"time"

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
		return nil, fmt.Errorf("git runs the hooks, and cannot be found: %w", err)
	}
	i.version, i.configured = version, hooksInConfig(version)
	name, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding the file of this program: %w", err)
	}
	i.executable = filepath.ToSlash(name)
	if !global {
		_, err := i.git("rev-parse", "--git-dir")
		var failed *gitcmd.Error
		switch {
		case err == nil:
		case errors.As(err, &failed) && strings.HasPrefix(failed.Stderr, "fatal: not a git repository"):
			return nil, errors.New("this folder is in no git repository: change to one, or give --global for all repositories of this user")
		default:
			return nil, fmt.Errorf("finding the repository of this folder (--global needs none): %w", err)
		}
	}
	return i, nil
}

// A RefusedError says why hooks cannot be installed in a place, and how to do it.
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

// Install installs the hooks: as files and, where git takes hooks from its configuration,
// there too. A hook that is there already is kept, and runs beside stanch's.
//
// The files are for an older git on the same machine, such as that of a GUI. They do nothing
// if the configuration has run stanch already. They are left out where git looks for no
// hooks of this repository, a hook manager keeps its own, or they cannot be written.
func (i *Installer) Install() error {
	if i.global {
		return i.installGlobal()
	}
	unlock, err := i.lock()
	if err != nil {
		return err
	}
	defer unlock()
	files := &pendingHooks{}
	dir, why := i.hooksDir()
	if why == nil {
		files, why = i.prepareFiles(dir)
	}
	if why != nil && (!i.configured || !withoutFiles(why)) {
		return why
	}
	defer files.discard()
	if i.configured {
		if err := i.installConfig(); err != nil {
			return err
		}
	}
	if err := files.commit(); err != nil {
		return err
	}
	if why == nil {
		i.warnOfTracked(dir)
	} else {
		fmt.Fprintf(i.out, "%s\nNo hook files were installed as well: %v\n", olderGit, why)
	}
	return nil
}

// warnOfTracked says that a folder of hooks holds tracked files, which an install has changed:
// git status shows that, and a commit would give the hooks of this machine to others.
func (i *Installer) warnOfTracked(dir string) {
	dir = realDir(dir)
	tracked, err := i.git("ls-files", "--", dir) // an error is that it is not in the work tree
	if err != nil || tracked == "" {
		return
	}
	fmt.Fprintf(i.out, "git tracks files in %s: do not commit stanch's files there, which name a program on this machine, nor %s\n", dir, keptDir(dir))
}

// withoutFiles reports whether hooks in git's configuration are installed alone if err keeps
// files from being installed: git looks for none, or the folder cannot be written. It does
// not if there are two hooks from before: the user has to choose one.
func withoutFiles(err error) bool {
	var refusal *RefusedError
	var path *fs.PathError
	var link *os.LinkError
	return errors.As(err, &refusal) || errors.As(err, &path) || errors.As(err, &link)
}

// olderGit is said of hooks that are in the configuration of git only.
const olderGit = "A git before 2.54 on this machine, such as the one of a GUI, does not run these hooks."

// installGlobal installs hooks for all repositories of the user.
func (i *Installer) installGlobal() error {
	if !i.configured {
		return i.refuseGlobal()
	}
	if err := i.installConfig(); err != nil {
		return err
	}
	if _, err := i.uninstallFolder(); err != nil { // from before git was upgraded
		return err
	}
	fmt.Fprintf(i.out, "%s For such a git, run \"stanch hook install\" in each repository as well\n", olderGit)
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
		undo = `. An older stanch has set core.hooksPath: undo that with "stanch hook uninstall --global"`
	}
	return refused("--global: this is %s, where hooks for all repositories (core.hooksPath) replace those of each repository, "+
		`of git-lfs, of pre-commit and of a server: run "stanch hook install" in each repository, or use git 2.54 or later%s`, i.version, undo)
}

// installConfig installs hooks that git finds in its configuration (git-hook(1)). After an
// error it removes those that it has added.
func (i *Installer) installConfig() error {
	var done []string
	for _, stage := range i.stages {
		if _, err := i.gitConfig("--get", section(stage)+".command"); err != nil {
			done = append(done, stage)
		}
		for _, kv := range [][2]string{{"command", i.command(stage)}, {"event", stage}} {
			if err := i.setConfig(section(stage)+"."+kv[0], kv[1]); err != nil {
				for _, stage := range done {
					_, _ = i.gitConfig("--remove-section", section(stage)) // it may hold nothing yet
				}
				return fmt.Errorf("installing %s in the configuration of git: %w", section(stage), err)
			}
		}
	}
	for _, stage := range i.stages {
		fmt.Fprintf(i.out, "%s: installed as %s in the configuration of git\n", stage, section(stage))
	}
	return nil
}

// setConfig sets a value of git's configuration. git does not wait for another process that
// writes it, such as a second install.
func (i *Installer) setConfig(key, value string) error {
	for deadline := time.Now().Add(2 * time.Second); ; {
		_, err := i.gitConfig("--replace-all", key, value)
		if err == nil || !strings.Contains(err.Error(), "File exists") || time.Now().After(deadline) {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// hooksDir returns the folder to install files in.
func (i *Installer) hooksDir() (string, error) {
	path, scope := i.hooksPath()
	if manager := managerOf(path); manager != "" {
		return "", refused("core.hooksPath is %s, which %s overwrites: add \"stanch hook run\" to its hooks instead (https://github.com/stanch-dev/stanch/blob/main/docs/hooks.md)", path, manager)
	}
	if _, err := i.ownFolder(); err == nil && scope == "global" {
		return "", refused("core.hooksPath is %s for all repositories, set by an older stanch, so git runs no hooks of this one: run \"stanch hook uninstall --global\" first", path)
	}
	if scope == "global" || scope == "system" {
		return "", refused("core.hooksPath is %s for all repositories, so git runs no hooks of this one: unset it, set core.hooksPath in this repository, or add \"stanch hook run\" to the hooks there (https://github.com/stanch-dev/stanch/blob/main/docs/hooks.md)", path)
	}
	return i.gitPath()
}

// gitPath returns the folder where git looks for hooks: below the git directory that all
// work trees share, or core.hooksPath, which is relative to the top of each work tree or of a
// bare repository.
func (i *Installer) gitPath() (string, error) {
	path, scope := i.hooksPath()
	switch {
	case scope == "":
		dir, err := i.git("rev-parse", "--git-path", "hooks")
		if err != nil {
			return "", err
		}
		return filepath.Abs(dir)
	case path == "": // git takes NAME of / then
		return "", refused("core.hooksPath is empty (%s), so git runs no hooks of this repository: run \"git config --%s --unset-all core.hooksPath\"", scope, scope)
	case filepath.IsAbs(path):
		return path, nil
	}
	top, err := i.git("rev-parse", "--show-toplevel")
	if err == nil {
		return filepath.Join(top, path), nil
	}
	if bare, err := i.git("rev-parse", "--is-bare-repository"); err != nil || bare != "true" {
		return "", refused("core.hooksPath is %s, which is relative to the top of the work tree, and this folder is not in one: go there first", path)
	}
	top, err = i.git("rev-parse", "--absolute-git-dir")
	if err != nil {
		return "", err
	}
	return filepath.Join(top, path), nil
}

// hooksPath returns core.hooksPath, which may be empty, and where it is set, "" if it is not.
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
