// Package githubapi tells GitHub what a scan in CI found: as alerts of code
// scanning, and as a comment of a pull request. And it lists repositories. It is the
// only package that talks to GitHub's API, so that there is one to audit for what is
// sent and with which token.
//
// The token goes to the host of the API and to no other, redirects included. What
// GitHub answers with 429 or 5xx is tried again, twice.
package githubapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"
)

// A Client sends to one repository. Make one with New. Calls are made one at a time.
type Client struct {
	sender
	owner, name string
}

// A sender makes requests.
type sender struct {
	api *github.Client
	// Wait waits between two tries, and while GitHub works on an upload: time.After
	// if it is nil.
	Wait func(context.Context, time.Duration) error
	// MaxWait is the longest pause between two tries: a minute, unless it is set to
	// something else.
	MaxWait time.Duration
}

// ErrDenied says that the token may not do what was asked, or that the feature is
// not there: code scanning of a private repository needs a licence.
var ErrDenied = errors.New("GitHub does not permit it")

// New returns a Client for repository, as "owner/name", at the API whose URL is base:
// that of GITHUB_API_URL, which is another one for GitHub Enterprise Server.
func New(base, repository, token, version string) (*Client, error) {
	owner, name, ok := strings.Cut(repository, "/")
	if !ok || owner == "" || name == "" || strings.Contains(name, "/") {
		return nil, fmt.Errorf("%q is no repository of the form owner/name", repository)
	}
	c, _, err := newSender(base, token, version)
	if err != nil {
		return nil, err
	}
	return &Client{sender: c, owner: owner, name: name}, nil
}

func newSender(base, token, version string) (sender, *url.URL, error) {
	u, err := url.Parse(strings.TrimSuffix(base, "/") + "/")
	if err != nil {
		return sender{}, nil, fmt.Errorf("the URL of GitHub's API: %w", err)
	}
	if u.Scheme != "https" && !isLoopback(u.Hostname()) || u.Host == "" || u.User != nil {
		return sender{}, nil, fmt.Errorf("the URL of GitHub's API: %s is not of the form https://host/path", u.Redacted())
	}
	api := github.NewClient(&http.Client{
		Transport: bearer{u.Host, token},
		Timeout:   time.Minute,
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			if req.URL.Host != u.Host || req.URL.Scheme != u.Scheme || len(via) > 3 {
				return fmt.Errorf("refusing the redirect to %s", req.URL.Host)
			}
			return nil
		},
	})
	api.BaseURL, api.UserAgent = u, "stanch/"+version
	return sender{api: api, MaxWait: maxWait}, u, nil
}

func isLoopback(host string) bool {
	return host == "127.0.0.1" || host == "::1" || host == "localhost"
}

// bearer sends the token to its host.
type bearer struct{ host, token string }

func (b bearer) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host == b.host && b.token != "" {
		req = req.Clone(req.Context())
		req.Header.Set("Authorization", "Bearer "+b.token)
	}
	return http.DefaultTransport.RoundTrip(req)
}

// tries is how often a request is made that GitHub is too busy for, and maxWait the
// longest pause between two in CI: the next run asks again.
const (
	tries   = 3
	maxWait = time.Minute
)

// try makes a request, again if the failure may pass.
func (c *sender) try(ctx context.Context, request func() (*github.Response, error)) error {
	pause := time.Second
	for i := 1; ; i++ {
		_, err := request()
		if err == nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		wait, again := patience(err, pause)
		switch {
		case !again:
			return denied(err)
		case i == tries || wait > c.MaxWait:
			return fmt.Errorf("tried %d times: %w", i, err)
		}
		if err := c.wait(ctx, wait); err != nil {
			return err
		}
		pause *= 4
	}
}

// patience returns how long to wait before err may have passed, and whether it may
// at all (docs.github.com, "Rate limits for the REST API").
func patience(err error, pause time.Duration) (time.Duration, bool) {
	var rate *github.RateLimitError
	var abuse *github.AbuseRateLimitError
	var answer *github.ErrorResponse
	var network *url.Error
	switch {
	case errors.As(err, &rate):
		return max(time.Until(rate.Rate.Reset.Time), pause), true
	case errors.As(err, &abuse):
		if abuse.RetryAfter != nil {
			return max(*abuse.RetryAfter, pause), true
		}
		return maxWait, true
	case errors.As(err, &answer):
		code := answer.Response.StatusCode
		if code != http.StatusTooManyRequests && code < http.StatusInternalServerError {
			return 0, false
		}
		if after, parseErr := time.ParseDuration(answer.Response.Header.Get("Retry-After") + "s"); parseErr == nil {
			return max(after, pause), true
		}
		return pause, true
	}
	return pause, errors.As(err, &network)
}

func denied(err error) error {
	var answer *github.ErrorResponse
	if errors.As(err, &answer) {
		switch answer.Response.StatusCode {
		case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
			return fmt.Errorf("%w: %w", ErrDenied, err)
		}
	}
	return err
}

func (c *sender) wait(ctx context.Context, d time.Duration) error {
	if c.Wait != nil {
		return c.Wait(ctx, d)
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
