// Package github is the client of GitHub. It lists repositories, and the texts beside
// them; it names commits that branches have left behind; for a scan in CI it uploads
// alerts of code scanning and comments on pull requests. It is the only package that
// calls GitHub's API, so that one audit covers all requests and their tokens.
//
// The token goes to the host of the API and to no other, redirects included. Limits of
// requests are kept, and failures that may pass are tried again (internal/requests).
package github

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/go-github/v60/github"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/github/internal/requests"
)

// A Client sends to one repository. Make one with New. Calls are made one at a time.
type Client struct {
	*sender
	owner, name string
}

// A sender makes requests. Its fields are set before the first.
type sender struct {
	api *github.Client
	*requests.Patience
}

var (
	// ErrDenied says that the token lacks the right, or that the feature is not there:
	// code scanning of a private repository needs a licence.
	ErrDenied = errors.New("GitHub does not permit it")
	// ErrGone is an ErrDenied: the object is not there, or the token may not know of it.
	// GitHub does not say which.
	ErrGone = fmt.Errorf("%w: it is not there, or not for this token", ErrDenied)
	// ErrBlocked is an ErrDenied: GitHub, or a court, has shut off the repository.
	ErrBlocked = fmt.Errorf("%w: access to it is blocked", ErrDenied)
)

// New returns a Client for repository, such as "owner/name", at the API with the URL base.
// GITHUB_API_URL has that URL, which differs for GitHub Enterprise Server.
func New(base, repository, token, version string) (*Client, error) {
	owner, name, ok := strings.Cut(repository, "/")
	if !ok || owner == "" || name == "" || strings.Contains(name, "/") {
		return nil, fmt.Errorf("%q is not a repository of the form owner/name", repository)
	}
	c, _, err := newSender(base, version, Budget{Tokens: Static{Secret: detectors.NewSecret(token)}})
	if err != nil {
		return nil, err
	}
	return &Client{sender: c, owner: owner, name: name}, nil
}

func newSender(base, version string, budgets ...Budget) (*sender, *requests.Transport, error) {
	u, err := url.Parse(strings.TrimSuffix(base, "/") + "/")
	if err != nil {
		return nil, nil, fmt.Errorf("the URL of GitHub's API: %w", err)
	}
	if u.Scheme != "https" && !isLoopback(u.Hostname()) || u.Host == "" || u.User != nil {
		return nil, nil, fmt.Errorf("the URL of GitHub's API: %s is not of the form https://host/path", u.Redacted())
	}
	t := requests.New(u.Host, budgets...)
	s := &sender{Patience: t.Patience, api: github.NewClient(&http.Client{
		Transport: t,
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			if req.URL.Host != u.Host || req.URL.Scheme != u.Scheme || len(via) > 3 {
				return fmt.Errorf("refusing the redirect to %s", req.URL.Host)
			}
			return nil
		},
	})}
	s.api.BaseURL, s.api.UserAgent = u, "stanch/"+version
	if t.Probe, err = s.api.NewRequest("GET", "rate_limit", nil); err != nil {
		return nil, nil, fmt.Errorf("the URL of GitHub's API: %w", err)
	}
	return s, t, nil
}

func isLoopback(host string) bool {
	return host == "127.0.0.1" || host == "::1" || host == "localhost"
}

// do makes a request and classifies its failure. The transport has already waited for a
// limit, and tried again after failures that may pass.
func (c *sender) do(request func() (*github.Response, error)) error {
	_, err := request()
	return classify(err)
}

// classify wraps a refusal in ErrBlocked, ErrGone or ErrDenied.
func classify(err error) error {
	var answer *github.ErrorResponse
	if !errors.As(err, &answer) {
		return err
	}
	switch code := answer.Response.StatusCode; {
	case code == http.StatusUnavailableForLegalReasons, code == http.StatusForbidden && strings.Contains(strings.ToLower(answer.Message), "access blocked"):
		return fmt.Errorf("%w: %w", ErrBlocked, err)
	case code == http.StatusNotFound, code == http.StatusGone:
		return fmt.Errorf("%w: %w", ErrGone, err)
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		return fmt.Errorf("%w: %w", ErrDenied, err)
	}
	return err
}
