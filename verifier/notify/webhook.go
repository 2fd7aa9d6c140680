package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
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

// post sends one notice to a webhook: JSON, of which Slack and its kin show the
// text. Its URL is a secret, and in no error.
func (n *Notifier) post(ctx context.Context, t Target, notice Notice) error {
	wait := n.Wait
	if wait == 0 {
		wait = time.Second
	}
	for attempt := 1; ; attempt++ {
		again, err := n.postOnce(ctx, t, notice)
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

// postOnce reports whether another attempt may help.
func (n *Notifier) postOnce(ctx context.Context, t Target, notice Notice) (again bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, webhookTimeout)
	defer cancel()
	notice.Text = slackEscaper.Replace(notice.Text)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, t.to, strings.NewReader(encode(notice)))
	if err != nil {
		return false, errors.New("not a URL")
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "stanch/"+n.Version)
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
		return true, err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // the reply may quote the URL
	if resp.StatusCode/100 == 2 {
		return false, nil
	}
	return resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500, fmt.Errorf("HTTP %d", resp.StatusCode)
}
