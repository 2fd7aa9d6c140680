//go:build sweep

package sweep

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"time"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
	"github.com/stanch-dev/stanch/scanner/sweep/riverqueue"
	"github.com/stanch-dev/stanch/scanner/sweep/triage"
)

// databaseFlags say which database a sweep uses.
type databaseFlags struct{ url string }

// command returns a command of a sweep for people to type. It does not repeat the URL of the
// database, which may hold a password.
func (f *databaseFlags) command(words string) string {
	if f.url != "" {
		words += ", with the same --database-url"
	}
	return words
}

// name returns the URL of the database, or the name of its file.
func (f *databaseFlags) name() (string, error) {
	if name := cmp.Or(f.url, os.Getenv("STANCH_DATABASE_URL")); name != "" {
		return name, nil
	}
	return database.DefaultFile()
}

// open opens the database. migrate is as for riverqueue.Open.
func (f *databaseFlags) open(ctx context.Context, migrate bool) (*sweep.Store, error) {
	name, err := f.name()
	if err != nil {
		return nil, err
	}
	store, err := riverqueue.Open(ctx, name, migrate)
	if err != nil {
		return nil, cli.Failed(err)
	}
	return store, nil
}

// openWaiting opens the database for a command that does jobs, and says so if it has to wait
// for it: a minute, or, of a service, for ever.
func (f *databaseFlags) openWaiting(ctx context.Context, s *cli.Streams, once bool) (store *sweep.Store, name string, err error) {
	if name, err = f.name(); err != nil {
		return nil, "", err
	}
	patience := time.Duration(0)
	if once {
		patience = time.Minute
	}
	store, err = riverqueue.OpenWaiting(ctx, name, patience, func(err error) {
		fmt.Fprintf(s.Loud().Stderr, "stanch: waiting for the database: %s\n", printable.Text(err.Error()))
	})
	if err != nil {
		return nil, "", cli.Failed(err)
	}
	store.Observers = append(store.Observers, triage.Reopen)
	return store, name, nil
}

// read calls do with a store that is only read.
func (f *databaseFlags) read(ctx context.Context, do func(*sweep.Store) error) error {
	name, err := f.name()
	if err != nil {
		return err
	}
	store, err := riverqueue.OpenReadOnly(ctx, name)
	if err != nil {
		return cli.Failed(err)
	}
	defer store.Close()
	return do(store)
}

// with calls do with the store and its queue.
func (f *databaseFlags) with(ctx context.Context, do func(*sweep.Store, *riverqueue.Queue) error) error {
	store, err := f.open(ctx, true)
	if err != nil {
		return err
	}
	defer store.Close()
	q, err := riverqueue.New(riverqueue.Config{Store: store})
	if err != nil {
		return cli.Failed(err)
	}
	return do(store, q)
}
