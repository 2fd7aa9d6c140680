package transport

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner/printable"
)

// A StatusError is the refusal of a git server.
type StatusError struct {
	Code       int    // of HTTP
	RetryAfter string // as the server has it, "" if it says nothing
	Text       string // the beginning of its answer, printable
}

func (e *StatusError) Error() string {
	hint := ""
	switch e.Code {
	case http.StatusUnauthorized:
		hint = "; the server wants a token, or does not take this one"
	case http.StatusForbidden:
		hint = "; the token has no permission to read this repository"
	case http.StatusNotFound:
		hint = "; there is no such repository, or none that the token may read"
	}
	text := ""
	if e.Text != "" {
		text = ": " + e.Text
	}
	return fmt.Sprintf("the server answers %d %s%s%s", e.Code, http.StatusText(e.Code), text, hint)
}

// ErrStalled says that a server sent nothing for too long.
var ErrStalled = errors.New("the server sends nothing any more")

const (
	defaultStall = 2 * time.Minute
	// maxAdvertised bounds the list of refs: a million of them.
	maxAdvertised = 256 << 20
	// keptHead is how much of an answer is kept to explain why it makes no sense.
	keptHead = 64 << 10
	// gzipFrom is the size from which git's own client compresses a request
	// (remote-curl.c, rpc_post).
	gzipFrom = 1024
)

// A gitHTTP takes the requests of go-git's transport to one server and to no other. It gives
// up on a server that is silent, refuses answers that are not git's, and counts bytes. It is
// used for one request at a time.
type gitHTTP struct {
	host  string // as origin has it
	stall time.Duration

	received    int64  // bytes of all answers
	answerStart []byte // of the last answer
	failed      error  // why the last request failed, which go-git may say worse
	last        *answerBody
}

// closeAnswer ends the last request: go-git leaves an answer open that it cannot read.
func (c *gitHTTP) closeAnswer() {
	if c.last != nil {
		_ = c.last.answer.Close() // nobody reads it
		c.last.end()
		c.last = nil
	}
}

// origin is the scheme, host and port of a URL in one form (RFC 6454, section 4).
func origin(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Scheme + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

// RoundTrip implements http.RoundTripper.
func (c *gitHTTP) RoundTrip(req *http.Request) (*http.Response, error) {
	c.answerStart, c.failed = nil, nil
	res, err := c.send(req)
	if err != nil {
		c.failed = err
	}
	return res, err
}

func (c *gitHTTP) send(req *http.Request) (*http.Response, error) {
	if host := origin(req.URL); host != c.host {
		return nil, fmt.Errorf("the server redirects to another host, which is not followed: %s", printable.Stripped(host))
	}
	// The request has a context of its own. The timer ends it while the header is awaited
	// or the body is read.
	ctx, cancel := context.WithCancelCause(req.Context())
	body := &answerBody{gitHTTP: c, ctx: ctx, cancel: cancel}
	body.timer = time.AfterFunc(c.stall, func() { cancel(ErrStalled) })
	req = req.Clone(ctx)
	if err := compress(req); err != nil {
		body.end()
		return nil, err
	}
	// The default transport has the timeouts for connections, and the proxy of the environment.
	res, err := http.DefaultTransport.RoundTrip(req)
	body.timer.Stop()
	if err != nil {
		err = body.explainStall(err)
		body.end()
		return nil, err
	}
	body.answer, body.isList = res.Body, req.Method == http.MethodGet
	body.buffer = bufio.NewReaderSize(readFunc(body.read), 64<<10)
	res.Body, c.last = body, body
	if err := check(req, res); err != nil {
		_ = body.Close()
		return nil, err
	}
	return res, nil
}

// compress compresses the body of a request, as git does: 20,000 ids are a megabyte,
// which is where some servers stop reading.
func compress(req *http.Request) error {
	if req.Body == nil || req.ContentLength < gzipFrom {
		return nil
	}
	var small bytes.Buffer
	w := gzip.NewWriter(&small)
	_, err := io.Copy(w, req.Body)
	if err = errors.Join(err, w.Close(), req.Body.Close()); err != nil {
		return err
	}
	req.Header.Set("Content-Encoding", "gzip")
	req.Header.Del("Content-Length") // net/http writes it
	req.ContentLength = int64(small.Len())
	req.Body, req.GetBody = io.NopCloser(&small), nil
	return nil
}

// check returns an error for an answer that does not come from a git server. The client
// follows redirects, and the next answer comes here again.
func check(req *http.Request, res *http.Response) error {
	if res.StatusCode/100 == 3 {
		return nil
	}
	if res.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 4<<10)) // as much as there is
		e := &StatusError{Code: res.StatusCode, RetryAfter: printable.Stripped(res.Header.Get("Retry-After"))}
		if strings.HasPrefix(res.Header.Get("Content-Type"), "text/plain") {
			e.Text = excerpt(withoutLogin(req, string(text)))
		}
		return e
	}
	want := "application/x-git-upload-pack-advertisement"
	if req.Method == http.MethodPost {
		want = "application/x-git-upload-pack-result"
	}
	if got := res.Header.Get("Content-Type"); got != want {
		return fmt.Errorf("the answer is %s and not git's; is this the URL of a repository?", excerpt(got))
	}
	return nil
}

// withoutLogin returns a server's text without the login of req: some servers repeat the
// request.
func withoutLogin(req *http.Request, text string) string {
	_, password, ok := req.BasicAuth()
	if !ok || password == "" {
		return text
	}
	_, encoded, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	return strings.NewReplacer(password, "[redacted]", encoded, "[redacted]").Replace(text)
}

// excerpt makes a stranger's text fit for a message.
func excerpt(text string) string {
	const most = 200
	text = strings.Join(strings.Fields(printable.Stripped(text)), " ")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

// An answerBody is the body of an answer. Only while it is read does the timer run:
// a slow disk is not the server's fault.
type answerBody struct {
	*gitHTTP
	ctx    context.Context //nolint:containedctx // of this one request
	cancel context.CancelCauseFunc
	timer  *time.Timer
	answer io.ReadCloser
	buffer *bufio.Reader
	isList bool // of refs
	size   int64
}

func (b *answerBody) Read(p []byte) (int, error) { return b.buffer.Read(p) }

func (b *answerBody) read(p []byte) (int, error) {
	b.timer.Reset(b.stall)
	n, err := b.answer.Read(p)
	b.timer.Stop()
	b.received += int64(n)
	if b.size += int64(n); b.isList && b.size > maxAdvertised {
		err = fmt.Errorf("the list of refs has more than %d MiB", maxAdvertised>>20)
	}
	b.answerStart = append(b.answerStart, p[:min(n, keptHead-len(b.answerStart))]...)
	if err != nil && !errors.Is(err, io.EOF) {
		err = b.explainStall(err)
		b.failed = err
	}
	return n, err
}

// explainStall is err, or that the server has stalled if that is the cause.
func (b *answerBody) explainStall(err error) error {
	if cause := context.Cause(b.ctx); errors.Is(cause, ErrStalled) {
		return fmt.Errorf("%w: nothing for %v", ErrStalled, b.stall)
	}
	return err
}

// go-git calls Close when it has read the part that it understands. Any bytes after that
// are an error, which go-git returns if it has no other.
func (b *answerBody) Close() error {
	defer b.end()
	_, err := b.buffer.ReadByte()
	if closed := b.answer.Close(); err != nil {
		return closed
	}
	return errors.New("there is more than git understands at the end of the answer")
}

func (b *answerBody) end() {
	b.timer.Stop()
	b.cancel(nil)
}
