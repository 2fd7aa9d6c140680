package github

import (
	"cmp"
	"context"
	"encoding/json"
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

// An APIPage is a page of a list.
type APIPage[T any] struct {
	Items []T
	// URL names the page. Kept is for a Known: the page with its ETag, nil if the one that is
	// kept stays, or if the page is not to be kept.
	URL  string
	Kept []byte
}

// A Known returns the last APIPage.Kept of the page at a URL, nil if there is none. Then
// GitHub does not count the request if the page is as it was.
type Known func(ctx context.Context, url string) (kept []byte, err error)

// A keptPage is the JSON of APIPage.Kept.
type keptPage[T any] struct {
	ETag  string
	Next  string `json:",omitempty"` // URL of the next page
	Items []T
	Form  string // of an item: other versions of stanch may have other fields
}

// eachAPIPage asks for the list at path, which is relative to the API, and calls yield with
// each page until yield needs no more. It is an error if a page names itself, an earlier
// page or one on another server as the next.
func eachAPIPage[T any](ctx context.Context, s *sender, path string, yield func(page []T) (more bool, err error)) error {
	same := func(one T) (T, error) { return one, nil }
	return eachKnownPage(ctx, s, path, nil, same, func(page APIPage[T]) (bool, error) { return yield(page.Items) })
}

// eachKnownPage is eachAPIPage for a list of items that convert makes. With a Known, GitHub
// does not count the requests for pages that are as they were.
func eachKnownPage[R, T any](ctx context.Context, s *sender, path string, known Known, convert func(R) (T, error), yield func(APIPage[T]) (more bool, err error)) error {
	list, _, _ := strings.Cut(path, "?")
	ctx = requests.Stick(ctx, strings.TrimPrefix(list, "/"))
	seen := map[string]bool{}
	for n := 1; ; n++ {
		page, next, err := readAPIPage(ctx, s, path, known, convert)
		if err != nil {
			return apiPageError(n, err)
		}
		seen[path] = true
		more, err := yield(page)
		if err != nil {
			return apiPageError(n, err)
		}
		switch {
		case !more || next == "":
			return nil
		case !s.isOnServer(next):
			return apiPageError(n, errors.New("the next page is not on this server"))
		case seen[next]:
			return apiPageError(n, errors.New("the next page is one of those before"))
		}
		path = next
	}
}

// readAPIPage reads the page at path, and returns the URL of the next one, "" if there is
// none.
//
// An ETag is that of one page, and not of the link to the next one, which an answer that the
// page is as it was does not have (github.com/app-sre/github-mirror/pull/57). So the link is
// kept with the page; and a last page that is full is not kept, since another one may follow
// it the next time.
func readAPIPage[R, T any](ctx context.Context, s *sender, path string, known Known, convert func(R) (T, error)) (page APIPage[T], next string, err error) {
	u, err := s.api.BaseURL.Parse(path)
	if err != nil {
		return page, "", err
	}
	page.URL = u.String()
	form := fmt.Sprintf("%+v", *new(T)) // names the fields
	var before keptPage[T]
	if known != nil {
		kept, err := known(ctx, page.URL)
		if err != nil {
			return page, "", err
		}
		if json.Unmarshal(kept, &before) != nil || before.Form != form {
			before = keptPage[T]{}
		}
	}
	var list []R
	response, same, err := getChanged(ctx, s, path, before.ETag, &list)
	if err != nil {
		return page, "", err
	}
	if link := nextLink().FindStringSubmatch(response.Header.Get("Link")); link != nil {
		next = link[1]
	}
	if same {
		page.Items = before.Items
		return page, cmp.Or(next, before.Next), nil
	}
	for _, one := range list {
		item, err := convert(one)
		if err != nil {
			return page, "", err
		}
		page.Items = append(page.Items, item)
	}
	etag := response.Header.Get("ETag")
	if known != nil && etag != "" && (next != "" || len(list) < perPage) {
		page.Kept, err = json.Marshal(keptPage[T]{etag, next, page.Items, form})
	}
	return page, next, err
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
	response, _, err = getChanged(ctx, s, path, "", v)
	return response, err
}
