// Package gitcmd runs the git binary.
//
// Every package that runs git does it here, so that all runs are alike: unattended, in the
// repository that the caller names, without hooks, and with errors that quote the end of
// git's output but no password. An example:
//
//	refs, err := gitcmd.Run(ctx, gitcmd.Command{Dir: "repo.git", Args: []string{"show-ref"}})
package gitcmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stanch-dev/stanch/scanner/printable"
)

// ErrNoGit says that there is no git binary in PATH.
var ErrNoGit = errors.New("there is no git binary")

// A Command is one run of git.
type Command struct {
	// Args are git's arguments. The first is the subcommand, which errors name.
	Args []string
	// Dir is the folder to run in, "" for the current one.
	Dir string
	// Config are settings, such as {"gc.auto", "0"}. They come after the settings that the
	// user has made in the environment. They are passed in the environment, which other
	// users of the machine cannot read as they can arguments: a setting may hold a token.
	Config [][2]string
	// Env are further variables, such as "GIT_DIR=.".
	Env []string
	// Stdin is git's standard input, nil for none.
	Stdin io.Reader
	// Progress gets a copy of git's standard error while git runs. It may be nil.
	Progress io.Writer
	// KillChildren ends the processes that git has started when the context ends. Use it
	// for transfers by http: see killGroup.
	KillChildren bool
	// AsUser runs git as the user would: in the repository that GIT_DIR and its kin name,
	// as they do in a hook, and with no setting but the user's.
	AsUser bool
}

// An Error says how a run of git ended.
type Error struct {
	Subcommand string
	Stderr     string // all of it, as git wrote it
	Err        error  // of the process
}

// Error implements error. It quotes the end of Stderr, if git wrote anything there.
func (e *Error) Error() string {
	s := fmt.Sprintf("git %s failed (%v)", e.Subcommand, e.Err)
	if said := lastLines(e.Stderr); said != "" {
		s += ": " + said
	}
	return s
}

// Unwrap returns the error of the process.
func (e *Error) Unwrap() error { return e.Err }

// Run runs git and returns its standard output. The error wraps ErrNoGit if there is no git,
// is the context's if that has ended, and else is an *Error.
func Run(ctx context.Context, c Command) (string, error) {
	binary, err := exec.LookPath("git")
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoGit, err)
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, binary, c.Args...)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Dir, c.Stdin, &stdout, &stderr
	if !c.AsUser {
		cmd.Env = c.environment()
	}
	if c.Progress != nil {
		cmd.Stderr = io.MultiWriter(&stderr, c.Progress)
	}
	if c.KillChildren {
		killGroup(cmd)
	}
	// Children that still run when git has ended hold its standard error open.
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", &Error{Subcommand: c.Args[0], Stderr: stderr.String(), Err: err}
	}
	return stdout.String(), nil
}

// repositoryVariables name the repository that git is in. They are set in a hook, and wrong
// for any other repository (git rev-parse --local-env-vars).
var repositoryVariables = []string{
	"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR",
	"GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_PREFIX", "GIT_SHALLOW_FILE", "GIT_NAMESPACE",
}

// environment returns the environment of git: this process's, without the variables that
// name another repository, and with those that an unattended run needs. The user's
// configuration stays in force: it has proxies, keys and credential helpers.
func (c *Command) environment() []string {
	env := slices.DeleteFunc(os.Environ(), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return slices.Contains(repositoryVariables, name)
	})
	env = append(env, "GIT_TERMINAL_PROMPT=0", "GIT_ALLOW_PROTOCOL=https:http:ssh:git:file", "LC_ALL=C")
	env = append(env, c.Env...)
	n, _ := strconv.Atoi(os.Getenv("GIT_CONFIG_COUNT")) // the user's own settings come first
	for _, setting := range slices.Concat(noHooks, c.Config) {
		env = append(env, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", n, setting[0]), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", n, setting[1]))
		n++
	}
	return append(env, fmt.Sprintf("GIT_CONFIG_COUNT=%d", n))
}

// noHooks are the settings without hooks. The second is for the hooks that git's configuration
// names (git-hook(1)): of their events, those of commits and pushes do not happen here. git
// 2.54 does not know it.
var noHooks = [][2]string{{"core.hooksPath", os.DevNull}, {"hook.reference-transaction.enabled", "false"}}

var userinfo = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`://[^/@\s]*@`) })

// askToCheck is what git says after each failure of ssh, in two lines. They name no cause, and
// the line before the last words of git does.
var askToCheck = []string{"Please make sure you have the correct access rights", "and the repository exists."}

// lastLines returns the complaints at the end of git's output: no progress, no passwords of
// URLs, nothing that git says of every failure, no control characters, and nothing that GitHub's runner takes for a command, since
// the server has a say in the text.
func lastLines(stderr string) string {
	stderr = userinfo().ReplaceAllString(stderr, "://")
	stderr = strings.ReplaceAll(stderr, "##[", "## [")
	var kept []string
	for _, line := range strings.FieldsFunc(stderr, func(c rune) bool { return c == '\n' || c == '\r' }) {
		if !strings.HasSuffix(line, "...") && !strings.Contains(line, "% (") && !slices.Contains(askToCheck, line) {
			kept = append(kept, strings.TrimSpace(printable.Stripped(line)))
		}
	}
	return strings.Join(kept[max(0, len(kept)-3):], "; ")
}
