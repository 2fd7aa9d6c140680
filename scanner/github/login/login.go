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
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/github"
)

// A Login says which GitHub is asked, and as whom. Several tokens or Apps share the
// requests. Errors name its fields by their flags.
type Login struct {
	API             string   // URL, of GitHub Enterprise Server https://HOST/api/v3
	TokenFiles      []string // in place of GITHUB_TOKEN, GH_TOKEN and gh
	AppIDs          []string // of GitHub Apps
	AppKeys         []string // files with their keys, in the same order
	AppInstallation int64    // of the only App; 0 for the one that the owner has
	Version         string   // of this program, for GitHub to see
	// Refused is called when GitHub refuses one of several tokens, with the flags that name
	// it and the reason; the others go on. nil is no call. It may be called from several
	// goroutines.
	Refused func(flags string, err error)
	// Left is told how many more requests GitHub answers, after each answer that says so, with
	// the flags that name the token and, for an App, the owner. nil is no call. It may be
	// called from several goroutines.
	Left func(token string, left int)
	// Limits tells other processes of the limits of these tokens, and knows theirs; nil is none.
	Limits github.Limits
}

// Lister returns a Lister for the repositories of owner, an organization or user. It
// waits for GitHub up to maxWait, by wait, time.After if that is nil.
func (l *Login) Lister(ctx context.Context, owner string, maxWait time.Duration, wait func(context.Context, time.Duration) error) (*github.Lister, error) {
	budgets, err := l.budgets(ctx, owner)
	if err != nil {
		return nil, err
	}
	for i, b := range budgets {
		if l.Left != nil {
			budgets[i].Left = func(left int) { l.Left(b.Name, left) }
		}
	}
	lister, err := github.NewSharedLister(l.API, l.Version, l.Refused, budgets...)
	if err != nil {
		return nil, fmt.Errorf("--api-url: %w", err)
	}
	lister.MaxWait, lister.Wait, lister.Limits = maxWait, wait, l.Limits
	for _, b := range budgets {
		if app, ok := b.Tokens.(*github.App); ok {
			app.MaxWait, app.Wait, app.Limits = maxWait, wait, l.Limits
		}
	}
	return lister, nil
}

// budgets returns the sources of tokens for the repositories of owner.
func (l *Login) budgets(ctx context.Context, owner string) ([]github.Budget, error) {
	switch {
	case len(l.AppIDs)+len(l.AppKeys) > 0 || l.AppInstallation != 0:
		return l.apps(owner)
	case len(l.TokenFiles) > 0:
		return files(l.TokenFiles)
	}
	return []github.Budget{{Name: "GITHUB_TOKEN or gh", Tokens: github.Static{Secret: l.token(ctx)}}}, nil
}

// files returns the budgets of tokens in files.
func files(paths []string) (budgets []github.Budget, err error) {
	var before []*fileToken
	for _, path := range paths {
		token, err := readToken(path)
		if err != nil {
			return nil, err
		}
		for _, b := range before {
			if b.last.Equal(token) {
				return nil, fmt.Errorf("--token-file %s and %s hold the same token: it has one limit", b.path, path)
			}
		}
		f := &fileToken{path: path, last: token}
		before = append(before, f)
		budgets = append(budgets, github.Budget{Name: "--token-file " + path, Tokens: f})
	}
	return budgets, nil
}

// apps returns the budgets of the Apps, as owner has installed them.
func (l *Login) apps(owner string) (budgets []github.Budget, err error) {
	switch {
	case len(l.AppIDs) == 0 || len(l.AppIDs) != len(l.AppKeys):
		return nil, errors.New("--app-id and --app-key are needed together, as often the one as the other")
	case len(l.TokenFiles) > 0:
		return nil, errors.New("--token-file and --app-id: it is the one or the other")
	case l.AppInstallation != 0 && len(l.AppIDs) > 1:
		return nil, errors.New("--app-installation: with several Apps, the installation of each is looked up; leave it out")
	}
	for i, id := range l.AppIDs {
		if slices.Contains(l.AppIDs[:i], id) {
			return nil, fmt.Errorf("--app-id %s is given twice: an installation has one limit", id)
		}
		key, err := os.ReadFile(l.AppKeys[i])
		if err != nil {
			return nil, fmt.Errorf("--app-key: %w", err)
		}
		app, err := github.NewApp(l.API, id, detectors.NewSecret(string(key)), l.AppInstallation, owner, l.Version)
		if err != nil {
			return nil, fmt.Errorf("--app-id %s: %w", id, err)
		}
		budgets = append(budgets, github.Budget{Name: "--app-id " + id + " for " + owner, ID: "app " + id + " for " + strings.ToLower(owner), Tokens: app})
	}
	return budgets, nil
}

// perOwner reports whether each owner needs a Lister of its own: an installation of an App
// belongs to one owner.
func (l *Login) perOwner() bool { return len(l.AppIDs) > 0 }

// token returns the first token of two places: the environment, gh; or none.
func (l *Login) token(ctx context.Context) detectors.Secret {
	if token := cmp.Or(os.Getenv("GITHUB_TOKEN"), os.Getenv("GH_TOKEN")); token != "" {
		return detectors.NewSecret(token)
	}
	return ghToken(ctx, l.API)
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
