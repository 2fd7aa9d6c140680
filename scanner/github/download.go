package github

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/stanch-dev/stanch/scanner/github/internal/requests"
)

// downloadTime is how long a download may take.
const downloadTime = 10 * time.Minute

// errTooLarge says that a file is not read.
var errTooLarge = errors.New("too large to be held in memory (--max-size)")

// download returns the file at path, a path of the API. GitHub redirects to another host,
// where the file is for a minute; that host gets no token.
func (l *Lister) download(ctx context.Context, path string, maxSize int64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, downloadTime)
	defer cancel()
	var err error
	for range requests.MaxTries {
		var data []byte
		var again bool
		if data, again, err = l.downloadOnce(ctx, path, maxSize); !again {
			return data, err
		}
		if waited := l.Pause(ctx, time.Second); waited != nil {
			return nil, waited
		}
	}
	return nil, fmt.Errorf("tried %d times: %w", requests.MaxTries, err)
}

// downloadOnce reports whether another try makes sense, too.
func (l *Lister) downloadOnce(ctx context.Context, path string, maxSize int64) (data []byte, again bool, err error) {
	req, err := l.api.NewRequest("GET", path, nil)
	if err != nil {
		return nil, false, err
	}
	if strings.Contains(path, "/assets/") { // else GitHub describes it
		req.Header.Set("Accept", requests.OctetStream)
	}
	// The transport keeps the limits of the API. To it, a redirect is an answer.
	resp, err := l.transport.RoundTrip(req.WithContext(ctx))
	if err != nil {
		return nil, false, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusFound && resp.StatusCode != http.StatusTemporaryRedirect {
		if err := classify(github.CheckResponse(resp)); err != nil {
			return nil, false, err
		}
		data, err := readMost(resp.Body, maxSize)
		return data, false, err
	}
	to, err := resp.Location()
	if err != nil {
		return nil, false, err
	}
	if to.Scheme != "https" && (to.Scheme != "http" || !isLoopback(to.Hostname()) || !isLoopback(l.api.BaseURL.Hostname())) || to.User != nil {
		return nil, false, fmt.Errorf("refusing the redirect to %s", to.Host)
	}
	return fetchFile(ctx, to, maxSize)
}

// fetchFile gets a file without a token. Errors do not hold its URL, with which anybody
// could get the file.
func fetchFile(ctx context.Context, from *url.URL, maxSize int64) (data []byte, again bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from.String(), nil)
	if err != nil {
		return nil, false, err
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return nil, true, fmt.Errorf("downloading from %s: %w", from.Host, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, resp.StatusCode >= http.StatusInternalServerError, fmt.Errorf("downloading from %s: the answer is %s", from.Host, resp.Status)
	}
	data, err = readMost(resp.Body, maxSize)
	return data, err != nil && !errors.Is(err, errTooLarge), err
}

// readMost reads all of from, if that is no more than maxSize bytes, or that is 0.
func readMost(from io.Reader, maxSize int64) ([]byte, error) {
	if maxSize == 0 {
		return io.ReadAll(from)
	}
	data, err := io.ReadAll(io.LimitReader(from, maxSize+1))
	if err == nil && int64(len(data)) > maxSize {
		return nil, errTooLarge
	}
	return data, err
}
