package guess

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// flagInstead is a table of flags of other tools, each with advice on what to type. It returns ""
// for a flag that is not in it.
func flagInstead(cmd *cobra.Command, name string) string {
	command, name := cmd.CommandPath(), strings.ReplaceAll(name, "_", "-") // as trufflehog takes them
	for _, table := range tablesFor(cmd) {
		if say := table(name); say != "" && suits(cmd, say) {
			return say
		}
	}
	if !cmd.HasParent() { // "stanch --no-verify", "stanch --scan"
		if say := ofGitSecrets(name); say != "" {
			return say
		}
		if with := commandsWith(cmd, name); len(with) > 0 {
			command := with[0]
			if slices.Contains(with, "stanch git") {
				command = "stanch git"
			}
			return fmt.Sprintf("the command comes first, as in \"%s %s\"", command, typed(name))
		}
		return ""
	}
	if name == "quiet" || name == "q" {
		return "leave it out: this command writes its result alone"
	}
	if name == "verify" || name == "no-verify" {
		if command == "stanch verify" || command == "stanch assess" || strings.HasPrefix(command, "stanch respond") {
			return "this command asks AWS, or it has nothing to do"
		}
		return fmt.Sprintf("%q never asks AWS: leave it out", command)
	}
	return ""
}

// tablesFor returns the tables that fit cmd: a flag of a scan means another thing, or none, for a
// command that is not one.
func tablesFor(cmd *cobra.Command) []func(string) string {
	tables := []func(string) string{ofReports, ofSources, ofRules, ofAsking, needless}
	switch command := cmd.CommandPath(); {
	case command == "stanch hook install":
		return []func(string) string{ofInstalling}
	case command == "stanch hook run":
		return append([]func(string) string{ofHooks}, append(tables, ofRanges)...)
	case command == "stanch init":
		return append(tables, ofStarting)
	case command == "stanch allow":
		return append(tables, ofEntries)
	case strings.HasPrefix(command, "stanch respond"):
		return append(tables, ofResponses)
	case !cmd.HasParent() || cmd.Flags().Lookup("verify") != nil: // a scan
		return append(tables, ofRanges)
	}
	return tables
}

// likeParts is flagInstead for the words that a flag is made of: "aws-profile" is like the flag
// "profile", and "skip-dirs" like "skip" of another tool.
func likeParts(cmd *cobra.Command, name string) string {
	parts := strings.FieldsFunc(name, func(r rune) bool { return r == '-' || r == '_' })
	for _, part := range parts {
		if f := cmd.Flags().Lookup(part); f != nil && !f.Hidden {
			return "did you mean --" + part + "?"
		}
	}
	for _, part := range parts {
		if len(part) < 3 {
			continue
		}
		for _, table := range []func(string) string{ofReports, ofRules} {
			if say := table(part); say != "" && suits(cmd, say) {
				return say
			}
		}
	}
	return ""
}

// suits reports whether cmd has the flags that say names, apart from those of commands in quotes.
func suits(cmd *cobra.Command, say string) bool {
	for i, part := range strings.Split(say, `"`) {
		if i%2 == 1 || !cmd.HasParent() {
			continue
		}
		for _, word := range strings.Fields(part) {
			word = strings.TrimRight(word, ",;:")
			long, ok := strings.CutPrefix(word, "--")
			if ok && cmd.Flags().Lookup(long) == nil || !ok && len(word) == 2 && word[0] == '-' && cmd.Flags().ShorthandLookup(word[1:]) == nil {
				return false
			}
		}
	}
	return true
}

// ofHooks is for flags by which other tools do the work of "stanch hook run".
func ofHooks(name string) string {
	switch name {
	case "staged", "pre-commit", "cached", "pre_commit":
		return `leave it out: "stanch hook run" scans what is staged`
	case "verify":
		return `a hook asks nobody: a commit would wait for AWS, and work offline would end. "stanch dir --verify PATH" asks`
	case "scan", "recursive":
		return "leave it out"
	case "format", "f", "output", "o", "json", "sarif", "report-path", "r":
		return `a hook writes text for people: "stanch ci" and "stanch dir" write reports`
	case "fail-on", "exit-code", "min-confidence":
		return `each leak refuses a commit; a finding that may stay is allowed by "stanch:allow REASON" in its line`
	}
	return ""
}

// ofInstalling is for "stanch hook install": the flags of scans are not its own.
func ofInstalling(name string) string {
	switch name {
	case "f", "force", "overwrite":
		return "leave it out: the hooks that are there are kept, and still run"
	case "t", "type", "hook-type", "hook", "pre-commit", "pre-push":
		return "--stage HOOK installs one hook"
	case "g", "m", "mode", "system", "local":
		return "without a flag, the hooks are of this repository; --global is for all repositories of this user"
	}
	return ""
}

func ofReports(name string) string {
	switch name {
	case "report-path", "report", "r", "out-file", "outfile", "output-file", "out", "save", "report-file":
		return "-o FILE writes the report to a file"
	case "report-format", "output-format":
		return "-f FORMAT chooses text, json, sarif, junit, markdown, github or html"
	case "report-template", "template", "csv":
		return "-f json is for other formats: jq makes them of it"
	case "json", "j", "jsonl", "json-legacy":
		return "-f json writes JSON, an object a line"
	case "sarif", "html", "junit", "markdown", "github-actions", "text":
		return "-f " + strings.TrimSuffix(name, "-actions") + " chooses that format"
	case "redact", "redacted":
		return "leave it out: secrets are never printed, unless --show-secrets is given"
	case "no-redact", "show-raw", "raw", "reveal", "unredacted":
		return "--show-secrets prints secrets"
	case "exit-code", "exit-zero", "no-fail", "no-error", "soft-fail", "fail", "fail-on-found":
		return "leaks exit with 1, and --fail-on any, unknown, live or never says which"
	case "no-color", "no-colour", "color", "colour", "nocolor":
		return "colours are for terminals only; the variable NO_COLOR=1 turns them off"
	case "log-level", "log", "log-format", "log-file", "loglevel", "l", "trace", "verbosity":
		return "--debug logs what is done, -v lists every place, -q leaves the notes out"
	case "silent", "s-quiet", "no-progress", "progress":
		return "-q leaves out progress and notes"
	case "only-verified", "results", "filter-unverified", "validation-filter", "validation-status", "only-valid", "verified-only", "only-live", "only-active":
		return "reports list all findings, and --fail-on live counts live keys only"
	case "minimum-severity", "severity":
		return "--fail-on live counts live keys only, and --min-confidence high leaves out less certain findings"
	case "confidence":
		return "--min-confidence high, medium or low"
	case "version", "V":
		return `"stanch --version" prints the version`
	case "view-report", "view", "web":
		return "-f html -o leaks.html makes a page"
	}
	return ""
}

func ofSources(name string) string {
	switch name {
	case "source", "s", "path", "p", "dir", "directory", "repo-path":
		return `the path is an argument: "stanch git PATH" scans a repository, "stanch dir PATH" files`
	case "no-git":
		return `"stanch dir PATH" scans files, without git`
	case "pipe", "stdin", "string":
		return `"stanch stdin" scans standard input`
	case "recursive", "all-files", "include-untracked", "untracked":
		return `"stanch dir PATH" scans all files of a folder`
	case "follow-symlinks":
		return `links below a PATH are not followed: name their targets as paths of "stanch dir"`
	case "org", "repo", "repos", "user", "github-org", "github-user", "github-organization", "repository", "all-github-organizations", "include-members", "include-repos", "group":
		return `owners and repositories are arguments: "stanch github OWNER" or "stanch github OWNER/REPO"`
	case "exclude-repos", "exclude-repo", "github-exclude", "ignore-repos":
		return `"stanch github OWNER --skip PATTERN" leaves repositories out`
	case "token", "github-token", "access-token", "pat":
		return `GITHUB_TOKEN, "gh auth login" or "stanch github --token-file FILE" give the token`
	case "endpoint", "github-api-url", "base-url":
		return `"stanch github --api-url URL" is for GitHub Enterprise Server`
	case "include-forks", "exclude-forks", "include-wikis", "github-repo-type", "ignore-forks":
		return `"stanch github" scans wikis, and forks with --forks`
	case "issue-comments", "pr-comments", "gist-comments", "repo-artifacts":
		return `"stanch github --include issues,pulls,discussions,releases,actions,gists" scans what is beside repositories`
	case "private", "public", "internal":
		return "--visibility " + name + " scans only such repositories"
	case "image", "docker-image", "docker":
		return `"docker save IMAGE | stanch stdin" scans an image`
	case "bucket", "s3-bucket", "gcs-bucket":
		return `"aws s3 cp s3://BUCKET/KEY - | stanch stdin" scans an object`
	}
	return ""
}

func ofRanges(name string) string {
	switch name {
	case "log-opts", "since-commit", "since", "commit-range", "commits", "diff", "from", "since-time", "new-commits":
		return `"stanch ci --base COMMIT --head HEAD" scans the commits of a range`
	case "branch", "branches", "head", "all", "all-branches", "mirror":
		return `"stanch git" scans all branches, and "stanch ci --base COMMIT --head BRANCH" the commits of one`
	case "base":
		return `"stanch ci --base COMMIT" scans the commits after it`
	case "max-depth", "max-commits", "commit-history", "git-history", "depth", "max-count":
		return `"stanch git" scans the whole history, with --since-state FILE only new objects; "stanch ci --base COMMIT" scans a range`
	case "staged", "pre-commit", "cached", "uncommitted":
		return `"stanch hook run" scans what is staged`
	}
	return ""
}

func ofRules(name string) string {
	switch name {
	case "c", "config-path", "config-file", "rules-path":
		return "--config FILE reads rules and allowlists from a file"
	case "b", "baseline-path", "baseline-file":
		return "--baseline FILE ignores the findings that a file lists"
	case "manage-baseline", "update-baseline", "create-baseline", "update":
		return `"stanch baseline" lists the leaks that are known`
	case "gitleaks-ignore-path", "ignore-path", "i", "skip-file", "allowlist", "ignore-file":
		return `a .gitleaksignore in the root of the project counts by itself, and "stanch migrate FILE" converts another`
	case "enable-rule", "rule", "rules", "disable-rule", "include-detectors", "exclude-detectors", "detectors", "only-rules", "load-builtins", "disable-plugin", "banlist-detector", "ignore-rule", "force-use-all-plugins", "filter", "rule-stats":
		return `all rules count ("stanch rules" lists them), and an [[allow]] entry of .stanch.toml with "rules" leaves one out`
	case "exclude-paths", "x", "exclude", "exclude-globs", "exclude-files", "include-paths", "include", "only-files", "skip", "ignore", "ignored-path", "exclude-lines", "exclude-secrets", "skip-word", "skip-regex", "word-list", "ignore-known-secrets":
		return `an [[allow]] entry of .stanch.toml with "paths" hides places (https://github.com/stanch-dev/stanch/blob/main/docs/configuration.md)`
	case "no-ignore", "ignore-gitleaks-allow", "skip-ignores", "no-inline-ignore", "no-ignore-if-contains", "all-secrets", "only-allowlisted":
		return "--no-ignores reads no ignore file and honours no allow comment"
	case "entropy", "regex", "filter-entropy", "min-entropy", "base64-limit", "hex-limit", "entropy-threshold":
		return `AWS keys are not found by entropy; a rule of your own in .stanch.toml may have an "entropy"`
	}
	return ""
}

func ofAsking(name string) string {
	switch name {
	case "no-verification", "no-validate", "no-validation", "skip-validation", "skip-verification", "n", "offline":
		return "--no-verify sends nothing to AWS"
	case "verification", "validate", "validation", "check-validity":
		return "--verify asks AWS which keys are live"
	case "access-map", "blast-radius", "analyze":
		return "--assess says how dangerous live keys are"
	case "revoke", "rotate", "disable", "kill":
		return "\"stanch git --deactivate\" shuts off what is live, and \"stanch respond plan REPORT\" plans it"
	case "verifier":
		return `AWS alone is asked, at its own host (https://github.com/stanch-dev/stanch/blob/main/docs/network.md); --no-verify sends nothing`
	case "region", "regions":
		return "leave it out: a key belongs to an account, and to no region"
	case "skip-aws-account", "skip-aws-account-file":
		return "--canary-accounts FILE names accounts whose keys are never used"
	case "alert-webhook", "webhook", "slack", "alert-format", "alert-on":
		return `a job is told by exit code 1; "stanch respond apply PLAN --notify webhook:URL" tells how a key was shut off`
	}
	return ""
}

func ofResponses(name string) string {
	switch name {
	case "dry-run", "check":
		return `"stanch respond plan" changes nothing`
	case "y", "force", "f", "auto-approve", "no-confirm", "assume-yes":
		return "--yes --plan HASH applies a plan without a question"
	}
	return ""
}

// ofEntries is for "stanch allow".
func ofEntries(name string) string {
	switch name {
	case "m", "message", "comment", "note", "why", "justification":
		return "--reason TEXT says why"
	case "expires", "expiry", "expire", "expiration", "ttl", "days":
		return "--until DAY is the last day of the entry"
	case "l", "list", "show":
		return `"stanch git -v" lists the ignored findings, with the reason`
	case "remove", "delete", "rm", "undo", "d":
		return "take the entry out of .stanch.toml"
	}
	return ""
}

// ofStarting is for "stanch init".
func ofStarting(name string) string {
	switch name {
	case "f", "force", "overwrite":
		return `"stanch init" replaces no file: move .stanch.toml away first`
	}
	return ""
}

// needless is for flags that switch on something that stanch always does, or never.
func needless(name string) string {
	switch name {
	case "no-banner", "no-update", "no-update-check", "no-check-update", "no-telemetry", "no-auto-update", "self-update":
		return "leave it out: stanch prints no banner, and updates nothing"
	case "max-target-megabytes", "max-file-size", "max-filesize", "archive-max-size", "max-archive-size":
		return "--max-size MIB bounds archives and packed objects; texts of any size are read"
	case "max-decode-depth", "decode-depth", "max-archive-depth", "archive-max-depth", "extract-archives", "no-extract-archives", "decode", "no-base64", "turbo", "no-dedup", "commit-metadata", "match-context":
		return "leave it out: archives and encodings are always read"
	case "timeout", "archive-timeout", "git-clone-timeout", "git-repo-timeout", "validation-timeout":
		return "leave it out: Ctrl-C ends a scan, and the report has what was found"
	case "concurrency", "jobs", "threads", "workers", "parallel", "num-jobs", "cores", "num-workers", "disk-offload", "validation-workers", "validation-rps", "validation-rps-rule":
		return "leave it out: all cores are used (GOMAXPROCS=N limits them)"
	case "git-clone-dir", "clone-path", "clone-dir", "git-clone", "bare", "keep-clones", "trust-local-git-config", "no-cleanup":
		return "leave it out: a URL is cloned to a temporary folder, which is removed (TMPDIR names another)"
	case "instance", "source-uuid", "with-incident-details", "api-key", "allow-self-signed", "insecure":
		return "leave it out: stanch needs no server"
	case "platform", "diagnostics", "diagnostics-dir", "experiments", "profile", "legacy-print", "profile-cpu", "print-avg-detector-time":
		return "leave it out: --debug logs what is done"
	}
	return ""
}

// ofGitSecrets is for tools whose commands are flags.
func ofGitSecrets(name string) string {
	switch name {
	case "scan", "scan-history", "scan_history":
		return `"stanch git" scans the history of a repository, "stanch dir PATH" files`
	case "install":
		return `"stanch hook install" installs the hooks`
	case "register-aws", "aws-provider", "list":
		return `stanch knows the keys of AWS: "stanch rules" lists what it finds`
	case "add", "add-provider", "allowed", "a":
		return `rules and [[allow]] entries stand in .stanch.toml (https://github.com/stanch-dev/stanch/blob/main/docs/configuration.md)`
	}
	return ""
}
