//go:build sweep

package riverqueue

import (
	"context"
	"errors"
	"time"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riversqlite"
)

// A patientDriver is River's driver for SQLite, but for its listener. That one asks the file
// for news 20 times a second, which cannot be set, and took a third of the CPU of a sweep that
// finds nothing new.
type patientDriver struct {
	*riversqlite.Driver
	news <-chan struct{}
}

// GetListener implements riverdriver.Driver.
func (d patientDriver) GetListener(p *riverdriver.GetListenenerParams) riverdriver.Listener {
	return patientListener{d.Driver.GetListener(p), d.news}
}

// A patientListener asks the file once a second: of what other processes do, nothing is
// urgent, since one process at a time does the jobs of a file. It asks at once, and then like
// River's own, when this process tells it of news.
type patientListener struct {
	riverdriver.Listener
	news <-chan struct{}
}

// WaitForNotification implements riverdriver.Listener.
func (l patientListener) WaitForNotification(ctx context.Context) (*riverdriver.Notification, error) {
	const once = 40 * time.Millisecond // before River's own would ask a second time
	for limit := once; ; {
		short, cancel := context.WithTimeout(ctx, limit)
		n, err := l.Listener.WaitForNotification(short)
		cancel()
		if err == nil || ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return n, err
		}
		limit = once
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-l.news: // in a transaction that may last a while yet
			limit = time.Second
		case <-time.After(time.Second):
		}
	}
}
