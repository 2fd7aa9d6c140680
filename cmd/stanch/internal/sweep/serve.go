//go:build sweep

package sweep

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os/user"
	"regexp"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/scanflags"
	"github.com/stanch-dev/stanch/scanner/report/html"
	scanrun "github.com/stanch-dev/stanch/scanner/run"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/metrics"
	"github.com/stanch-dev/stanch/scanner/sweep/riverqueue"

	"github.com/stanch-dev/stanch/scanner/sweep/api"
	"github.com/stanch-dev/stanch/scanner/sweep/serve"
	"github.com/stanch-dev/stanch/scanner/sweep/signin"
	"github.com/stanch-dev/stanch/scanner/sweep/sweepreport"
	"github.com/stanch-dev/stanch/scanner/sweep/teampage"
	"github.com/stanch-dev/stanch/scanner/sweep/webhook"
)

func newSweepServe(s *cli.Streams, db *databaseFlags) *cobra.Command {
	f, page := &engineFlags{}, &pageFlags{}
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Sweep by schedule, and show a page",
		Long: `Begin sweeps when they are due, do their jobs, and show the findings on a page:

  /             live keys that nobody works on, and the work on all others
  /report.html  the whole report as one page
  /status.json  how far sweeps are
  /metrics      for Prometheus
  /healthz      whether the process answers
  /readyz       whether the database answers

With --webhook-secret-file it takes GitHub's webhooks at /webhook/github, and reads a
repository as soon as somebody has pushed to it.

Only this machine can reach the page, unless --listen says otherwise, and it asks for a
token: one of --page-token-file or --triage-token-file, or one that is made up and
printed. A line of such a file is "TOKEN" or "NAME TOKEN". A proxy that signs users in may
name them in a header (--trust-proxy). Put a server that speaks TLS in front of it before
you give others access.

Each leaked key is used for one call at AWS, sts:GetCallerIdentity; --no-verify sends
nothing.`,
		Example: `  stanch sweep serve                                                     # for this machine
  stanch sweep serve --listen :8470 --page-token-file /run/secrets/page  # for others`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			gate, made, err := page.gate()
			if err != nil {
				return err
			}
			if err := page.check(cmd.Flags()); err != nil {
				return err
			}
			f.observe.metrics = metrics.New(s.Version)
			receiver, err := page.receiver()
			if err != nil {
				return err
			}
			listener, err := (&net.ListenConfig{}).Listen(cmd.Context(), "tcp", page.listen)
			if err != nil {
				return fmt.Errorf("--listen: %w", err)
			}
			defer func() { _ = listener.Close() }()
			return f.run(cmd.Context(), s, db, lifecycle{beside: func(ctx context.Context, _ *scanflags.Job, store *sweep.Store, log *slog.Logger) error {
				team, err := teampage.Page{Style: html.Style(), States: html.States(), Report: "/report.html"}.Handler()
				if err != nil {
					return err
				}
				link := ""
				if made != "" {
					link = "?token=" + made
				}
				fmt.Fprintf(s.Loud().Stderr, "stanch: the page is at http://%s/%s\n", listener.Addr(), link)
				gate.Log = log
				server := &serve.Server{Store: store, Gate: gate, Log: log, Policy: html.ContentSecurityPolicy(), Metrics: f.observe.metrics.Handler(log),
					Page: team, API: (&api.Server{Store: triageStore(store), Log: log}).Handler(),
					WritePage: func(ctx context.Context, w io.Writer, target string) error {
						r := &sweepreport.Report{Store: store, Handler: html.New(w), Version: s.Version, Target: target, FailOn: scanrun.FailOnNever}
						_, err := r.Write(ctx)
						return err
					}}
				if receiver != nil {
					receiver.Store, receiver.Log, receiver.Count = store, log, f.observe.metrics.Delivery
					if receiver.Queue, err = riverqueue.New(riverqueue.Config{Store: store}); err != nil {
						return cli.Failed(err)
					}
					server.Webhook = receiver.Handler()
				}
				return server.Serve(ctx, listener)
			}})
		},
	}
	f.add(cmd)
	f.observe.add(cmd)
	page.add(cmd.Flags())
	return cmd
}

// pageFlags say who may see the page, and where.
type pageFlags struct {
	listen                   string
	readers, triagers        string // files
	proxies                  []string
	userHeader, groupsHeader string
	triageGroups, hosts      []string
	webhook                  string // file of secrets
}

func (f *pageFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.listen, "listen", "127.0.0.1:8470", "show the page at `ADDRESS`")
	flags.StringVar(&f.readers, "page-token-file", "", "let those who have a token in `FILE` see the page")
	flags.StringVar(&f.triagers, "triage-token-file", "", "let those who have a token in `FILE` see the page and change the status of findings")
	flags.StringArrayVar(&f.hosts, "page-host", nil, "answer for the host `NAME`, beside localhost and addresses (default with a wide --listen: any name)")
	flags.StringArrayVar(&f.proxies, "trust-proxy", nil, "believe a proxy at `ADDRESS` (or a range, as 10.0.0.0/8) who the user is")
	flags.StringVar(&f.userHeader, "trust-header", "X-Forwarded-User", "take the user from the header `NAME` of the proxy")
	flags.StringVar(&f.groupsHeader, "trust-groups-header", "X-Forwarded-Groups", "take the groups of the user from the header `NAME` of the proxy")
	flags.StringVar(&f.webhook, "webhook-secret-file", "", "take GitHub's webhooks at /webhook/github, signed with a secret in `FILE`")
	flags.StringArrayVar(&f.triageGroups, "triage-group", nil, "let users in `GROUP` of the proxy change the status of findings")
}

// check refuses flags that would have no effect.
func (f *pageFlags) check(flags *pflag.FlagSet) error {
	for _, needs := range []struct{ flag, other, why string }{
		{"trust-header", "trust-proxy", "nobody is believed who the user is"},
		{"trust-groups-header", "trust-proxy", "nobody is believed who the user is"},
		{"triage-group", "trust-proxy", "groups come from a proxy"},
		{"trust-groups-header", "triage-group", "groups say nothing else"},
	} {
		if flags.Changed(needs.flag) && !flags.Changed(needs.other) {
			return fmt.Errorf("--%s has no effect without --%s: %s", needs.flag, needs.other, needs.why)
		}
	}
	for flag, header := range map[string]string{"trust-header": f.userHeader, "trust-groups-header": f.groupsHeader} {
		if !headerName.MatchString(header) {
			return fmt.Errorf("--%s %q: not the name of a header", flag, header)
		}
	}
	return nil
}

// headerName matches the names of headers that proxies set.
var headerName = regexp.MustCompile(`^[A-Za-z0-9-]+$`)

// receiver returns the receiver of webhooks that the flags ask for, nil for none.
func (f *pageFlags) receiver() (*webhook.Receiver, error) {
	if f.webhook == "" {
		return nil, nil
	}
	secrets, err := webhook.ReadSecrets(f.webhook)
	if err != nil {
		return nil, fmt.Errorf("--webhook-secret-file: %w", err)
	}
	return &webhook.Receiver{Secrets: secrets}, nil
}

// gate returns the gate that the flags ask for, and the text of the token that was made up,
// "" if there is none.
func (f *pageFlags) gate() (g *signin.Gate, made string, err error) {
	local, err := serve.IsLocal(f.listen)
	if err != nil {
		return nil, "", err
	}
	g = &signin.Gate{Hosts: f.hosts, AnyHost: !local && len(f.hosts) == 0}
	for _, file := range []struct {
		flag, name string
		role       signin.Role
	}{{"--page-token-file", f.readers, signin.Reader}, {"--triage-token-file", f.triagers, signin.Triager}} {
		if file.name == "" {
			continue
		}
		tokens, err := signin.ReadTokens(file.name, file.role)
		if err != nil {
			return nil, "", fmt.Errorf("%s: %w", file.flag, err)
		}
		g.Tokens = append(g.Tokens, tokens...)
	}
	if g.Proxy, err = f.proxy(); err != nil {
		return nil, "", err
	}
	if len(g.Tokens) > 0 || g.Proxy != nil {
		return g, "", nil
	}
	if !local {
		return nil, "", fmt.Errorf("--listen %s: others can reach that; give them a token by --page-token-file, or name the proxy that signs them in by --trust-proxy", f.listen)
	}
	token, made := signin.MakeToken(signin.User{Name: operatorName(), Role: signin.Triager})
	g.Tokens = []signin.Token{token}
	return g, made, nil
}

// operatorName returns the name of the user who runs this process.
func operatorName() string {
	name := ""
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	return cmp.Or(name, "operator")
}

// proxy returns the proxy that the flags name, nil if there is none.
func (f *pageFlags) proxy() (*signin.Proxy, error) {
	if len(f.proxies) == 0 {
		return nil, nil
	}
	p := &signin.Proxy{User: f.userHeader, Groups: f.groupsHeader, TriageGroups: f.triageGroups}
	for _, address := range f.proxies {
		prefix, err := netip.ParsePrefix(address)
		if ip, ipErr := netip.ParseAddr(address); ipErr == nil {
			prefix, err = netip.PrefixFrom(ip, ip.BitLen()), nil
		}
		if err != nil {
			return nil, fmt.Errorf("--trust-proxy %s: neither an IP address nor a range such as 10.0.0.0/8", address)
		}
		if prefix.Bits() == 0 {
			return nil, fmt.Errorf("--trust-proxy %s: that is everybody, and anybody could say who they are: name the proxy", address)
		}
		p.From = append(p.From, prefix)
	}
	return p, nil
}
