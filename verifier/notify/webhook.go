package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// A webhook gets ten seconds an attempt, and three attempts if it does not answer
// or says that it is busy.
const (
	webhookTimeout  = 10 * time.Second
	webhookAttempts = 3
)

// slackEscaper keeps a path that somebody has committed from being a link or a call to
// everybody in Slack (<https://…|text>, <!channel>).
var slackEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// A SendError says why a target has not taken an alert. It holds no secret.
type SendError struct {
	err     error
	after   time.Duration
	refused bool
}

func (e *SendError) Error() string { return e.err.Error() }
func (e *SendError) Unwrap() error { return e.err }

// RetryAfter returns how long the target asks to wait, 0 if it does not.
func (e *SendError) RetryAfter() time.Duration { return e.after }

// Refused reports whether the target does not want this alert, whenever it is sent.
func (e *SendError) Refused() bool { return e.refused }

// post sends one notice to a webhook: JSON, of which Slack and its kin show the
// text. Its URL is a secret, and in no error.
func (n *Notifier) post(ctx context.Context, t Target, notice Notice) error {
	wait := n.Wait
	if wait == 0 {
		wait = time.Second
	}
	notice.Text = slackEscaper.Replace(notice.Text)
	body := encode(notice)
	if t.kind == "slack" {
		body = encode(map[string]string{"text": notice.Text})
	}
	for attempt := 1; ; attempt++ {
		again, err := n.postOnce(ctx, t, body, "")
		if err == nil || !again || attempt == webhookAttempts {
			return err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		}
		wait *= 2
	}
}

// postOnce posts a body, under the id of its delivery unless that is "". It reports whether
// another attempt may help.
func (n *Notifier) postOnce(ctx context.Context, t Target, body, delivery string) (again bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, webhookTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, t.to, strings.NewReader(body))
	if err != nil {
		return false, errors.New("not a URL")
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "stanch/"+n.Version)
	if delivery != "" {
		r.Header.Set("Stanch-Delivery", delivery)
	}
	client := http.Client{
		// The notice is for this host only.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(r)
	if err != nil {
		var quoted *url.Error // quotes the URL
		if errors.As(err, &quoted) {
			err = quoted.Err
		}
		return true, withoutURL(err, r.URL)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // the reply may quote the URL
	status := resp.StatusCode
	switch status / 100 {
	case 2:
		return false, nil
	case 3:
		return false, &SendError{err: fmt.Errorf("HTTP %d: it redirects, and alerts go to the host of the URL alone: give the URL that it redirects to", status)}
	}
	return status == http.StatusTooManyRequests || status >= 500, &SendError{
		err: fmt.Errorf("HTTP %d", status), after: retryAfter(resp.Header.Get("Retry-After"), time.Now()),
		refused: status == http.StatusBadRequest || status == http.StatusRequestEntityTooLarge || status == http.StatusUnprocessableEntity,
	}
}

// withoutURL returns err, or another error in its place if the text has a part of u that may be a
// secret: net/http quotes a malformed status line, header or Location of an answer, and these
// may quote the request.
func withoutURL(err error, u *url.URL) error {
	text := err.Error()
	parts := strings.FieldsFunc(u.Path+"/"+u.EscapedPath()+"/"+u.RawQuery, func(r rune) bool { return strings.ContainsRune("/&=", r) })
	for _, values := range u.Query() {
		parts = append(parts, values...)
	}
	if password, ok := u.User.Password(); ok {
		parts = append(parts, password)
	}
	for _, part := range parts {
		if len(part) > 3 && strings.Contains(text, part) {
			return errors.New("the answer is not HTTP (the error quotes the URL, and is not shown)")
		}
	}
	return err
}

// retryAfter reads a header of RFC 9110, section 10.2.3: seconds, or a date. It is 0 if there is
// none.
func retryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(header); err == nil && seconds >= 0 {
		return time.Duration(min(seconds, 24*3600)) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
