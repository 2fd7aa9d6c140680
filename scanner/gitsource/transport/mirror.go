package transport

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/scanner/internal/gitcmd"
)

// mirror makes with the own client the repository that git clone --mirror would make.
func (r address) mirror(ctx context.Context, progress io.Writer) (Fetched, error) {
	remote, err := connectTo(ctx, r)
	if err != nil {
		return Fetched{}, err
	}
	return remote.Fetch(ctx, Wanted{Tips: remote.refs.Tips, Progress: progress})
}

// needsGit reports whether git would ask the server of r in a way that the own client does
// not know: by ssh, by another URL, with a certificate, a cookie or a proxy of its own.
// Nearly all users have no such settings, so anything unknown is left to git.
func (r address) needsGit(ctx context.Context) bool {
	if r.host == "" || slices.ContainsFunc(os.Environ(), r.isForGit) || hasNetrc() {
		return true
	}
	if r.user != "" && !r.sendsPassword() { // a failed login may count against the user
		return true
	}
	// In a folder that is in no repository: git clone reads no configuration but the user's
	// and the system's.
	run := func(args ...string) (string, error) {
		out, err := gitcmd.Run(ctx, gitcmd.Command{Dir: os.TempDir(), Args: append([]string{"config", "--null"}, args...)})
		var ended interface{ ExitCode() int }
		if errors.As(err, &ended) && ended.ExitCode() == 1 { // there is no such setting
			return "", nil
		}
		return out, err
	}
	settings, err := run("--get-urlmatch", "http", r.url)
	if errors.Is(err, gitcmd.ErrNoGit) {
		return false
	}
	rewrites, rewritesErr := run("--get-regexp", `^url\..*\.insteadof$`)
	return errors.Join(err, rewritesErr) != nil || hasUnknown(settings) || rewritten(rewrites, r.url)
}

// isForGit reports whether an environment variable changes how git reaches the server, and
// means nothing to net/http. Both heed https_proxy and its kin (git(1), curl(1)).
func (r address) isForGit(variable string) bool {
	name, value, _ := strings.Cut(variable, "=")
	name = strings.ToUpper(name)
	switch {
	case value == "":
		return false
	case strings.HasPrefix(name, "GIT_SSL_"):
		return strings.HasPrefix(r.host, "https:")
	}
	return strings.HasPrefix(name, "GIT_HTTP_") || strings.HasPrefix(name, "GIT_PROXY_") || name == "ALL_PROXY"
}

// hasNetrc reports whether there is a file with logins, which git's curl sends without being
// asked.
func hasNetrc() bool {
	home, err := os.UserHomeDir()
	if err != nil {
		return false
	}
	return slices.ContainsFunc([]string{".netrc", "_netrc"}, func(name string) bool {
		_, err := os.Lstat(filepath.Join(home, name))
		return err == nil
	})
}

// hasUnknown reports whether git config --null lists a setting of http that may matter. The
// size of the buffer for requests does not.
func hasUnknown(settings string) bool {
	for setting := range strings.SplitSeq(settings, "\x00") {
		if name, _, _ := strings.Cut(setting, "\n"); name != "" && name != "http.postbuffer" {
			return true
		}
	}
	return false
}

// rewritten reports whether one of the settings that git config --null lists, each a name, a
// newline and a value, replaces the beginning of url.
func rewritten(settings, url string) bool {
	for setting := range strings.SplitSeq(settings, "\x00") {
		if _, from, ok := strings.Cut(setting, "\n"); ok && strings.HasPrefix(url, from) {
			return true
		}
	}
	return false
}
