package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/catalog"
	"github.com/stanch-dev/stanch/scanner/printable"
)

// widest is the length of the longest lines of a page of a rule, as of help.
const widest = 100

// NewRules returns the command that lists the rules.
func NewRules(s *cli.Streams) *cobra.Command {
	format := ""
	cmd := &cobra.Command{
		Use:   "rules [ID]",
		Short: "List the rules, or print the page of one",
		Long: `Without ID, list the rules that are built in. With one, print its page: what it
finds, why it matters, what to do, and how it is verified.`,
		Example: `  stanch rules                      # list them
  stanch rules aws-bedrock-api-key  # the page of one
  stanch rules -f json              # all pages, for programs`,
		Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return ruleIDs(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			rules := catalog.Rules()
			if len(args) > 0 {
				r := findRule(rules, args[0])
				if r == nil {
					return fmt.Errorf("no rule %q is built in: the built-in rules are %s", args[0], strings.Join(ruleIDs(), ", "))
				}
				rules = []*detectors.Rule{r}
			}
			switch format {
			case "json":
				return writeRules(s.Stdout, rules)
			case "text":
			default:
				return fmt.Errorf("--format %s: must be text or json", format)
			}
			if len(args) > 0 {
				page := rules[0].Title + " (" + rules[0].ID + ")\n\n" + rules[0].Help + "\n"
				return write(s.Stdout, wrapped(page, cli.Width(s.Stdout)))
			}
			return write(s.Stdout, listRules(rules))
		},
	}
	cmd.Flags().StringVarP(&format, "format", "f", "text", "write this `FORMAT`: text, or json (one object a line)")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// wrapped breaks the paragraphs of text between words for a terminal of so many columns. At 0
// columns, text is for a program and stays as it is.
func wrapped(text string, columns int) string {
	if columns == 0 {
		return text
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		for _, row := range printable.Wrap(strings.TrimSuffix(line, "\n"), min(columns, widest)) {
			b.WriteString(row + "\n")
		}
	}
	return b.String()
}

func ruleIDs() []string {
	var ids []string
	for _, r := range catalog.Rules() {
		ids = append(ids, r.ID)
	}
	return ids
}

// findRule returns the rule with the id, or nil.
func findRule(rules []*detectors.Rule, id string) *detectors.Rule {
	for _, r := range rules {
		if r.ID == id {
			return r
		}
	}
	return nil
}

func listRules(rules []*detectors.Rule) string {
	width := 0
	for _, r := range rules {
		width = max(width, len(r.ID))
	}
	var b strings.Builder
	for _, r := range rules {
		fmt.Fprintf(&b, "%-*s  %s\n", width, r.ID, r.Title)
	}
	return b.String()
}

// writeRules writes a JSON object a line: id, title and help, which is Markdown.
func writeRules(w io.Writer, rules []*detectors.Rule) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for _, r := range rules {
		if err := enc.Encode(struct {
			ID    string `json:"id"`
			Title string `json:"title"`
			Help  string `json:"help"`
		}{r.ID, r.Title, r.Help}); err != nil {
			return cli.Failed(fmt.Errorf("writing the rules: %w", err))
		}
	}
	return nil
}

func write(w io.Writer, text string) error {
	if _, err := io.WriteString(w, text); err != nil {
		return cli.Failed(fmt.Errorf("writing the rules: %w", err))
	}
	return nil
}
