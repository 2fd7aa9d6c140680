package cli

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/verifier/awsverifier"
)

// STSFlags say which keys STS is asked about, where, and how long its answers are kept.
type STSFlags struct {
	Accounts       []string
	CanaryAccounts string // a file
	Partitions     []string
	Proxy          ProxyFlag
	Cache          CacheFlags
	endpoint       string // of tests
}

// Add adds the flags to a command, without those of the cache.
func (f *STSFlags) Add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVar(&f.Accounts, "accounts", nil, "ask only about keys of these AWS `ACCOUNTS`")
	flags.StringSliceVar(&f.Partitions, "partitions", nil, "also ask these `PARTITIONS` about keys that AWS does not know: aws-cn, aws-us-gov, aws-eusc")
	flags.StringVar(&f.CanaryAccounts, "canary-accounts", "", "never ask about keys of the accounts in `FILE`, one a line: they are your canaries")
	_ = cmd.RegisterFlagCompletionFunc("partitions", cobra.FixedCompletions([]string{"aws-cn", "aws-us-gov", "aws-eusc"}, cobra.ShellCompDirectiveNoFileComp))
	f.Proxy.Add(cmd)
	flags.StringVar(&f.endpoint, "sts-endpoint", "", "verify at this loopback URL instead of AWS, for tests")
	_ = flags.MarkHidden("sts-endpoint")
}

// Client returns the client of STS that f asks for. If offline, it sends nothing.
func (f *STSFlags) Client(version string, offline bool) (*awsverifier.Client, error) {
	canaries, err := ReadList("--canary-accounts", f.CanaryAccounts)
	if err != nil {
		return nil, err
	}
	proxy, err := f.Proxy.URL()
	if err != nil {
		return nil, err
	}
	return awsverifier.New(awsverifier.Config{
		Version: version, Proxy: proxy, Offline: offline, Cache: f.Cache.Folder(f.endpoint), Refresh: f.Cache.Refresh,
		Accounts: f.Accounts, CanaryAccounts: canaries, Partitions: f.Partitions, Endpoint: f.endpoint,
	})
}

// A ProxyFlag names the proxy for requests that are signed with leaked keys. Its value may hold
// a password, which no help and no error shows.
type ProxyFlag struct{ value string }

// Add adds the flag to a command.
func (f *ProxyFlag) Add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.value, "sts-proxy", "", "ask through the proxy at `URL`: http://HOST:PORT, https://HOST:PORT, or env:VARIABLE that holds it")
}

// URL returns the URL of the proxy, the zero Secret for none.
func (f *ProxyFlag) URL() (detectors.Secret, error) {
	url := f.value
	if name, ok := strings.CutPrefix(f.value, "env:"); ok {
		if url = os.Getenv(name); url == "" {
			return detectors.Secret{}, fmt.Errorf("--sts-proxy env:%s: the variable is not set", name)
		}
	}
	proxy := detectors.NewSecret(url)
	if _, err := awsverifier.New(awsverifier.Config{Proxy: proxy}); err != nil {
		return detectors.Secret{}, fmt.Errorf("--sts-proxy: %w", err)
	}
	return proxy, nil
}

// Typed returns the value of the flag for a command to print. If it holds a user, that is the
// place of a variable.
func (f *ProxyFlag) Typed() string {
	if strings.Contains(f.value, "@") {
		return "env:VARIABLE"
	}
	return f.value
}
