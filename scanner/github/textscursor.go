package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"time"

	"github.com/google/go-github/v60/github"
)

// A textCursor says until where the texts beside a repository were read, by feed: each
// list of GitHub has its own. Its JSON is the cursor of Texts. It holds times, numbers and
// ETags, and nothing that a person has written.
type textCursor map[string]*feedCursor

// A feedCursor says until where one list was read.
type feedCursor struct {
	// Since is the time from which the next pass has to read.
	Since time.Time `json:"since,omitzero"`
	// ETags are those of the pages of the list when it was read last. GitHub makes others
	// for each token, and installations of Apps renew theirs each hour
	// (github.com/github/docs/issues/34689): then an ETag saves nothing, and does no harm.
	ETags []string `json:"etags,omitempty"`
	// Pass is a pass that was cut off.
	Pass *pass `json:"pass,omitempty"`
	// Done says that the list was read, before a limit cut off the reading of another one;
	// Again that a part of it could not be read, and has to be read again.
	Done  bool `json:"done,omitempty"`
	Again bool `json:"again,omitempty"`
}

// A pass is one reading of a list, which a limit may cut off. Its position is the one from
// which the list has to be read again.
type pass struct {
	Begun time.Time `json:"begun"` // by the clock of GitHub
	ETags []string  `json:"etags,omitempty"`
	At    time.Time `json:"at,omitzero"`    // of a list sorted by time: the time of the last change
	Page  int       `json:"page,omitempty"` // of a list with numbered pages
	After string    `json:"after,omitempty"`
	Item  int64     `json:"item,omitempty"` // id of an item of the page
	// Missed says that a text could not be read, and may be the next time: then the next
	// pass reads all of this one again.
	Missed bool `json:"missed,omitempty"`
}

// maxETags is how many pages of a list have an ETag. A longer list is read as a whole.
const maxETags = 10

// parseTextCursor reads a cursor. That of earlier versions is one time for all feeds.
func parseTextCursor(text string) (cursor textCursor, since time.Time, err error) {
	if text == "" {
		return textCursor{}, time.Time{}, nil
	}
	if since, err := time.Parse(time.RFC3339, text); err == nil {
		return textCursor{}, since, nil
	}
	if err := json.Unmarshal([]byte(text), &cursor); err != nil {
		return nil, time.Time{}, fmt.Errorf("until where texts were read: %w", err)
	}
	for name, f := range cursor {
		if f == nil {
			delete(cursor, name)
		}
	}
	return cursor, time.Time{}, nil
}

// A feed is the reading of one list by a textReader.
type feed struct {
	*textReader
	*feedCursor
	begun   time.Time // by the clock of this machine
	resumed bool      // an earlier pass was cut off
	changed bool      // a page is not as it was
}

// feed returns the feed with a name, as its cursor left it.
func (r *textReader) feed(name string) *feed {
	f := &feed{textReader: r, feedCursor: r.next[name], begun: time.Now()}
	f.resumed = f.Pass != nil
	f.changed = f.resumed
	return f
}

// end notes that the pass has come to its end.
func (f *feed) end() {
	f.Done, f.Again = true, f.Pass.Missed
	if f.changed && !f.Again {
		// A minute for changes that GitHub shows late.
		f.Since, f.ETags = f.Pass.Begun.Add(-time.Minute), f.Pass.ETags
		if len(f.ETags) > maxETags {
			f.ETags = nil
		}
	}
	f.Pass = nil
}

// begin notes the beginning of a pass, once GitHub has answered and its clock is known.
func (f *feed) begin() {
	if f.Pass == nil {
		f.Pass = &pass{Begun: f.lister.transport.Now().Add(-time.Since(f.begun)).UTC()}
	}
}

// page reads the n-th page of a list, counted from 1, into v. same reports that the page
// is as it was in the pass before; GitHub does not count that request.
func (f *feed) page(ctx context.Context, path string, n int, v any) (more, same bool, err error) {
	etag := ""
	if !f.resumed && n <= len(f.ETags) {
		etag = f.ETags[n-1]
	}
	response, same, err := getChanged(ctx, f.lister.sender, path, etag, v)
	if err != nil {
		return false, false, err
	}
	f.begin()
	f.changed = f.changed || !same
	if !same {
		etag = response.Header.Get("ETag")
	}
	for len(f.Pass.ETags) < n {
		f.Pass.ETags = append(f.Pass.ETags, "")
	}
	f.Pass.ETags[n-1] = etag
	return nextLink().MatchString(response.Header.Get("Link")), same, nil
}

// getChanged reads the JSON at path into v, unless it still has an ETag.
func getChanged(ctx context.Context, s *sender, path, etag string, v any) (response *github.Response, same bool, err error) {
	err = s.do(func() (*github.Response, error) {
		req, err := s.api.NewRequest("GET", path, nil)
		if err != nil {
			return nil, err
		}
		if etag != "" {
			req.Header.Set("If-None-Match", etag)
		}
		response, err = s.api.Do(ctx, req, v)
		return response, err
	})
	var answer *github.ErrorResponse
	if etag != "" && errors.As(err, &answer) && answer.Response.StatusCode == http.StatusNotModified {
		return response, true, nil
	}
	return response, false, err
}

// pages reads a list with numbered pages, from the page at which the pass was cut off, and
// calls add for each page that is not as it was. It ends when add needs no more. With
// newestFirst, a list whose first page is as it was is as it was.
func pages[T any](ctx context.Context, f *feed, path string, newestFirst bool, add func(page []T) (more bool, err error)) error {
	n := 1
	if f.resumed {
		n = max(n, f.Pass.Page)
	}
	var before []T
	for ; ; n++ {
		var page []T
		next, same, err := f.page(ctx, fmt.Sprintf("%s&per_page=%d&page=%d", path, perPage, n), n, &page)
		if err != nil {
			return apiPageError(n, err)
		}
		switch {
		case same && (newestFirst || n >= len(f.ETags)):
			return nil
		case same:
			continue
		case len(page) > 0 && reflect.DeepEqual(page, before):
			return apiPageError(n, errors.New("GitHub lists the same again"))
		}
		more, err := add(page)
		if err != nil {
			return apiPageError(n, err)
		}
		if !newestFirst && !next && len(page) == perPage {
			f.Pass.ETags[n-1] = "" // another page may follow, which the ETag of this one does not tell: see readAPIPage
		}
		if !more || !next {
			return nil
		}
		before, f.Pass.Page, f.Pass.Item = page, n+1, 0
	}
}

// each calls read for the items of a page, from the one at which the pass was cut off. If
// that one is not on the page any more, it reads them all.
func each[T any](f *feed, page []T, id func(T) int64, read func(T) error) error {
	first := max(0, slices.IndexFunc(page, func(one T) bool { return id(one) == f.Pass.Item }))
	for _, one := range page[first:] {
		f.Pass.Item = id(one)
		if err := read(one); err != nil {
			return err
		}
	}
	return nil
}
