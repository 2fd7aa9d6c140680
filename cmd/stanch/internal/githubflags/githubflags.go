// Package githubflags holds the flags of commands that read from GitHub.
package githubflags

import (
	"cmp"
	"os"
	"strings"

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

// Add defines the flags.
func (f *Flags) Add(flags *pflag.FlagSet) {
	flags.StringSliceVar(&f.Include, "include", nil, "scan these too: "+strings.Join(github.Includable(), ", "))
	flags.BoolVar(&f.Deleted, "deleted", true, "scan commits that were force-pushed away or whose branch was deleted, if there is a token")
	flags.BoolVar(&f.Filter.Forks, "forks", false, "scan forks too")
	flags.StringVar(&f.Filter.Archived, "archived", "include", "archived repositories: include, exclude, or only")
	flags.StringSliceVar(&f.Filter.Visibility, "visibility", nil, "scan only repositories that are public, private, or internal")
	flags.StringSliceVar(&f.Filter.Topics, "topic", nil, "scan only repositories with one of these topics")
	flags.StringSliceVar(&f.Filter.Skip, "skip", nil, "leave out repositories whose OWNER/NAME, or NAME, fits this pattern, as acme/*-archive")
	flags.StringSliceVar(&f.Filter.Only, "only", nil, "scan only repositories whose OWNER/NAME, or NAME, fits one of these patterns")
	flags.Int64Var(&f.Filter.MaxSize, "max-repo-size", 0, "leave out repositories that GitHub says are larger than this many MiB; 0 is no limit")
}

// AddAPI adds the flag for the URL of the API.
func AddAPI(flags *pflag.FlagSet, l *login.Login) {
	flags.StringVar(&l.API, "api-url", cmp.Or(os.Getenv("GITHUB_API_URL"), "https://api.github.com"), "of GitHub Enterprise Server: https://HOST/api/v3")
}

// AddToken adds the flags for the token.
func AddToken(flags *pflag.FlagSet, l *login.Login) {
	flags.StringVar(&l.TokenFile, "token-file", "", "read the token from this `file`, not from GITHUB_TOKEN, GH_TOKEN or gh")
	flags.StringVar(&l.AppID, "app-id", os.Getenv("STANCH_APP_ID"), "ask as the GitHub App with this `id`, or client id; STANCH_APP_ID is the same")
	flags.StringVar(&l.AppKey, "app-key", os.Getenv("STANCH_APP_KEY"), "`file` with the private key of the App; STANCH_APP_KEY is the same")
	flags.Int64Var(&l.AppInstallation, "app-installation", 0, "`id` of the installation of the App; by default, the installation of each owner")
}
