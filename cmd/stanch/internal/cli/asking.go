package cli

import (
	"strings"
	"sync"
	"time"

	"github.com/stanch-dev/stanch/scanner/printable"
)

// Asking says how far the questions to AWS about several keys are. The zero Asking is ready to
// use; its methods may be called concurrently.
type Asking struct {
	mu       sync.Mutex
	began    time.Time
	done, of int
}

// Step notes that so many keys are done, of how many.
func (a *Asking) Step(done, of int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.start()
	a.done, a.of = done, of
}

func (a *Asking) start() {
	if a.began.IsZero() {
		a.began = time.Now()
	}
}

// Text is for Line.During. As long as it is not known how many keys there are, it says for
// how long AWS has been asked.
func (a *Asking) Text() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.start()
	since := time.Since(a.began)
	if a.of < 2 {
		return "asking AWS · " + rough(since)
	}
	return Asked(int64(a.done), int64(a.of), 0, since)
}

// Asked says about how many keys AWS has been asked, and how long the rest takes.
func Asked(done, of, ignored int64, since time.Duration) string {
	text := "asking AWS: " + printable.Thousands(done) + " of " + printable.Plural(of, "key")
	if ignored > 0 {
		text += ", " + printable.Thousands(ignored) + " of them ignored"
	}
	return text + left(done, of, since)
}

// CloneProgress is a Writer that takes the progress of "git clone", and says it in few words.
type CloneProgress struct {
	mu   sync.Mutex
	rest string // a message that is not complete
	text string
}

// Write implements io.Writer.
func (c *CloneProgress) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, part := range strings.SplitAfter(string(p), "\r") {
		for _, line := range strings.SplitAfter(part, "\n") {
			c.rest += line
			if len(c.rest) > 1<<10 { // no message is so long
				c.rest = ""
			}
			if strings.HasSuffix(line, "\n") || strings.HasSuffix(line, "\r") {
				c.take(strings.TrimSpace(c.rest))
				c.rest = ""
			}
		}
	}
	return len(p), nil
}

// take takes a message, such as
//
//	remote: Compressing objects:  41% (41/100)
//	Receiving objects:  41% (431430/1050000), 102.00 MiB | 5.00 MiB/s
//	Resolving deltas:  41% (41/100)
func (c *CloneProgress) take(message string) {
	message = strings.TrimPrefix(message, "remote: ")
	name, rest, ok := strings.Cut(message, ":")
	percent, rest, isPart := strings.Cut(strings.TrimSpace(rest), "%")
	if !ok || !isPart || strings.Trim(percent, "0123456789") != "" {
		return
	}
	percent += " %"
	switch name {
	case "Counting objects", "Compressing objects":
		c.text = "cloning: the server prepares · " + percent
	case "Receiving objects":
		c.text = "cloning: " + percent
		if _, size, ok := strings.Cut(rest, "), "); ok {
			c.text += " · " + strings.TrimSuffix(strings.ReplaceAll(size, " | ", " · "), ", done.")
		}
	case "Resolving deltas":
		c.text = "cloning: making the index · " + percent
	}
}

// Text is for Line.During.
func (c *CloneProgress) Text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.text == "" {
		return "cloning"
	}
	return c.text
}
