package assessment

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

func TestWhyNotKnown(t *testing.T) {
	for err, want := range map[error]string{
		fmt.Errorf("asking: %w", context.Canceled): "interrupted",
		errors.New("no network"):                   "no network",
	} {
		if got := Why(err); got != want {
			t.Errorf("%v: %q", err, got)
		}
	}
}
