//go:build sweep

package riverqueue

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/riverqueue/river/riverdriver"
)

// A silentListener hears nothing, and tells for how long it is to listen.
type silentListener struct {
	riverdriver.Listener
	asked chan time.Duration
}

func (l silentListener) WaitForNotification(ctx context.Context) (*riverdriver.Notification, error) {
	end, _ := ctx.Deadline()
	l.asked <- time.Until(end)
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestPatientListener: the file is asked for news once, and again and again only after this
// process has news of its own.
func TestPatientListener(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	asked, news := make(chan time.Duration), make(chan struct{}, 1)
	done := make(chan error)
	go func() {
		_, err := patientListener{silentListener{asked: asked}, news}.WaitForNotification(ctx)
		done <- err
	}()
	if d := <-asked; d > 50*time.Millisecond {
		t.Errorf("at first it listens for %s", d)
	}
	news <- struct{}{}
	if d := <-asked; d < 500*time.Millisecond {
		t.Errorf("after news it listens for %s", d)
	}
	if d := <-asked; d > 50*time.Millisecond {
		t.Errorf("later it listens for %s", d)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
