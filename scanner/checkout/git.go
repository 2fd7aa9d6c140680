package checkout

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// fetch gets what the server calls wants: first with the credentials that the
// checkout has, then with the token. Sent together, servers refuse both.
//
// If the checkout is shallow, history comes more commits deep than there are now.
// "--deepen" would do just that, but not for what no ref of the server leads to, as
// the old end of a branch.
func (g *repository) fetch(ctx context.Context, more int, wants ...string) error {
	args := []string{"fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--no-auto-gc", "--no-prune"}
	if shallow, err := g.shallow(ctx); err != nil || len(shallow) > 0 { // what is whole must not be made shallow
		depth := more
		if more < allHistory {
			depth += g.held(ctx)
		}
		args = append(args, fmt.Sprintf("--depth=%d", depth))
	}
	return g.fetchWith(ctx, nil, nil, append(append(args, "--end-of-options", g.remote), wants...)...)
}

// fetchWith runs git fetch with settings, and lines on its standard input.
func (g *repository) fetchWith(ctx context.Context, config [][2]string, lines []string, args ...string) error {
	_, err := g.ask(ctx, config, lines, args...)
	return err
}

// ask runs a git command that asks the server, as feed does: with the credentials that
// the checkout has, and if that fails, with the token.
func (g *repository) ask(ctx context.Context, config [][2]string, lines []string, args ...string) (string, error) {
	if g.remote == "" {
		return "", errNoRemote
	}
	out, err := g.feed(ctx, config, lines, args...)
	if err == nil || g.Token == "" || g.Server == "" || ctx.Err() != nil {
		return out, err
	}
	out, tokenErr := g.feed(ctx, slices.Concat(config, g.tokenConfig()), lines, args...)
	if tokenErr != nil {
		return "", err // the first is about the checkout, which the user knows
	}
	return out, nil
}

var errNoRemote = errors.New("the checkout has no remote to fetch from")

// A serverRef is a ref as the server lists it.
type serverRef struct{ id, name string }

// list returns the refs of the server that options of ls-remote and names choose.
func (g *repository) list(ctx context.Context, options []string, names ...string) (refs []serverRef, err error) {
	out, err := g.ask(ctx, nil, nil, slices.Concat([]string{"ls-remote", "--quiet"}, options, []string{"--end-of-options", g.remote}, names)...)
	for line := range strings.Lines(out) {
		id, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		refs = append(refs, serverRef{id, name})
	}
	return refs, err
}

// held is how many commits there are: no history is deeper, so that none is cut off
// by asking for more.
func (g *repository) held(ctx context.Context) int {
	out, err := g.git(ctx, "rev-list", "--count", "--all", "HEAD", "--")
	if err != nil {
		return 0 // HEAD is not born
	}
	n, _ := strconv.Atoi(strings.TrimSpace(out))
	return n
}

// tokenConfig is the configuration by which git sends the token to its server.
func (g *repository) tokenConfig() [][2]string {
	basic := base64.StdEncoding.EncodeToString([]byte("x-access-token:" + g.Token))
	server := "http." + strings.TrimSuffix(g.Server, "/") + "/"
	return [][2]string{
		{server + ".extraHeader", "Authorization: Basic " + basic},
		{server + ".followRedirects", "false"}, // git sends the header there as well
	}
}

func (g *repository) lines(ctx context.Context, args ...string) ([]string, error) {
	out, err := g.git(ctx, args...)
	return strings.FieldsFunc(out, func(r rune) bool { return r == '\n' }), err
}

func (g *repository) git(ctx context.Context, args ...string) (string, error) {
	return g.feed(ctx, nil, nil, args...)
}

// feed runs git in the checkout, with lines on its standard input, and returns what it
// prints.
func (g *repository) feed(ctx context.Context, config [][2]string, lines []string, args ...string) (string, error) {
	binary, err := exec.LookPath("git")
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoGit, err)
	}
	if !isDir(g.Dir) {
		return "", fmt.Errorf("%s is no folder", g.Dir)
	}
	var out, said bytes.Buffer
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = g.Dir, env(config), &out, &said
	if lines != nil {
		cmd.Stdin = strings.NewReader(strings.Join(lines, "\n") + "\n")
	}
	cmd.WaitDelay = 5 * time.Second // for helpers that hold stderr when git has ended
	err = cmd.Run()
	switch {
	case err == nil:
		return out.String(), nil
	case ctx.Err() != nil:
		return "", ctx.Err()
	case strings.Contains(said.String(), "dubious ownership"):
		return "", fmt.Errorf("%w; run: git config --global --add safe.directory %q", ErrOwner, g.top())
	}
	return "", fmt.Errorf("git %s: %w: %s", args[0], err, lastLines(said.String()))
}

// top is the folder from here upwards that git takes for the repository's: the one that
// it wants to be named.
func (g *repository) top() string {
	dir, err := filepath.Abs(g.Dir)
	if err != nil {
		return g.Dir
	}
	for up := dir; ; up = filepath.Dir(up) {
		if _, err := os.Lstat(filepath.Join(up, ".git")); err == nil {
			return up
		}
		if up == filepath.Dir(up) {
			return dir
		}
	}
}

// local are the variables that tell git which repository it is in.
var local = []string{
	"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR",
	"GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_PREFIX", "GIT_SHALLOW_FILE", "GIT_NAMESPACE",
}

// env is the environment of git: the job's, and config, which other processes
// cannot see as they could arguments.
func env(config [][2]string) []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains(local, name)
	})
	config = append([][2]string{
		{"core.hooksPath", os.DevNull}, {"core.fsmonitor", "false"}, {"maintenance.auto", "false"},
		{"fetch.writeCommitGraph", "false"}, {"fetch.fsckObjects", "false"},
		{"http.lowSpeedLimit", "1"}, {"http.lowSpeedTime", "120"}, // a server that says nothing is none
	}, config...)
	env = append(env,
		"GIT_TERMINAL_PROMPT=0", "GIT_ALLOW_PROTOCOL=https:http:ssh:git:file", "LC_ALL=C",
		"GIT_NO_REPLACE_OBJECTS=1", // a replaced commit must not stand for the real one
	)
	n, _ := strconv.Atoi(os.Getenv("GIT_CONFIG_COUNT")) // the job's own come first
	for _, c := range config {
		env = append(env, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", n, c[0]), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", n, c[1]))
		n++
	}
	return append(env, fmt.Sprintf("GIT_CONFIG_COUNT=%d", n))
}

var userinfo = regexp.MustCompile(`://[^/@\s]*@`)

// lastLines is the end of what git said: its complaints, without the passwords that
// the URLs of remotes may hold.
func lastLines(said string) string {
	said = userinfo.ReplaceAllString(said, "://")
	said = strings.ReplaceAll(said, "##[", "## [") // a command of GitHub's runner, if a server says so
	lines := strings.FieldsFunc(said, func(r rune) bool { return r == '\n' || r == '\r' })
	return strings.Join(lines[max(0, len(lines)-3):], "; ")
}
