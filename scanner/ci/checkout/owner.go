package checkout

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// trust lets git work in a checkout that another user owns, as in a job container. git refuses
// that, since the configuration of a repository can make git run programs. So the folder is
// named in safe.directory, for stanch's own runs of git only, if all settings of the
// repository are known to run none.
func (c *Checkout) trust(ctx context.Context) error {
	c.foreign = topFolder(c.Dir)
	g := &repository{Checkout: c}
	out, err := g.git(ctx, "config", "--list", "--show-scope", "-z")
	if err != nil {
		return err
	}
	fields := strings.Split(out, "\x00") // the scope, then the name and the value
	for i := 0; i+1 < len(fields); i += 2 {
		name, _, _ := strings.Cut(fields[i+1], "\n")
		if scope := fields[i]; (scope == "local" || scope == "worktree") && !isHarmless(name) {
			return g.ownerError(fmt.Sprintf(", and its setting %s may run a program", name))
		}
	}
	return nil
}

// ownerError is ErrOwner with what to do about it.
func (g *repository) ownerError(why string) error {
	return fmt.Errorf("%w%s; run: git config --global --add safe.directory %q", ErrOwner, why, topFolder(g.Dir))
}

// harmless are the settings that CI services and git itself make in a repository. None makes
// the git commands of this package run a program, or send a token elsewhere. "*" stands for
// any text.
var harmless = []string{
	"advice.*", "branch.*", "color.*", "extensions.*", "filter.*", "index.*", "init.*", "lfs.*", "pull.*", "push.*", "safe.*", "user.*",
	"core.autocrlf", "core.bare", "core.eol", "core.filemode", "core.fsmonitor", "core.hookspath", "core.ignorecase", "core.logallrefupdates",
	"core.longpaths", "core.precomposeunicode", "core.protecthfs", "core.protectntfs", "core.repositoryformatversion", "core.sparsecheckout",
	"core.sparsecheckoutcone", "core.symlinks", "core.untrackedcache", "core.worktree",
	"fetch.fsckobjects", "fetch.prune", "fetch.prunetags", "fetch.recursesubmodules", "gc.auto", "gc.autodetach", "maintenance.auto",
	"http.*.extraheader", "http.*.sslcainfo", "url.*.insteadof",
	"include.path", "includeif.*.path", // git lists the settings of those files too
	"remote.*.fetch", "remote.*.mirror", "remote.*.partialclonefilter", "remote.*.promisor", "remote.*.prune", "remote.*.prunetags",
	"remote.*.pushurl", "remote.*.tagopt", "remote.*.url", "transfer.bundleuri", "transfer.fsckobjects",
	"submodule.*.active", "submodule.*.branch", "submodule.*.ignore", "submodule.*.url", "submodule.active", "submodule.recurse",
	"core.sshcommand", "credential.*", // foreignSettings replaces them
}

// isHarmless reports whether the setting of this name, as git lists it, is harmless.
func isHarmless(name string) bool {
	for _, h := range harmless {
		prefix, suffix, wild := strings.Cut(h, "*")
		if name == h || wild && len(name) >= len(h) && strings.HasPrefix(name, prefix) && strings.HasSuffix(name, suffix) {
			return true
		}
	}
	return false
}

// foreignSettings are git's for each command in a checkout of another user.
func (c *Checkout) foreignSettings() [][2]string {
	return [][2]string{
		{"safe.directory", filepath.ToSlash(c.foreign)},
		{"core.sshCommand", "ssh"}, {"credential.helper", ""}, // "" forgets all helpers
	}
}

// foreignProtocols leave out "file": git would serve what only this user may read, to a folder
// of another.
const foreignProtocols = "GIT_ALLOW_PROTOCOL=https:http:ssh:git"

// isOwnerError reports whether git refuses a repository since another user owns it.
func isOwnerError(stderr string) bool {
	return strings.Contains(stderr, "dubious ownership") || strings.Contains(stderr, "unsafe repository")
}

// topFolder returns the folder, from dir upwards, that git takes for the repository's, and
// that it wants to see in safe.directory: without symbolic links.
func topFolder(dir string) string {
	top, err := filepath.EvalSymlinks(dir)
	if err == nil {
		top, err = filepath.Abs(top)
	}
	if err != nil {
		return dir
	}
	for up := top; ; up = filepath.Dir(up) {
		if exists(up, ".git") || exists(up, "HEAD") && exists(up, "objects") && exists(up, "refs") {
			return up
		}
		if up == filepath.Dir(up) {
			return top
		}
	}
}

func exists(dir, name string) bool {
	_, err := os.Lstat(filepath.Join(dir, name))
	return !errors.Is(err, os.ErrNotExist)
}
