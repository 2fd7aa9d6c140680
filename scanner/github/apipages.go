package github

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync"

	"github.com/google/go-github/v60/github"

	"github.com/stanch-dev/stanch/scanner/github/internal/requests"
)

// perPage is the largest page that GitHub gives.
const perPage = 100

var nextLink = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`<([^>]*)>\s*;[^,]*\brel="?next"?`) })

// eachAPIPage asks for the list at path, which is relative to the API, and calls yield with
// each page until yield needs no more. It is an error if a page names itself, an earlier
// page or one on another server as the next.
func eachAPIPage[T any](ctx context.Context, s *sender, path string, yield func(page []T) (more bool, err error)) error {
	list, _, _ := strings.Cut(path, "?")
	ctx = requests.Stick(ctx, strings.TrimPrefix(list, "/"))
	seen := map[string]bool{}
	for n := 1; ; n++ {
		var page []T
		response, err := get(ctx, s, path, &page)
		if err != nil {
			return apiPageError(n, err)
		}
		seen[path] = true
		more, err := yield(page)
		if err != nil {
			return apiPageError(n, err)
		}
		next := nextLink().FindStringSubmatch(response.Header.Get("Link"))
		switch {
		case !more || next == nil:
			return nil
		case !s.isOnServer(next[1]):
			return apiPageError(n, errors.New("the next page is not on this server"))
		case seen[next[1]]:
			return apiPageError(n, errors.New("the next page is one of those before"))
		}
		path = next[1]
	}
}

func apiPageError(n int, err error) error {
	if n == 1 {
		return err
	}
	return fmt.Errorf("page %d: %w", n, err)
}

// isOnServer reports whether rawURL belongs to the API that s asks.
func (c *sender) isOnServer(rawURL string) bool {
	u, err := url.Parse(rawURL)
	return err == nil && u.Scheme == c.api.BaseURL.Scheme && u.Host == c.api.BaseURL.Host && u.User == nil && strings.HasPrefix(u.Path, c.api.BaseURL.Path)
}

// get reads the JSON at path into v.
func get(ctx context.Context, s *sender, path string, v any) (response *github.Response, err error) {
	err = s.do(func() (*github.Response, error) {
		req, err := s.api.NewRequest("GET", path, nil)
		if err != nil {
			return nil, err
		}
		response, err = s.api.Do(ctx, req, v)
		return response, err
	})
	return response, err
}
