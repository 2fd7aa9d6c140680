package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/guess"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// guesses are commands as people type them who know gitleaks, trufflehog, ggshield, kingfisher,
// betterleaks, detect-secrets or git-secrets. A guess either runs as another command, or is
// an error that says what to type.
var guesses = []struct{ typed, runs, says string }{
	// Commands that mean the same, in a repository.
	{".", "git .", ""},
	{"scan", "git .", ""},
	{"scan .", "git .", ""},
	{"scan . -f json", "git . -f json", ""},
	{"scan -v", "git . -v", ""},
	{"scan -f json sub", "dir sub -f json", ""},
	{"scan -o key.txt", "git . -o key.txt", ""},
	{"scan --format=json -q sub -v", "dir sub --format=json -q -v", ""},
	{"scan none", "", `no file or folder "none"`},
	{"scan github acme", "", `"stanch github" is the command`},
	{"scan repo .", "", `"stanch git" scans the history`},
	{"scan staged", "", `"stanch hook run"`},
	{"detect git .", "", `leave "detect" out`},
	{"scan sub", "dir sub", ""},
	{"scan key.txt", "dir key.txt", ""},
	{"scan ../plain", "dir ../plain", ""},
	{"detect", "git --no-verify .", ""},
	{"detect -v", "git --no-verify . -v", ""},
	{"detect --verify", "git . --verify", ""},
	{"detect sub", "dir sub", ""},
	{"key.txt", "dir key.txt", ""},
	{"sub", "dir sub", ""},
	{"./sub", "dir ./sub", ""},
	{"sub --verify", "dir sub --verify", ""},
	{"../plain", "dir ../plain", ""},
	{"../bare.git", "git ../bare.git", ""},
	{"../plain/inner", "git ../plain/inner", ""},
	{"config", "dir config", ""}, // there is such a folder
	{"https://github.com/acme/app", "git https://github.com/acme/app", ""},
	{"https://github.com/acme", "github acme", ""},
	{"https://github.com/orgs/acme", "github acme", ""},
	{"http://github.com/acme", "github acme", ""},
	{"github.com/acme", "github acme", ""},
	{"www.github.com/acme/app", "git https://github.com/acme/app", ""},
	{"scan https://github.com/acme/", "github acme", ""},
	{"https://gitlab.example/acme", "git https://gitlab.example/acme", ""},
	{"git@github.com:acme/app.git", "git git@github.com:acme/app.git", ""},
	{"ssh://git@github.com/acme/app", "git ssh://git@github.com/acme/app", ""},
	{"file://repo", "git file://repo", ""},
	{"scan https://u:hidden@git.example/app", "git https://u:hidden@git.example/app", ""},
	{"filesystem .", "dir .", ""},
	{"filesystem", "dir", ""},
	{"protect", "hook run", ""},
	{"protect -v", "hook run -v", ""},
	{"-", "stdin", ""},

	// Other words of gitleaks.
	{"detect --no-git", "dir .", ""},
	{"detect --no-git --source ../plain/inner -v", "dir ../plain/inner -v", ""},
	{"detect --no-git https://github.com/acme/app", "", `"stanch dir PATH" scans files`},
	{"git --no-git", "", `"stanch dir PATH" scans files`},
	{"detect -s .", "git --no-verify .", ""},
	{"detect --source . -v", "git --no-verify . -v", ""},
	{"detect -f json --source=sub", "dir sub -f json", ""},
	{"detect --source none", "", `no file or folder "none"`},
	{"detect --source", "", "the path is an argument"},
	{"scan --source sub", "dir sub", ""},
	{"detect --log-opts=--all", "", "stanch ci --base COMMIT --head HEAD"},
	{"detect --report-path leaks.json", "", "-o FILE"},
	{"protect --staged", "hook run", ""},
	{"protect -v --staged", "hook run -v", ""},
	{"protect --staged --source .", "", "the path is an argument"},
	{"git --staged", "", `"stanch hook run"`},
	{"git --pre-commit", "", `"stanch hook run"`},
	{"git -r leaks.json", "", "-o FILE"},
	{"git --report-path leaks.json", "", "-o FILE"},
	{"git --report-format json", "", "-f FORMAT"},
	{"git --report-template t", "", "-f json"},
	{"git -c x.toml", "", "--config FILE"},
	{"git -b base.json", "", "--baseline FILE"},
	{"git --baseline-path base.json", "", "--baseline FILE"},
	{"git --redact", "", "secrets are never printed"},
	{"git --redact=20", "", "secrets are never printed"},
	{"git --exit-code 3", "", "--fail-on"},
	{"git --no-banner", "", "leave it out"},
	{"git --no-color", "", "NO_COLOR=1"},
	{"git -l debug", "", "--debug"},
	{"git --log-level debug", "", "--debug"},
	{"git --max-target-megabytes 5", "", "--max-size MIB"},
	{"git --max-decode-depth 3", "", "always read"},
	{"git --max-archive-depth 3", "", "always read"},
	{"git --timeout 30", "", "Ctrl-C"},
	{"git --enable-rule aws", "", "stanch rules"},
	{"git --gitleaks-ignore-path x", "", ".gitleaksignore"},
	{"git -i x", "", ".gitleaksignore"},
	{"git --ignore-gitleaks-allow", "", "--no-ignores"},
	{"git --platform github", "", "leave it out"},
	{"git -log-opts x", "", "stanch ci --base"},
	{"git -format json", "", "type --format"},
	{"dir -output=x.json .", "", "type --output"},
	{"dir https://u:hidden@github.com/acme/app", "", `"stanch git URL"`},
	{"dir --follow-symlinks .", "", "links below a PATH"},
	{"stdin file.txt", "", `"stanch dir PATH"`},

	// trufflehog.
	{"git --only-verified", "", "--fail-on live"},
	{"git --results=verified", "", "--fail-on live"},
	{"git --no-verification", "", "--no-verify"},
	{"git --json", "", "-f json"},
	{"git -j", "", "-f json"},
	{"git --fail", "", "--fail-on"},
	{"git --since-commit HEAD~1", "", "stanch ci --base COMMIT"},
	{"git --branch main", "", "all branches"},
	{"git --max-depth 50", "", "--since-state FILE"},
	{"git --no-update", "", "leave it out"},
	{"git --concurrency 4", "", "leave it out"},
	{"git -x paths.txt", "", "[[allow]]"},
	{"git --exclude-paths paths.txt", "", "[[allow]]"},
	{"git --include-paths paths.txt", "", "[[allow]]"},
	{"git --include-detectors aws", "", "stanch rules"},
	{"git --bare", "", "leave it out"},
	{"git --only_verified", "", "--fail-on live"},
	{"git --filter-entropy 3", "", "entropy"},
	{"git --json-legacy", "", "-f json"},
	{"git --github-actions", "", "-f github"},
	{"github --org acme", "", `"stanch github OWNER"`},
	{"github --repo https://github.com/acme/app", "", `"stanch github OWNER/REPO"`},
	{"github --token x", "", "--token-file FILE"},
	{"github --endpoint https://ghe.example", "", "--api-url URL"},
	{"github --include-forks acme", "", "--forks"},
	{"github --issue-comments acme", "", "--include issues"},
	{"github", "", `type "stanch github ORG`},
	{"filesystem --directory . --no-verify", "dir . --no-verify", ""},
	{"filesystem --directory=sub", "dir sub", ""},
	{"gitlab --token x", "", `"stanch git URL"`},
	{"docker --image nginx", "", "docker save IMAGE | stanch stdin"},
	{"image nginx", "", "docker save IMAGE | stanch stdin"},
	{"s3 --bucket b", "", "aws s3 cp"},
	{"analyze", "", "stanch assess"},

	// As other commands have them.
	{"allow --list", "", `"stanch git -v" lists the ignored`},
	{"allow --remove x", "", "take the entry out"},
	{"init --force", "", "move .stanch.toml away"},
	{"git --region us-east-1", "", "to no region"},

	// ggshield.
	{"secret scan repo .", "", `"stanch git"`},
	{"secret scan path .", "", `"stanch dir PATH"`},
	{"secret scan pre-commit", "", `"stanch hook install"`},
	{"secret scan ci", "", `"stanch ci"`},
	{"secret scan docker nginx", "", "docker save"},
	{"secret ignore --last-found", "", "stanch:allow REASON"},
	{"secret", "", `"stanch git"`},
	{"auth login", "", "needs no account"},
	{"login", "", "needs no account"},
	{"install -m local", "", `"stanch hook install"`},
	{"quota", "", "stanch git"},
	{"dir --recursive .", "", `"stanch dir PATH"`},
	{"git --exit-zero", "", "--fail-on"},
	{"git --show-raw", "", "--show-secrets"},
	{"git --instance https://x.example", "", "needs no server"},

	// kingfisher and betterleaks.
	{"git --git-clone-dir /tmp", "", "temporary folder"},
	{"git --git-history none", "", "--since-state"},
	{"git --manage-baseline", "", `"stanch baseline"`},
	{"git --baseline-file b", "", "--baseline FILE"},
	{"git --confidence high", "", "--min-confidence"},
	{"git --only-valid", "", "--fail-on live"},
	{"git --no-validate", "", "--no-verify"},
	{"git --validate", "", "--verify"},
	{"git --access-map", "", "--assess"},
	{"git --blast-radius", "", "--assess"},
	{"git --alert-webhook https://x.example", "", "stanch respond apply PLAN --notify"},
	{"git --skip-aws-account 123456789012", "", "--canary-accounts FILE"},
	{"git --no-dedup", "", "leave it out"},
	{"git --jobs 2", "", "leave it out"},
	{"git --max-file-size 10", "", "--max-size"},
	{"git --view-report", "", "-f html"},
	{"revoke", "", `"stanch respond plan REPORT"`},
	{"view report.json", "", "stanch report -f html"},
	{"validate", "", `"stanch verify REPORT"`},
	{"self-update", "", "docs/install.md"},

	// detect-secrets and git-secrets.
	{"--scan", "", `"stanch git"`},
	{"--scan-history", "", `"stanch git"`},
	{"--install", "", `"stanch hook install"`},
	{"--register-aws", "", `"stanch rules"`},
	{"scan --string x", "", `"stanch stdin"`},
	{"scan --exclude-lines x", "", "[[allow]]"},
	{"--add x", "", ".stanch.toml"},
	{"audit .secrets.baseline", "", `"stanch git"`},
	{"scan --all-files", "", `"stanch dir PATH"`},
	{"scan --exclude-files x", "", "[[allow]]"},

	// Words that anybody tries.
	{"doctor", "", `"stanch hook status"`},
	{"update", "", "docs/install.md"},
	{"upgrade", "", "docs/install.md"},
	{"ignore", "", "stanch:allow REASON"},
	{"uninstall", "", `"stanch hook uninstall"`},
	{"uninstall", "", "docs/install.md#uninstall"},
	{"install-hook", "", `"stanch hook install"`},
	{"dir -", "", `"stanch stdin"`},
	{"dir sub -", "", `"stanch stdin"`},
	{"serve", "", `"stanch sweep"`},
	{"org acme", "", `"stanch github ORG"`},
	{"plan report.json", "", `"stanch respond plan REPORT"`},
	{"run", "", `"stanch hook run"`},
	{"pr", "", `"stanch ci"`},
	{"help scan", "", `"stanch git"`},
	{"help frobnicate", "", `"stanch git"`},
	{"frobnicate --help", "", `"stanch" has no command "frobnicate"`},
	{"help hook frobnicate", "", `"stanch hook" has no command "frobnicate"`},
	{"hook frobnicate --help", "", `"stanch hook" has no command "frobnicate"`},
	{"completion sh", "", `"stanch completion" has no command "sh"`},
	{"completions zsh", "", `did you mean "stanch completion"?`},
	{"acme/app", "", `"stanch github acme/app"`},
	{"git.example/acme/app", "", `"stanch git https://git.example/acme/app"`},
	{"arn:aws:iam::111122223333:user/ada", "", `"stanch assess KEY-ID"`},
	{"./none", "", `no file or folder "./none"`},
	{"git --sarif", "", "-f sarif"},
	{"git --html", "", "-f html"},
	{"git --quiet=maybe", "", "neither true nor false"},
	{"report --json x", "", "-f json"},
	{"rules -q", "", "leave it out"},
	{"baseline --verify", "", "never asks AWS"},
	{"verify --no-verify", "", "it has nothing to do"},
	{"hook run --verify", "", "a hook asks nobody"},
	{"hook run --json", "", "stanch dir"},
	{"respond plan --dry-run", "", "changes nothing"},
	{"respond apply -y plan.json", "", "--yes --plan HASH"},
	{"allow --expires 2027-01-31 x", "", "--until DAY"},
	{"allow -m made-up x", "", "--reason TEXT"},
	{"git --skip-dirs node_modules", "", "[[allow]]"},
	{"ci --sarif-output x", "", "did you mean --sarif?"},
	{"git --sarif-output x", "", "did you mean --output?"},
	{"verify --aws-profile x", "", "did you mean --profile?"},
	{"github --private acme", "", "--visibility private"},
	{"hook install --force", "", "leave it out"},
	{"hook install -t pre-push", "", "--stage HOOK"},
	{"git --all", "", "all branches"},
	{"-V", "", `"stanch --version"`},
	{"--no-verify", "", `"stanch git --no-verify"`},
	{"git --notify securityhub", "", "--notify does nothing without --deactivate"},
	{"git --yes --deactivate=false", "", "--yes does nothing without --deactivate"},
	{"git --profile prod", "", "--profile does nothing without --assess or --deactivate"},
	{"dir --role audit .", "", "--role does nothing without --assess"},
	{"verify --profile prod x", "", "--profile does nothing without --iam"},
	{"--staged", "", `"stanch hook run"`},
	{"--format json", "", `"stanch git --format"`},

	// Words that are spelled like stanch's own.
	{"gti", "", `did you mean "stanch git"?`},
	{"gihub acme", "", `did you mean "stanch github"?`},
	{"instal", "", `did you mean "stanch hook install"?`},
	{"runn", "", `did you mean "stanch hook run`},
	{"repport", "", `did you mean "stanch report"?`},
	{"hook instal", "", `did you mean "stanch hook install"?`},
	{"hook frobnicate", "", `it has "assistant", "install", "run", "status", "uninstall"`},
	{"respond aply", "", `did you mean "stanch respond apply"?`},
	{"git --formt json", "", "did you mean --format?"},
	{"git --no-verfy", "", "did you mean --no-verify?"},
	{"git --outptu x", "", "did you mean --output?"},
	{"dir --since-state x", "", `but "stanch git" has`},
	{"git --frobnicate", "", "stanch git --help"},
	{"git -Z", "", "stanch git --help"},
	{"frobnicate", "", `"stanch git"`},

	// A word is missing, or there is one too many.
	{"git a b", "", `takes one argument, and these are 2 ("a", "b")`},
	{"completion bash now", "", `leave "now" out`},
	{"version now", "", `leave "now" out`},
	{"respond apply", "", `type "stanch respond apply PLAN"`},
	{"git -f", "", "-f needs a value after it: --format FORMAT"},
	{"git --max-size", "", "--max-size NUMBER"},
	{"git --max-size huge", "", "not a whole number"},
	{"git ---format", "", "is no flag"},
}

// inGuessed makes the folders that guesses name, and goes to a repository among them.
func inGuessed(t *testing.T) {
	t.Helper()
	scannertest.Need(t, "git", "sh")
	dir := scannertest.Repo(t, "mkdir sub config; echo a >key.txt; cp key.txt sub; git add .; git commit -qm first")
	above := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "sh", "-c",
		`mv "$1" "$2/repo" && cd "$2" && mkdir -p plain/inner && git init -q plain/inner && git init -q --bare bare.git`, "sh", dir, above).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Chdir(filepath.Join(above, "repo"))
}

func TestGuesses(t *testing.T) {
	inGuessed(t)
	if len(guesses) < 91 {
		t.Errorf("%d guesses", len(guesses))
	}
	for _, tt := range guesses {
		t.Run(tt.typed, func(t *testing.T) {
			args := strings.Fields(tt.typed)
			var out, errs bytes.Buffer
			if tt.runs != "" {
				s := &cli.Streams{Stdin: &out, Stdout: &out, Stderr: &errs}
				root := newRoot(s, args)
				got, err := guess.Command(root, args, &errs)
				if err != nil || strings.Join(got, " ") != tt.runs {
					t.Fatalf("it runs %q, want %q: %v", got, tt.runs, err)
				}
				if !slices.Contains(args, "-q") && !strings.HasPrefix(errs.String(), "stanch: running: stanch "+strings.Fields(tt.runs)[0]) ||
					strings.Contains(errs.String(), "hidden") {
					t.Errorf("it says %q", errs.String())
				}
				cmd, rest, err := root.Find(got)
				if err != nil || cmd.ParseFlags(rest) != nil {
					t.Errorf("%q does not run: %v", got, err)
				}
				return
			}
			code := cli.ExitCode(&errs, run(t.Context(), args, &out, &out, &errs))
			if code != cli.ExitUsage || !strings.Contains(errs.String(), tt.says) {
				t.Errorf("exit code %d, want %q:\n%s", code, tt.says, &errs)
			}
			checkHint(t, errs.String())
		})
	}
}

// TestHelpIsFound: each way to ask for help works.
func TestHelpIsFound(t *testing.T) {
	for typed, want := range map[string]string{
		"": "Guard", "help": "Guard", "--help": "Guard", "-h": "Guard", "help git": "stanch git [PATH|URL]", "git --help": "stanch git [PATH|URL]",
		"help hook": "stanch hook COMMAND", "hook": "stanch hook COMMAND", "help hook run": "stanch hook run [FILE...]", "help help": "stanch help", "completion": "stanch completion COMMAND",
	} {
		if out := printed(t, cli.ExitClean, "", strings.Fields(typed)...); !strings.Contains(out, want) {
			t.Errorf("stanch %s: %q is missing:\n%s", typed, want, out)
		}
	}
}

// TestNoWrongHint: a flag of scans is not explained to commands for which it would mean another
// thing.
func TestNoWrongHint(t *testing.T) {
	for typed, hint := range map[string]string{
		"migrate --from gitleaks": "stanch ci",
		"respond log --since x":   "stanch ci",
		"hook install --dry-run":  "stanch respond",
		"ci --dry-run":            "stanch respond",
	} {
		var errs bytes.Buffer
		if code := cli.ExitCode(&errs, run(t.Context(), strings.Fields(typed), &errs, &errs, &errs)); code != cli.ExitUsage || strings.Contains(errs.String(), hint) {
			t.Errorf("stanch %s: exit code %d:\n%s", typed, code, &errs)
		}
	}
}

// checkHint holds that an error about usage points to help, and names only commands and
// flags that exist.
func checkHint(t *testing.T, says string) {
	t.Helper()
	if regexp.MustCompile("unknown (command|flag|shorthand)").MatchString(says) || !regexp.MustCompile(`\nRun 'stanch[a-z ]* --help' for usage\.\n$`).MatchString(says) {
		t.Errorf("it does not point to help:\n%s", says)
	}
	says = strings.Join(strings.Split(says, `" has no `)[1:], "") + says[:strings.LastIndex(says, "Run '")]
	root := newRoot(&cli.Streams{}, nil)
	for _, quoted := range regexp.MustCompile(`"(?:[a-z0-9: /A-Z]+ - \| |docker save IMAGE \| )?stanch( [^"]+)"`).FindAllStringSubmatch(says, -1) {
		words := strings.Fields(quoted[1])
		if strings.HasPrefix(words[0], "--") { // "stanch --help"
			continue
		}
		cmd, rest, err := root.Find(words)
		if err != nil || cmd == root {
			t.Errorf("it names %q, which does not exist:\n%s", quoted[0], says)
			continue
		}
		if cmd.Name() == "sweep" || strings.Contains(says, `has no flag `+rest0(rest)) { // sweeps are in builds with a tag
			continue
		}
		if cmd.HasSubCommands() && len(rest) > 0 && rest[0] != "--help" {
			t.Errorf("it names %q, which does not exist:\n%s", quoted[0], says)
		}
		for _, word := range rest {
			if name, ok := strings.CutPrefix(word, "--"); ok && name != "help" && cmd.Flags().Lookup(name) == nil {
				t.Errorf("it names %q, which has no flag --%s:\n%s", quoted[0], name, says)
			}
		}
	}
}

func rest0(rest []string) string {
	if len(rest) == 0 {
		return "\x00"
	}
	return rest[0]
}

// TestEveryHint tries each word of the tables of guess.
func TestEveryHint(t *testing.T) {
	words, flags := casesOf(t, "words.go"), casesOf(t, "flags.go")
	inGuessed(t)
	if err := os.Remove("config"); err != nil {
		t.Fatal(err)
	}
	if len(words) < 100 || len(flags) < 150 {
		t.Errorf("%d words, %d flags", len(words), len(flags))
	}
	try := func(args ...string) {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			var out, errs bytes.Buffer
			if code := cli.ExitCode(&errs, run(t.Context(), args, &out, &out, &errs)); code != cli.ExitUsage {
				t.Errorf("exit code %d:\n%s", code, &errs)
			}
			checkHint(t, errs.String())
		})
	}
	root := newRoot(&cli.Streams{}, nil)
	for _, word := range words {
		if cmd, _, _ := root.Find([]string{word}); cmd == root && !strings.Contains(" scan detect protect ci ", " "+word+" ") {
			try(word)
		}
	}
	for _, command := range []string{"git", "hook run", "respond plan", "rules"} {
		cmd, _, err := root.Find(strings.Fields(command))
		if err != nil {
			t.Fatal(err)
		}
		for _, flag := range flags {
			dashed := "--" + flag
			known := cmd.Flags().Lookup(flag) != nil
			if len(flag) == 1 {
				dashed, known = "-"+flag, cmd.Flags().ShorthandLookup(flag) != nil
			}
			if !known && !strings.Contains(flag, " ") {
				try(append(strings.Fields(command), dashed)...)
			}
		}
	}
}

// casesOf returns the strings of the cases of a file of guess.
func casesOf(t *testing.T, file string) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join("internal", "guess", file), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var cases []string
	ast.Inspect(parsed, func(n ast.Node) bool {
		if c, ok := n.(*ast.CaseClause); ok {
			for _, e := range c.List {
				if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					s, err := strconv.Unquote(lit.Value)
					if err != nil {
						t.Fatal(err)
					}
					cases = append(cases, s)
				}
			}
		}
		return true
	})
	return cases
}
