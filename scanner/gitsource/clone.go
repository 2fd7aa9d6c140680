package gitsource

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"regexp"

	git "github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing/transport"
	"github.com/go-git/go-git/v5/plumbing/transport/http"

	"github.com/stanch-dev/stanch/scanner/internal/gitcmd"
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

// cloneDir makes a bare mirror of the repository at rawURL in a temporary folder, as Clone
// says.
func cloneDir(ctx context.Context, rawURL string, progress io.Writer) (string, error) {
	remote, err := parseRemote(rawURL)
	if err != nil {
		return "", err
	}
	if progress != nil {
		progress = printable.StrippedWriter(progress)
	}
	dir, err := os.MkdirTemp("", "stanch-*.git")
	if err != nil {
		return "", fmt.Errorf("cloning %s: %w", remote.url, err)
	}
	if err := remote.cloneInto(ctx, dir, progress); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		err = fmt.Errorf("cloning %s: %w", remote.url, err)
		return "", errors.Join(err, os.RemoveAll(dir))
	}
	return dir, nil
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

func (r remote) cloneInto(ctx context.Context, dir string, progress io.Writer) error {
	err := r.runGit(ctx, dir, progress)
	if to, ok := r.moved(ctx, err); ok {
		err = to.runGit(ctx, dir, progress)
	}
	if errors.Is(err, gitcmd.ErrNoGit) {
		err = r.runGoGit(ctx, dir, progress)
	}
	return err
}

func (r remote) runGit(ctx context.Context, dir string, progress io.Writer) error {
	mode := "--quiet"
	if progress != nil {
		mode = "--progress"
	}
	_, err := gitcmd.Run(ctx, gitcmd.Command{
		Args: []string{"clone", "--mirror", mode, "--", r.url, dir}, Config: r.config(), Progress: progress, KillChildren: r.host != "",
	})
	return err
}

// config returns the settings by which git sends the user and password of r.
func (r remote) config() [][2]string {
	switch {
	case r.host == "" || r.user == "" && r.password == "":
		return nil
	case !r.sendsPassword():
		return [][2]string{{"credential." + r.host + ".username", r.user}}
	}
	basic := base64.StdEncoding.EncodeToString([]byte(r.user + ":" + r.password))
	// Where a server redirects to, git sends the header as well, be it another host.
	return [][2]string{
		{"http." + r.host + ".extraHeader", "Authorization: Basic " + basic},
		{"http." + r.host + ".followRedirects", "false"},
	}
}

// minToken is the length from which a user without a password is taken for a
// token, as in https://TOKEN@github.com/. Shorter ones are names, as in
// https://me@dev.azure.com/, whose password a credential helper has.
const minToken = 20

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
