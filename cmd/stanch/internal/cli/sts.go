package cli

import (
	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/verifier/awsverifier"
)

// STSFlags say which keys STS is asked about, where, and how long its answers are kept.
type STSFlags struct {
	Accounts       []string
	CanaryAccounts string // a file
	Partitions     []string
	Cache          CacheFlags
	endpoint       string // of tests
}

// Add adds the flags to a command, without those of the cache.
func (f *STSFlags) Add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVar(&f.Accounts, "accounts", nil, "verify keys of these AWS accounts only")
	flags.StringSliceVar(&f.Partitions, "partitions", nil, "ask these partitions too about keys that AWS does not know: aws-cn, aws-us-gov, aws-eusc")
	flags.StringVar(&f.CanaryAccounts, "canary-accounts", "", "file of further AWS accounts whose keys are never verified, one a line")
	flags.StringVar(&f.endpoint, "sts-endpoint", "", "verify at this loopback URL instead of AWS, for tests")
	_ = flags.MarkHidden("sts-endpoint")
}

// Client returns the client of STS that f asks for. If offline, it sends nothing.
func (f *STSFlags) Client(version string, offline bool) (*awsverifier.Client, error) {
	canaries, err := ReadList("--canary-accounts", f.CanaryAccounts)
	if err != nil {
		return nil, err
	}
	return awsverifier.New(awsverifier.Config{
		Version: version, Offline: offline, Cache: f.Cache.Folder(f.endpoint), Refresh: f.Cache.Refresh,
		Accounts: f.Accounts, CanaryAccounts: canaries, Partitions: f.Partitions, Endpoint: f.endpoint,
	})
}
