//go:build sweep

package sweep

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/scanflags"
	"github.com/stanch-dev/stanch/scanner/report/html"
	scanrun "github.com/stanch-dev/stanch/scanner/run"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/serve"
	"github.com/stanch-dev/stanch/scanner/sweep/sweepreport"
)

func newSweepServe(s *cli.Streams, db *databaseFlags) *cobra.Command {
	f, listen, tokenFile := &engineFlags{}, "", ""
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Sweep by schedule, and show a page",
		Long: `Begin sweeps when they are due, do their jobs, and show the findings on a read-only
page:

  /             live keys: where, since when, and the next steps
  /status.json  how far sweeps are
  /metrics      for Prometheus
  /healthz      whether the database answers

Only this machine can reach the page, unless --listen says otherwise, and it asks for a
token: that of --page-token-file, or one that is made up and printed. Put a server that
speaks TLS in front of it before you give others access.

Each leaked key is used for one call at AWS, sts:GetCallerIdentity; --no-verify sends
nothing.`,
		Example: `  stanch sweep serve                                                     # for this machine
  stanch sweep serve --listen :8470 --page-token-file /run/secrets/page  # for others`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			token, err := serve.Token(listen, tokenFile)
			if err != nil {
				return err
			}
			listener, err := (&net.ListenConfig{}).Listen(cmd.Context(), "tcp", listen)
			if err != nil {
				return fmt.Errorf("--listen: %w", err)
			}
			defer func() { _ = listener.Close() }()
			return f.run(cmd.Context(), s, db, lifecycle{beside: func(ctx context.Context, _ *scanflags.Job, store *sweep.Store, log *slog.Logger) error {
				if tokenFile == "" {
					fmt.Fprintf(s.Loud().Stderr, "stanch: the page is at http://%s/?token=%s\n", listener.Addr(), token)
				} else {
					fmt.Fprintf(s.Loud().Stderr, "stanch: the page is at http://%s/\n", listener.Addr())
				}
				server := &serve.Server{Store: store, Token: token, Log: log, Policy: html.ContentSecurityPolicy(),
					WritePage: func(ctx context.Context, w io.Writer, target string) error {
						r := &sweepreport.Report{Store: store, Handler: html.New(w), Version: s.Version, Target: target, FailOn: scanrun.FailOnNever}
						_, err := r.Write(ctx)
						return err
					}}
				return server.Serve(ctx, listener)
			}})
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:8470", "show the page at `ADDRESS`")
	cmd.Flags().StringVar(&tokenFile, "page-token-file", "", "take the token that the page asks for from `FILE`")
	return cmd
}
