// Package login says as whom GitHub is asked: with a token from a file, from the
// environment or of gh, GitHub's own command, or as a GitHub App.
package login

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/github"
)

// A Login says which GitHub is asked, and as whom. Errors name its fields by their flags.
type Login struct {
	API             string // URL, of GitHub Enterprise Server https://HOST/api/v3
	TokenFile       string // in place of GITHUB_TOKEN, GH_TOKEN and gh
	AppID, AppKey   string // of a GitHub App; the latter names a file
	AppInstallation int64  // 0 for the one that the owner has
	Version         string // of this program, for GitHub to see
}

// Lister returns a Lister for the repositories of owner, an organization or user. It
// waits for GitHub up to maxWait, by wait, time.After if that is nil.
func (l *Login) Lister(ctx context.Context, owner string, maxWait time.Duration, wait func(context.Context, time.Duration) error) (*github.Lister, error) {
	tokens, err := l.tokens(ctx, owner)
	if err != nil {
		return nil, err
	}
	lister, err := github.NewLister(l.API, tokens, l.Version)
	if err != nil {
		return nil, fmt.Errorf("--api-url: %w", err)
	}
	lister.MaxWait, lister.Wait = maxWait, wait
	if app, ok := tokens.(*github.App); ok {
		app.MaxWait, app.Wait = maxWait, wait
	}
	return lister, nil
}

// tokens returns the source of tokens for the repositories of owner.
func (l *Login) tokens(ctx context.Context, owner string) (github.TokenSource, error) {
	switch {
	case l.AppID == "" && l.AppKey == "" && l.AppInstallation == 0:
		token, err := l.token(ctx)
		if l.TokenFile != "" && err == nil {
			return &fileToken{path: l.TokenFile, last: token}, nil
		}
		return github.Static{Secret: token}, err
	case l.AppID == "" || l.AppKey == "":
		return nil, errors.New("--app-id and --app-key are needed together")
	case l.TokenFile != "":
		return nil, errors.New("--token-file and --app-id: it is the one or the other")
	}
	key, err := os.ReadFile(l.AppKey)
	if err != nil {
		return nil, fmt.Errorf("--app-key: %w", err)
	}
	app, err := github.NewApp(l.API, l.AppID, detectors.NewSecret(string(key)), l.AppInstallation, owner, l.Version)
	if err != nil {
		return nil, fmt.Errorf("--app-id: %w", err)
	}
	return app, nil
}

// PerOwner reports whether each owner needs a Lister of its own: an installation of an App
// belongs to one owner.
func (l *Login) PerOwner() bool { return l.AppID != "" }

// token returns the first token of three places: the file, the environment, gh; or none.
func (l *Login) token(ctx context.Context) (detectors.Secret, error) {
	if l.TokenFile != "" {
		return readToken(l.TokenFile)
	}
	if token := cmp.Or(os.Getenv("GITHUB_TOKEN"), os.Getenv("GH_TOKEN")); token != "" {
		return detectors.NewSecret(token), nil
	}
	return ghToken(ctx, l.API), nil
}

func readToken(file string) (detectors.Secret, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return detectors.Secret{}, fmt.Errorf("--token-file: %w", err)
	}
	token := string(bytes.TrimSpace(data))
	if token == "" || strings.ContainsFunc(token, notInToken) {
		return detectors.Secret{}, fmt.Errorf("--token-file %s: it holds no token", file)
	}
	return detectors.NewSecret(token), nil
}

// notInToken reports whether r can be in no token and in no header.
func notInToken(r rune) bool { return r <= ' ' || r > '~' }

// A fileToken is a github.TokenSource: the token in a file, which others may replace
// while a long sweep runs. It reads the file again when GitHub refuses the token.
type fileToken struct {
	path string
	mu   sync.Mutex
	last detectors.Secret
}

// Token implements github.TokenSource.
func (f *fileToken) Token(_ context.Context, refused detectors.Secret) (detectors.Secret, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.last.Equal(refused) {
		fresh, err := readToken(f.path)
		if err != nil {
			return detectors.Secret{}, err
		}
		f.last = fresh
	}
	return f.last, nil
}

// ghTime is how long gh may take: it may ask a keyring, which may ask a person.
const ghTime = 5 * time.Second

// ghToken returns the token that gh, GitHub's own command, has for the host of api, or
// none: that gh is not there, or not logged in, is no failure.
func ghToken(ctx context.Context, api string) detectors.Secret {
	u, err := url.Parse(api)
	if err != nil {
		return detectors.Secret{}
	}
	host := u.Hostname()
	if strings.Trim(u.Path, "/") == "" { // the others have their API below /api/v3
		host = strings.TrimPrefix(host, "api.")
	}
	binary, err := exec.LookPath("gh")
	if err != nil {
		return detectors.Secret{}
	}
	ctx, cancel := context.WithTimeout(ctx, ghTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, "auth", "token", "--hostname", host)
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	token := string(bytes.TrimSpace(out))
	if err != nil || strings.ContainsFunc(token, notInToken) {
		return detectors.Secret{}
	}
	return detectors.NewSecret(token)
}
