//go:build sweep

package sweep_test

import (
	"testing"

	"github.com/stanch-dev/stanch/scanner/sweep/sweeptest"
)

// A clockedStore is a store with the steps of tests.
type clockedStore struct{ *sweeptest.Store }

// An onDatabase is a test with a store of its own.
type onDatabase struct {
	t     *testing.T
	store *clockedStore
}

// onEachDatabase runs tests in SQLite and in PostgreSQL.
func onEachDatabase(t *testing.T, tests map[string]func(onDatabase)) {
	t.Helper()
	each := map[string]func(*testing.T, *sweeptest.Store){}
	for name, test := range tests {
		each[name] = func(t *testing.T, s *sweeptest.Store) {
			t.Helper()
			test(onDatabase{t, &clockedStore{s}})
		}
	}
	sweeptest.OnEachDatabase(t, each)
}
