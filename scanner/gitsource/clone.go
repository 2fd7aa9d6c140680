package gitsource

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	git "github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing/transport"
	"github.com/go-git/go-git/v5/plumbing/transport/http"

	"github.com/stanch-dev/stanch/scanner/printable"
)

var (
	schemeURL = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*://`)
	// git-clone(1), GIT URLS: the scp-like syntax has no slash before the first
	// colon. One letter before it is a Windows drive.
	scpURL = regexp.MustCompile(`^([^/\\:@]+@[^/:]+|[^/\\:@]{2,}):[^:]`)
	// Greedy: a password may hold "@".
	userinfo = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]*://).*@`)
)

// IsURL reports whether operand names a repository to clone: it has a scheme,
// or is in git's scp-like form host:path and there is no such file.
func IsURL(operand string) bool {
	if schemeURL.MatchString(operand) {
		return true
	}
	_, err := os.Lstat(operand)
	return err != nil && scpURL.MatchString(operand)
}

// Redact returns operand without the user and password that a URL may hold: what
// reports and messages call it.
func Redact(operand string) string {
	if !schemeURL.MatchString(operand) {
		return operand
	}
	u, err := url.Parse(operand)
	switch {
	case err != nil:
		return userinfo.ReplaceAllString(operand, "${1}")
	case u.User == nil:
		return operand
	}
	u.User = nil
	return u.String()
}

// Clone makes a bare mirror of the repository at rawURL, all refs included, in a
// temporary folder. Close removes it; if Clone returns an error, cancellation
// included, nothing is left. What git says while it works goes to progress, if
// that is not nil, without control characters: the server has a say in it.
//
// It runs the git binary, which knows the user's proxies, keys and credential
// helpers, and needs a third of the time and a tenth of the memory; if there is
// none, go-git. A password in an http URL is given to git in the environment,
// where, unlike in arguments, others do not see it. Errors do not hold it.
func Clone(ctx context.Context, rawURL string, progress io.Writer) (*Repository, error) {
	remote, err := parseRemote(rawURL)
	if err != nil {
		return nil, err
	}
	if progress != nil {
		progress = printable.StrippedWriter(progress)
	}
	dir, err := os.MkdirTemp("", "stanch-*.git")
	if err != nil {
		return nil, fmt.Errorf("cloning %s: %w", remote.url, err)
	}
	r, err := remote.cloneInto(ctx, dir, progress)
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		err = fmt.Errorf("cloning %s: %w", remote.url, err)
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	r.temp = dir
	return r, nil
}

// A remote is a URL whose secrets are kept apart from it.
type remote struct {
	url            string
	host           string // scheme://host/, for http
	user, password string // for http
}

func parseRemote(rawURL string) (remote, error) {
	if !schemeURL.MatchString(rawURL) {
		return remote{url: rawURL}, nil // scp-like: holds a user at most
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		var parse *url.Error // its text holds the URL
		if errors.As(err, &parse) {
			err = parse.Err
		}
		if userinfo.MatchString(rawURL) {
			// Nor is the cause safe: "invalid port" quotes what may be a password.
			err = errors.New("not a valid URL; does the password need percent-encoding?")
		}
		return remote{}, fmt.Errorf("cloning %s: %w", userinfo.ReplaceAllString(rawURL, "${1}[redacted]@"), err)
	}
	r := remote{}
	if u.User != nil {
		r.user = u.User.Username()
		r.password, _ = u.User.Password()
		u.User = nil
		if u.Scheme == "ssh" && r.user != "" {
			u.User = url.User(r.user)
		}
	}
	r.url = u.String()
	if u.Scheme == "http" || u.Scheme == "https" {
		r.host = u.Scheme + "://" + u.Host + "/"
	}
	return r, nil
}

func (r remote) cloneInto(ctx context.Context, dir string, progress io.Writer) (*Repository, error) {
	var err error
	if binary, lookErr := exec.LookPath("git"); lookErr == nil {
		err = r.runGit(ctx, binary, dir, progress)
		if to, ok := r.moved(ctx, err); ok {
			err = to.runGit(ctx, binary, dir, progress)
		}
	} else {
		err = r.runGoGit(ctx, dir, progress)
	}
	if err != nil {
		return nil, err
	}
	return Open(dir)
}

func (r remote) runGit(ctx context.Context, binary, dir string, progress io.Writer) error {
	mode := "--quiet"
	if progress != nil {
		mode = "--progress"
	}
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, binary, "clone", "--mirror", mode, "--", r.url, dir)
	cmd.Env = append(cleanEnv(), r.env()...)
	cmd.Stderr = &said
	if progress != nil {
		cmd.Stderr = io.MultiWriter(&said, progress)
	}
	if r.host != "" {
		killGroup(cmd)
	}
	// For children that still write when git has ended: they hold its stderr.
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("git clone: %w: %s", err, lastLines(said.Bytes()))
	}
	return nil
}

// localEnv tells git which repository it is in: true in a hook, wrong for a
// clone (git rev-parse --local-env-vars).
var localEnv = []string{
	"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR",
	"GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_PREFIX", "GIT_SHALLOW_FILE", "GIT_NAMESPACE",
}

func cleanEnv() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains(localEnv, name)
	})
}

// env is what git needs to clone from a stranger unattended. The user's own
// configuration stays in force: proxies, keys and credential helpers are there.
func (r remote) env() []string {
	config := [][2]string{{"core.hooksPath", os.DevNull}}
	switch {
	case r.host == "" || r.user == "" && r.password == "":
	case !r.sendsPassword():
		config = append(config, [2]string{"credential." + r.host + ".username", r.user})
	default:
		basic := base64.StdEncoding.EncodeToString([]byte(r.user + ":" + r.password))
		// Where a server redirects to, git sends the header as well, be it another host.
		config = append(config, [2]string{"http." + r.host + ".extraHeader", "Authorization: Basic " + basic},
			[2]string{"http." + r.host + ".followRedirects", "false"})
	}
	env := []string{"GIT_TERMINAL_PROMPT=0", "GIT_ALLOW_PROTOCOL=https:http:ssh:git:file", "LC_ALL=C"}
	n, _ := strconv.Atoi(os.Getenv("GIT_CONFIG_COUNT")) // the user's own come first
	for _, c := range config {
		env = append(env, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", n, c[0]), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", n, c[1]))
		n++
	}
	return append(env, fmt.Sprintf("GIT_CONFIG_COUNT=%d", n))
}

// minToken is the length from which a user without a password is taken for a
// token, as in https://TOKEN@github.com/. Shorter ones are names, as in
// https://me@dev.azure.com/, whose password a credential helper has.
const minToken = 20

// lastLines returns the complaints at the end of what git said, without the
// progress before them.
func lastLines(said []byte) string {
	var kept []string
	for _, line := range strings.FieldsFunc(string(said), func(c rune) bool { return c == '\n' || c == '\r' }) {
		if !strings.HasSuffix(line, "...") && !strings.Contains(line, "% (") {
			kept = append(kept, strings.TrimSpace(printable.Stripped(line)))
		}
	}
	return strings.Join(kept[max(0, len(kept)-3):], "; ")
}

func (r remote) runGoGit(ctx context.Context, dir string, progress io.Writer) error {
	var auth transport.AuthMethod
	if r.host != "" && r.user+r.password != "" {
		auth = &http.BasicAuth{Username: r.user, Password: r.password}
	}
	_, err := git.PlainCloneContext(ctx, dir, true, &git.CloneOptions{URL: r.url, Auth: auth, Mirror: true, Progress: progress})
	if errors.Is(err, transport.ErrEmptyRemoteRepository) {
		_, err = git.PlainInit(dir, true) // go-git has removed what it made
	}
	if err != nil && printable.Stripped(err.Error()) != err.Error() { // quotes the server
		return errors.New(printable.Stripped(err.Error()))
	}
	return err
}
