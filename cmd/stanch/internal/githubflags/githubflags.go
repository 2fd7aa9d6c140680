// Package githubflags holds the flags of commands that read from GitHub.
package githubflags

import (
	"cmp"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/stanch-dev/stanch/scanner/github"
	"github.com/stanch-dev/stanch/scanner/github/login"
)

// Flags select repositories, and texts beside them, for a scan or for sweeps.
type Flags struct {
	Filter  github.Filter
	Include []string
	Deleted bool
}

// Check returns an error if the flags are a mistake.
func (f *Flags) Check() error {
	if err := f.Filter.Check(); err != nil {
		return err
	}
	return github.CheckInclude(f.Include)
}

// Add adds the flags to a command.
func (f *Flags) Add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVar(&f.Include, "include", nil, "also scan these `TEXTS`: "+strings.Join(github.Includable(), ", "))
	flags.BoolVar(&f.Deleted, "deleted", true, "scan commits that were force-pushed away or whose branch was deleted; needs a token")
	flags.BoolVar(&f.Filter.Forks, "forks", false, "scan forks too")
	flags.StringVar(&f.Filter.Archived, "archived", "include", "include, exclude, or only: `HOW` to treat archived repositories")
	flags.StringSliceVar(&f.Filter.Visibility, "visibility", nil, "scan only repositories of this `VISIBILITY`: public, private, internal")
	flags.StringSliceVar(&f.Filter.Topics, "topic", nil, "scan only repositories with one of these `TOPICS`")
	flags.StringSliceVar(&f.Filter.Skip, "skip", nil, "leave out repositories whose OWNER/NAME or NAME fits a `PATTERN`, such as acme/*-archive")
	flags.StringSliceVar(&f.Filter.Only, "only", nil, "scan only repositories whose OWNER/NAME or NAME fits a `PATTERN`")
	flags.Int64Var(&f.Filter.MaxSize, "max-repo-size", 0, "leave out repositories of more than `N` MiB, as GitHub says (0: no limit)")
	for flag, values := range map[string][]string{
		"include": github.Includable(), "archived": {"include", "exclude", "only"}, "visibility": {"public", "private", "internal"},
	} {
		_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	}
}

// AddAPI adds the flag for the URL of the API.
func AddAPI(flags *pflag.FlagSet, l *login.Login) {
	flags.StringVar(&l.API, "api-url", cmp.Or(os.Getenv("GITHUB_API_URL"), "https://api.github.com"), "ask the API at `URL`; GitHub Enterprise Server has it at https://HOST/api/v3")
}

// AddToken adds the flags for the token.
func AddToken(flags *pflag.FlagSet, l *login.Login) {
	flags.StringArrayVar(&l.TokenFiles, "token-file", nil, "read the token from `FILE`, not from GITHUB_TOKEN, GH_TOKEN or gh; several share the requests")
	flags.StringArrayVar(&l.AppIDs, "app-id", env("STANCH_APP_ID"), "ask as the GitHub App with this `ID` or client id (or set STANCH_APP_ID); several share the requests")
	flags.StringArrayVar(&l.AppKeys, "app-key", env("STANCH_APP_KEY"), "sign with the private key of the App in `FILE` (or set STANCH_APP_KEY)")
	flags.Int64Var(&l.AppInstallation, "app-installation", 0, "use this installation `ID` of the App (default: the installation of each owner)")
}

// env returns the value of a variable of the environment as the default of a list, nil if it
// is not set.
func env(name string) []string {
	if value := os.Getenv(name); value != "" {
		return []string{value}
	}
	return nil
}
