package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// A FlagGroup holds the flags of a command that the help lists under one heading.
type FlagGroup struct {
	Heading string
	Flags   []*pflag.Flag
}

// flagGroups lists headings and their flags, in the order of the help. within is the name of
// a command: such a row counts for it and for its subcommands alone, and before the others.
func flagGroups() []struct{ within, heading, flags string } {
	return []struct{ within, heading, flags string }{
		{"policy", "Which policy", "own role assess trust partition"},
		{"policy", "With --trust", "principal external-id no-mfa oidc subject audience"},
		{"plan", "Plan", "output format"},
		{"respond", "Which keys", "sweep new accounts key force-in-use max-keys break-glass"},
		{"respond", "Shut off", "plan yes self quarantine journal notify"},
		{"respond", "Ask AWS", "findings sts-proxy"},
		{"sweep", "Alerts", "notify digest page-url"},
		{"github", "Alerts", "notify page-url"},
		{"sweep", "Change", "as until note by"},
		{"sweep", "Which findings", "repository target state status owner yes"},

		{"", "Scan", "base head scan stage all-files reachable-only since-state full inventory max-size scans max-fetch look-every debug log-format"},
		{"", "Which repositories", "only skip forks archived visibility topic max-repo-size shard include deleted every"},
		{"", "GitHub", "token-file app-id app-key app-installation api-url"},
		{"", "Page", "listen page-token-file triage-token-file page-host trust-proxy trust-header trust-groups-header triage-group webhook-secret-file metrics-listen"},
		{"", "Report", "format output all fail-on verbose quiet show-secrets sarif json junit upload-sarif comment name-accounts"},
		{"", "What to ignore", "baseline config min-confidence no-ignores honor-ignores-for-live"},
		{"", "Ask AWS", "verify no-verify accounts partitions canary-accounts no-cache sts-proxy"},
		{"", "Your identity", "assess iam profile role external-id"},
		{"", "Shut off", "deactivate yes max-keys break-glass journal notify"},
		{"", "Database", "database-url"},
	}
}

// otherFlags is the heading of flags that no row of flagGroups names, and of all flags of a
// command that has few.
const otherFlags = "Flags"

// fewFlags is how many flags are read at a glance, without groups.
const fewFlags = 5

// FlagGroups returns the flags of cmd that the help shows, those of its parents included.
func FlagGroups(cmd *cobra.Command) []FlagGroup {
	shown := shownFlags(cmd)
	few := len(shown) <= fewFlags
	var groups []FlagGroup
	path := strings.Fields(cmd.CommandPath())
	for _, row := range flagGroups() {
		if row.within != "" && !slices.Contains(path, row.within) {
			continue
		}
		group := FlagGroup{Heading: row.heading}
		for _, name := range strings.Fields(row.flags) {
			if i := slices.IndexFunc(shown, func(f *pflag.Flag) bool { return f.Name == name }); i >= 0 {
				group.Flags = append(group.Flags, shown[i])
				shown = slices.Delete(shown, i, i+1)
			}
		}
		if len(group.Flags) > 0 {
			groups = append(groups, group)
		}
	}
	if len(shown) > 0 {
		groups = append(groups, FlagGroup{otherFlags, shown})
	}
	if few && len(groups) > 0 {
		one := FlagGroup{Heading: otherFlags}
		for _, g := range groups {
			one.Flags = append(one.Flags, g.Flags...)
		}
		return []FlagGroup{one}
	}
	return groups
}

// shownFlags returns all flags but --help, which its reader has just typed.
func shownFlags(cmd *cobra.Command) (shown []*pflag.Flag) {
	cmd.InheritedFlags() // adds those of the parents to cmd.Flags
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden && f.Deprecated == "" && f.Name != "help" {
			shown = append(shown, f)
		}
	})
	return shown
}

// FlagText returns how a flag is typed, as "-f, --format FORMAT", and its usage, with the
// default and whether it may be given several times.
func FlagText(f *pflag.Flag) (typed, usage string) {
	value, usage := pflag.UnquoteUsage(f)
	typed = "--" + f.Name
	if f.Shorthand != "" {
		typed = "-" + f.Shorthand + ", " + typed
	}
	if value != "" {
		typed += " " + value
	}
	def := strings.Trim(f.DefValue, "[]")
	if f.Value.Type() == "duration" { // "24h0m0s"
		def = strings.NewReplacer("m0s", "m", "h0m0s", "h").Replace(def)
	}
	if _, many := f.Value.(pflag.SliceValue); many {
		usage += " (repeatable)"
	}
	if !slices.Contains([]string{"", "false", "0", "0s"}, def) {
		usage += " (default " + strings.ReplaceAll(def, ",", ", ") + ")"
	}
	return typed, usage
}

// PlainUsages takes the backquotes out of the usages of all flags, as completions of shells show
// them. The help then no longer knows the names of values.
func PlainUsages(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) { _, f.Usage = pflag.UnquoteUsage(f) })
	for _, sub := range cmd.Commands() {
		PlainUsages(sub)
	}
}
