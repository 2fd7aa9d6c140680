package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
)

// grace is how long requests may take to end once the server is told to.
const grace = 10 * time.Second

// Run answers requests with h until ctx ends. Then it takes no more, and returns when those
// under way have ended, or after ten seconds.
func Run(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) error {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: 5 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	drained := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(drained)
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer cancel()
		if srv.Shutdown(within) != nil {
			_ = srv.Close()
		}
	})
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		stop()
		return fmt.Errorf("answering requests at %s: %w", l.Addr(), err)
	}
	<-drained
	return nil
}

// Probes returns a mux that says at /healthz whether the process answers, and at /readyz
// whether the database answers and has the schema of this build.
func Probes(store *sweep.Store, log *slog.Logger) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
		defer cancel()
		var version int
		err := database.QueryRow(ctx, store.Read, `SELECT COALESCE(MAX(version), 0) FROM stanch_schema`)(&version)
		switch {
		case err != nil:
			log.Warn("the database does not answer", "err", err)
			http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
		case version != database.Version():
			http.Error(w, fmt.Sprintf("the database has version %d of the schema, and this stanch knows %d", version, database.Version()), http.StatusServiceUnavailable)
		default:
			_, _ = io.WriteString(w, "ok\n")
		}
	})
	return mux
}
