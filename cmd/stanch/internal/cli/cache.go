package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/verifier/awsverifier"
)

// CacheFlags say where verdicts are stored between runs.
type CacheFlags struct {
	off     bool
	dir     string // of tests
	Refresh bool   // ask AWS always, and keep its answers
}

// Add adds the flags of commands that verify.
func (f *CacheFlags) Add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.off, "no-cache", false, "ask AWS about every key, even if it has just answered, and keep no answer")
	f.AddDir(cmd)
}

// AddDir adds the flag of commands that never read stored verdicts.
func (f *CacheFlags) AddDir(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.dir, "cache-dir", "", "keep verdicts in this folder, for tests")
	_ = cmd.Flags().MarkHidden("cache-dir")
}

// Folder returns where verdicts are kept, "" for nowhere. endpoint is the URL that a test
// asks instead of AWS, "" for AWS.
func (f *CacheFlags) Folder(endpoint string) string {
	switch {
	case f.off:
		return ""
	case f.dir != "":
		return f.dir
	case endpoint != "":
		return "" // tests leave nothing behind
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "" // without a home folder, nothing is kept
	}
	return filepath.Join(dir, "stanch", "verdicts")
}

// Forget drops the stored verdict on a key, because its state at AWS has changed.
func (f *CacheFlags) Forget(stderr io.Writer, endpoint, id string) {
	if err := awsverifier.Forget(awsverifier.Config{Cache: f.Folder(endpoint), Endpoint: endpoint}, id); err != nil {
		fmt.Fprintf(stderr, "stanch: scans may repeat AWS's earlier answer about %s (unless --no-cache), for a minute if it was live, else for up to a day: %v\n", printable.Text(id), err)
	}
}
