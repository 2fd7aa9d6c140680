package checkout

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/stanch-dev/stanch/scanner/internal/gitcmd"
)

// fetch gets the commits that the server calls wants: first with the credentials that the
// checkout has, then with the token. Servers refuse both if they are sent together.
//
// If the checkout is shallow, history comes more commits deep than there are now.
// "--deepen" does just that, but not for a commit that no ref of the server leads to, such
// as the old end of a branch.
func (g *repository) fetch(ctx context.Context, more int, wants ...string) error {
	args := []string{"fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--no-auto-gc", "--no-prune"}
	if shallow, err := g.shallow(ctx); err != nil || len(shallow) > 0 { // a whole clone must not be made shallow
		depth := more
		if more < allHistory {
			depth += g.countCommits(ctx)
		}
		args = append(args, fmt.Sprintf("--depth=%d", depth))
	}
	return g.fetchWith(ctx, nil, nil, append(append(args, "--end-of-options", g.remote), wants...)...)
}

// fetchWith runs git fetch with settings, and lines on its standard input.
func (g *repository) fetchWith(ctx context.Context, config [][2]string, lines []string, args ...string) error {
	_, err := g.askServer(ctx, config, lines, args...)
	return err
}

// askServer runs a git command that asks the server, as feed does: with the credentials that
// the checkout has, and if that fails, with the token.
func (g *repository) askServer(ctx context.Context, config [][2]string, lines []string, args ...string) (string, error) {
	if g.remote == "" {
		return "", errNoRemote
	}
	out, err := g.runGit(ctx, config, lines, args...)
	if err == nil || g.Token == "" || g.Server == "" || ctx.Err() != nil {
		return out, err
	}
	out, tokenErr := g.runGit(ctx, slices.Concat(config, g.tokenConfig()), lines, args...)
	if tokenErr != nil && !isGone(tokenErr) {
		return "", err // the first is about the checkout, which the user knows
	}
	return out, tokenErr
}

// isGone reports whether the server says that it has no such commit.
func isGone(err error) bool {
	var failed *gitcmd.Error
	return errors.As(err, &failed) && strings.Contains(failed.Stderr, "not our ref")
}

var errNoRemote = errors.New("the checkout has no remote to fetch from")

// A serverRef is a ref as the server lists it.
type serverRef struct{ id, name string }

// list returns the refs of the server that options of ls-remote and names choose.
func (g *repository) list(ctx context.Context, options []string, names ...string) (refs []serverRef, err error) {
	out, err := g.askServer(ctx, nil, nil, slices.Concat([]string{"ls-remote", "--quiet"}, options, []string{"--end-of-options", g.remote}, names)...)
	for line := range strings.Lines(out) {
		id, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		refs = append(refs, serverRef{id, name})
	}
	return refs, err
}

// countCommits returns how many commits there are. No history is deeper than that, so a
// fetch with a larger depth cuts nothing off.
func (g *repository) countCommits(ctx context.Context) int {
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
	return g.runGit(ctx, nil, nil, args...)
}

// runGit runs git in the checkout, with lines on its standard input, and returns its output.
func (g *repository) runGit(ctx context.Context, config [][2]string, lines []string, args ...string) (string, error) {
	if !isDir(g.Dir) {
		return "", fmt.Errorf("%s is not a folder", g.Dir)
	}
	c := gitcmd.Command{Dir: g.Dir, Args: args, Config: slices.Concat(checkoutSettings, config), Env: []string{
		"GIT_NO_REPLACE_OBJECTS=1", // a replaced commit must not stand for the real one
	}}
	if g.foreign != "" {
		c.Config, c.Env = append(c.Config, g.foreignSettings()...), append(c.Env, foreignProtocols)
	}
	if lines != nil {
		c.Stdin = strings.NewReader(strings.Join(lines, "\n") + "\n")
	}
	out, err := gitcmd.Run(ctx, c)
	var failed *gitcmd.Error
	switch {
	case errors.Is(err, gitcmd.ErrNoGit):
		return "", fmt.Errorf("finding the commits of the event: %w", err)
	case errors.As(err, &failed) && isOwnerError(failed.Stderr):
		return "", g.ownerError("")
	}
	return out, err
}

// checkoutSettings are git's for each command in a checkout.
var checkoutSettings = [][2]string{
	{"core.fsmonitor", "false"}, {"maintenance.auto", "false"}, {"fetch.writeCommitGraph", "false"}, {"fetch.fsckObjects", "false"},
	{"http.lowSpeedLimit", "1"}, {"http.lowSpeedTime", "120"}, // a server that says nothing is none
}
