package main

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

	"github.com/spf13/pflag"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/github"
)

// A githubLogin says which GitHub is asked, and as whom.
type githubLogin struct {
	api, tokenFile  string
	appID, appKey   string
	appInstallation int64
}

func (g *githubLogin) add(flags *pflag.FlagSet) {
	g.addAPI(flags)
	g.addToken(flags)
}

func (g *githubLogin) addAPI(flags *pflag.FlagSet) {
	flags.StringVar(&g.api, "api-url", cmp.Or(os.Getenv("GITHUB_API_URL"), "https://api.github.com"), "of GitHub Enterprise Server: https://HOST/api/v3")
}

func (g *githubLogin) addToken(flags *pflag.FlagSet) {
	flags.StringVar(&g.tokenFile, "token-file", "", "read the token from this `file`, not from GITHUB_TOKEN, GH_TOKEN or gh")
	flags.StringVar(&g.appID, "app-id", os.Getenv("STANCH_APP_ID"), "ask as the GitHub App with this `id`, or client id; STANCH_APP_ID is the same")
	flags.StringVar(&g.appKey, "app-key", os.Getenv("STANCH_APP_KEY"), "`file` with the private key of the App; STANCH_APP_KEY is the same")
	flags.Int64Var(&g.appInstallation, "app-installation", 0, "`id` of the installation of the App; by default that of each owner is looked up")
}

// lister returns a Lister for the repositories of owner, an organization or user. It
// waits for GitHub up to maxWait, by wait, time.After if that is nil.
func (g *githubLogin) lister(ctx context.Context, version, owner string, maxWait time.Duration, wait func(context.Context, time.Duration) error) (*github.Lister, error) {
	tokens, err := g.tokens(ctx, version, owner)
	if err != nil {
		return nil, err
	}
	lister, err := github.NewLister(g.api, tokens, version)
	if err != nil {
		return nil, fmt.Errorf("--api-url: %w", err)
	}
	lister.MaxWait, lister.Wait = maxWait, wait
	if app, ok := tokens.(*github.App); ok {
		app.MaxWait, app.Wait = maxWait, wait
	}
	return lister, nil
}

// tokens returns what has the token for the repositories of owner.
func (g *githubLogin) tokens(ctx context.Context, version, owner string) (github.TokenSource, error) {
	switch {
	case g.appID == "" && g.appKey == "" && g.appInstallation == 0:
		token, err := g.token(ctx)
		if g.tokenFile != "" && err == nil {
			return &fileToken{path: g.tokenFile, last: token}, nil
		}
		return github.Static{Secret: token}, err
	case g.appID == "" || g.appKey == "":
		return nil, errors.New("--app-id and --app-key are needed together")
	case g.tokenFile != "":
		return nil, errors.New("--token-file and --app-id: it is the one or the other")
	}
	key, err := os.ReadFile(g.appKey)
	if err != nil {
		return nil, fmt.Errorf("--app-key: %w", err)
	}
	app, err := github.NewApp(g.api, g.appID, detectors.NewSecret(string(key)), g.appInstallation, owner, version)
	if err != nil {
		return nil, fmt.Errorf("--app-id: %w", err)
	}
	return app, nil
}

// perOwner reports whether each owner needs a Lister of its own: an installation of an
// App is of one.
func (g *githubLogin) perOwner() bool { return g.appID != "" }

// token returns the first token that there is: in the file, in the environment, of gh;
// or none.
func (g *githubLogin) token(ctx context.Context) (detectors.Secret, error) {
	if g.tokenFile != "" {
		return readToken(g.tokenFile)
	}
	if token := cmp.Or(os.Getenv("GITHUB_TOKEN"), os.Getenv("GH_TOKEN")); token != "" {
		return detectors.NewSecret(token), nil
	}
	return ghToken(ctx, g.api), nil
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

// notInToken reports whether r is in no token, and no header may hold it.
func notInToken(r rune) bool { return r <= ' ' || r > '~' }

// A fileToken is a github.TokenSource: the token in a file, which others may replace
// while a long sweep runs. It is read again when GitHub refuses what was there.
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

// ghTime is how long gh may take: it may ask a keyring, and that a person.
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
