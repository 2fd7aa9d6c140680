package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// The stages that install takes, and those that it takes by default: all in which a
// key can come in on a developer's machine.
var (
	installable   = []string{preCommit, preMerge, commitMsg, prePush, preReceive}
	defaultStages = []string{preCommit, preMerge, commitMsg, prePush}
)

// installFlags are those of install, uninstall and status.
type installFlags struct {
	global bool
	stages []string
}

func (f *installFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&f.global, "global", false, "for all repositories of this user")
	flags.StringSliceVar(&f.stages, "stage", defaultStages, "which hooks: "+strings.Join(installable, ", "))
	_ = cmd.RegisterFlagCompletionFunc("stage", cobra.FixedCompletions(installable, cobra.ShellCompDirectiveNoFileComp))
}

func (f *installFlags) check() error {
	for _, stage := range f.stages {
		if !slices.Contains(installable, stage) {
			return fmt.Errorf("--stage %s: must be one of %s", stage, strings.Join(installable, ", "))
		}
	}
	if f.global && slices.Contains(f.stages, preReceive) {
		return errors.New("--stage pre-receive: is for one repository, on a server")
	}
	return nil
}

func newHookInstall(s *streams) *cobra.Command {
	f := &installFlags{}
	cmd := &cobra.Command{
		Use:   "install",
		Short: "Install hooks in this repository, or with --global in all",
		Long: `Install hooks that run "stanch hook run". git 2.54 and later takes them from its
configuration, where they run beside all others; before, they are files in the
folder of hooks, core.hooksPath included. A hook that is there already is kept: it
is renamed to NAME.before-stanch, and runs first. With --global and an older git,
core.hooksPath is set, and each hook runs that of the repository first.`,
		Example: "  stanch hook install\n  stanch hook install --global\n  stanch hook install --stage pre-receive",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.with(cmd.Context(), s, func(i *installer) error { return i.install() })
		},
	}
	f.add(cmd)
	return cmd
}

func newHookUninstall(s *streams) *cobra.Command {
	f := &installFlags{}
	cmd := &cobra.Command{
		Use:   "uninstall",
		Short: `Remove what "stanch hook install" has installed, and nothing else`,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.with(cmd.Context(), s, func(i *installer) error { return i.uninstall() })
		},
	}
	f.add(cmd)
	return cmd
}

func newHookStatus(s *streams) *cobra.Command {
	f := &installFlags{}
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Say which hooks run, and what keeps others from running",
		Long:  "Say which hooks run, and what keeps others from running. The exit status is 3 if one of the stages is not guarded.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.with(cmd.Context(), s, func(i *installer) error { return i.status() })
		},
	}
	f.add(cmd)
	return cmd
}

// An installer changes the hooks of a repository, or of a user.
type installer struct {
	*installFlags
	*streams
	ctx        context.Context
	executable string // of stanch, with forward slashes
	configured bool   // git takes hooks from its configuration
}

func (f *installFlags) with(ctx context.Context, s *streams, do func(*installer) error) error {
	if err := f.check(); err != nil {
		return err
	}
	if len(f.stages) == 0 {
		return errors.New("--stage: names no stage")
	}
	i := &installer{installFlags: f, streams: s, ctx: ctx}
	version, err := i.git("version")
	if err != nil {
		return incomplete(fmt.Errorf("hooks are run by git, which is not to be found: %w", err))
	}
	i.configured = hooksInConfig(version)
	name, err := os.Executable()
	if err != nil {
		return incomplete(fmt.Errorf("finding the program of this process: %w", err))
	}
	i.executable = filepath.ToSlash(name)
	if !f.global {
		if _, err := i.git("rev-parse", "--git-dir"); err != nil {
			return incomplete(err)
		}
	}
	return do(i)
}

// hooksInConfig reports whether git is 2.54 or later: "git version 2.54.0.windows.1".
func hooksInConfig(version string) bool {
	var major, minor int
	if n, err := fmt.Sscanf(version, "git version %d.%d", &major, &minor); n < 2 || err != nil {
		return false
	}
	return major > 2 || major == 2 && minor >= 54
}

// git runs git and returns what it prints, without the newline at its end.
func (i *installer) git(args ...string) (string, error) {
	cmd := exec.CommandContext(i.ctx, "git", args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("git %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return strings.TrimSuffix(string(out), "\n"), err
}

// gitConfig is git config in the scope of i.
func (i *installer) gitConfig(args ...string) (string, error) {
	scope := "--local"
	if i.global {
		scope = "--global"
	}
	return i.git(append([]string{"config", scope}, args...)...)
}

func (i *installer) install() error {
	if i.configured {
		return i.installConfig()
	}
	dir, err := i.hooksDir()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return incomplete(err)
	}
	names := i.stages
	if i.global { // the others would be shadowed
		names = clientHooks
	}
	for _, name := range names {
		if err := i.installFile(dir, name); err != nil {
			return incomplete(fmt.Errorf("installing %s: %w", name, err))
		}
	}
	if i.global {
		if _, err := i.gitConfig("core.hooksPath", filepath.ToSlash(dir)); err != nil {
			return incomplete(err)
		}
		fmt.Fprintf(i.stdout, "core.hooksPath is %s for all repositories of this user; the hooks of each run first\n", dir)
	}
	return nil
}

// installConfig installs hooks that git finds in its configuration (git-hook(1)).
func (i *installer) installConfig() error {
	for _, stage := range i.stages {
		name := "hook.stanch-" + stage
		for _, kv := range [][2]string{{"command", quoted(i.executable) + " hook run --stage " + stage}, {"event", stage}} {
			if _, err := i.gitConfig("--replace-all", name+"."+kv[0], kv[1]); err != nil {
				return incomplete(err)
			}
		}
		fmt.Fprintf(i.stdout, "%s: installed as %s in the configuration of git\n", stage, name)
	}
	return nil
}

// hooksDir returns the folder to install files in.
func (i *installer) hooksDir() (string, error) {
	path, scope := i.hooksPath()
	if i.global {
		own, err := ownHooks()
		if err != nil {
			return "", incomplete(err)
		}
		if global, err := i.gitConfig("--type=path", "core.hooksPath"); err == nil && filepath.Clean(global) != own {
			return "", fmt.Errorf("core.hooksPath is %s already, for all repositories: unset it, or add \"stanch hook run --stage pre-commit\" to the hooks there", global)
		}
		return own, nil
	}
	if manager := managerOf(path); manager != "" {
		return "", fmt.Errorf("core.hooksPath is %s, which %s writes anew: add \"stanch hook run\" to its hooks instead (docs/hooks.md)", path, manager)
	}
	if scope == "global" || scope == "system" {
		return "", fmt.Errorf("core.hooksPath is %s for all repositories, so that git runs no hooks of this one: use \"stanch hook install --global\", or set core.hooksPath in this repository", path)
	}
	dir, err := i.gitPath()
	if err != nil {
		return "", incomplete(err)
	}
	return dir, nil
}

// gitPath is where git looks for hooks: below the git directory that all work trees
// share, or core.hooksPath, which is relative to the top of each.
func (i *installer) gitPath() (string, error) {
	dir, err := i.git("rev-parse", "--git-path", "hooks")
	if err != nil {
		return "", err
	}
	return filepath.Abs(dir)
}

// hooksPath returns core.hooksPath and where it is set, "" if it is not.
func (i *installer) hooksPath() (path, scope string) {
	out, err := i.git("config", "--show-scope", "--type=path", "core.hooksPath")
	if err != nil {
		return "", ""
	}
	scope, path, _ = strings.Cut(out, "\t")
	return path, scope
}

// ownHooks is where hooks for all repositories are.
func ownHooks() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("finding a place for the hooks: %w", err)
	}
	return filepath.Join(dir, "stanch", "hooks"), nil
}

// managerOf returns which hook manager a folder of hooks belongs to, "" for none.
func managerOf(dir string) string {
	if dir == "" {
		return ""
	}
	if slices.Contains(strings.Split(filepath.ToSlash(dir), "/"), ".husky") {
		return "husky"
	}
	return ""
}

// installFile writes a hook, and keeps the one that is there.
func (i *installer) installFile(dir, name string) error {
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
		fmt.Fprintf(i.stdout, "%s: the hook that was here is kept as %s, and runs first\n", name, kept)
	}
	if err := replaceFile(file, i.script(name)); err != nil {
		return err
	}
	if !i.global {
		fmt.Fprintf(i.stdout, "%s: installed as %s\n", name, file)
	}
	return nil
}

// replaceFile writes an executable file in one step: a hook that is cut off would run.
func replaceFile(file string, text []byte) error {
	temp, err := os.CreateTemp(filepath.Dir(file), ".stanch-*")
	if err != nil {
		return err
	}
	_, err = temp.Write(text)
	err = errors.Join(err, temp.Chmod(0o755), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temp.Name()))
	}
	return nil
}

func (i *installer) uninstall() error {
	removed := 0
	for _, stage := range i.stages {
		if _, err := i.gitConfig("--remove-section", "hook.stanch-"+stage); err == nil {
			fmt.Fprintf(i.stdout, "%s: removed from the configuration of git\n", stage)
			removed++
		}
	}
	dir, err := i.hooksDir()
	if err != nil {
		return err
	}
	names := i.stages
	if i.global {
		names = clientHooks
		if path, err := i.gitConfig("--type=path", "core.hooksPath"); err == nil && filepath.Clean(path) == dir {
			if _, err := i.gitConfig("--unset", "core.hooksPath"); err != nil {
				return incomplete(err)
			}
			fmt.Fprintln(i.stdout, "core.hooksPath is no longer set")
		}
	}
	for _, name := range names {
		file := filepath.Join(dir, name)
		text, err := os.ReadFile(file)
		if err != nil || !isOurs(text) {
			continue
		}
		if err := os.Remove(file); err != nil {
			return incomplete(err)
		}
		removed++
		if err := os.Rename(file+chained, file); err == nil {
			fmt.Fprintf(i.stdout, "%s: the hook from before is back\n", name)
		} else if !i.global {
			fmt.Fprintf(i.stdout, "%s: removed\n", cmp.Or(name, file))
		}
	}
	if removed == 0 {
		fmt.Fprintln(i.stdout, "there was no hook of stanch")
	}
	return nil
}
