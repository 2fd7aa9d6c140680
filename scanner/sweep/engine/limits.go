package engine

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/stanch-dev/stanch/scanner/gitsource/transport"
	"github.com/stanch-dev/stanch/scanner/sweep"
)

// classify turns the refusal of a git server into a *Later, if it says when to ask again,
// or into a *Final, if asking again is no use. The Hub keeps the limits of the API; those of
// git are noted here for all workers.
func (w *scanJob) classify(ctx context.Context, err error) error {
	var refused *transport.StatusError
	if !errors.As(err, &refused) {
		return err
	}
	switch refused.Code {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusForbidden:
		if seconds, parseErr := strconv.Atoi(refused.RetryAfter); parseErr == nil {
			left := time.Duration(min(max(seconds, 1), 3600)) * time.Second
			later := &sweep.Later{At: w.Store.Now().Add(left), Why: err.Error()}
			if refused.Code == http.StatusServiceUnavailable || w.gitBudget == "" { // of this one alone
				return later
			}
			return errors.Join(later, w.Store.PutLimit(ctx, w.gitBudget, left, later.Why))
		}
	}
	switch refused.Code {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusGone, http.StatusUnavailableForLegalReasons:
		return &sweep.Final{Err: err}
	}
	return err
}
