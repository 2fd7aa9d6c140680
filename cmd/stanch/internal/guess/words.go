package guess

import (
	"fmt"
	"os"
	"strings"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/scanner/gitsource/transport"
)

// elsewhere returns what to type instead of a command that stanch does not have: one of
// another tool, or a word for a thing that it does. It is "" if the word is not known.
func elsewhere(args []string) string {
	word := args[0]
	if word == "scan" || word == "detect" {
		if source, rest := takeValue(args[1:], "--source", "-s"); source != "" {
			return noPlace(word, source, rest)
		}
		if len(args) > 1 && !strings.HasPrefix(args[1], "-") {
			return noPlace(word, args[1], args[2:])
		}
	}
	if say := instead(word, args[1:]); say != "" {
		return fmt.Sprintf("there is no command %q: %s", word, say)
	}
	isKey := strings.HasPrefix(word, "AKIA") || strings.HasPrefix(word, "ASIA")
	switch {
	case strings.HasPrefix(word, "arn:"):
		return `an ARN is no command: "stanch assess KEY-ID" says whose a key is, and --role takes the ARN of a role`
	case isKey && len(word) == 20: // the id is not repeated: stderr may be a log
		return `a key id is no command: "stanch assess KEY-ID" says whose it is, and "stanch respond plan KEY-ID" how to shut it off`
	case isKey:
		return `this looks like a key, and is no command: "stanch stdin" reads keys from standard input`
	case strings.ContainsAny(word, `/\`) || word == "." || word == "..":
		if _, err := os.Stat(word); err == nil {
			return ""
		}
		return fmt.Sprintf("there is no file or folder %q", word) + cli.OnServer(word)
	}
	return ""
}

// noPlace says that what stands behind "scan" is no place to scan. It may be a kind of place, as in
// "kingfisher scan github" and "ggshield secret scan repo".
func noPlace(word, place string, rest []string) string {
	switch place {
	case "git", "dir", "stdin", "github", "ci":
		return fmt.Sprintf(`"stanch %s" is the command: leave %q out`, place, word)
	}
	say := fmt.Sprintf("there is no file or folder %q to scan", transport.Redact(place))
	if hint := instead(place, rest); hint != "" {
		say += ": " + hint
	}
	return say
}

// instead is a table of words, and of the commands to use for them.
func instead(word string, rest []string) string {
	switch strings.ToLower(word) {
	case "scan", "detect", "check", "search", "find", "audit", "history", "repo", "repository", "local", "secrets":
		return `"stanch git" scans the history of a repository, "stanch dir PATH" files`
	case "secret": // ggshield secret scan repo
		return ofGGShield(rest)
	case "file", "files", "folder", "directory", "path", "fs", "archive", "zip", "tar":
		return `"stanch dir PATH" scans files, folders and archives`
	case "pipe", "text", "input", "syslog":
		return `"stanch stdin" scans standard input`
	case "remote", "url", "clone":
		return `"stanch git URL" clones a repository and scans it`
	case "org", "orgs", "organization", "organisation", "user", "gh", "gist", "gists", "wiki":
		return `"stanch github ORG" scans the repositories of an organization or user; --include gists scans gists too`
	case "gitlab", "bitbucket", "gitea", "azure", "azure-repos", "codecommit", "huggingface":
		return `"stanch git URL" scans a repository of any server`
	case "docker", "image", "container", "docker-archive", "podman":
		return `"docker save IMAGE | stanch stdin" scans an image`
	case "s3", "gcs", "bucket", "blob":
		return `copy the objects to a folder and scan it with "stanch dir FOLDER", or pass one on: "aws s3 cp s3://BUCKET/KEY - | stanch stdin"`
	case "jira", "confluence", "slack", "postman", "jenkins", "elasticsearch", "circleci", "travisci", "pypi", "docset", "multi-scan":
		return `export the texts, and scan them with "stanch dir FOLDER" or "stanch stdin"`
	}
	return doing(strings.ToLower(word))
}

// doing is the part of the table for what is done beside a scan.
func doing(word string) string {
	switch word {
	case "commit", "push", "staged", "protect", "stage", "pre-commit", "pre-push", "pre-receive", "commit-msg", "prepush", "precommit":
		return `"stanch hook install" guards commits and pushes, and "stanch hook run" scans what is staged`
	case "install", "setup", "install-hook", "install-hooks", "installhook", "installhooks", "githook", "githooks", "git-hook", "git-hooks":
		return `"stanch hook install" installs the hooks`
	case "uninstall-hook", "uninstall-hooks", "remove-hook", "remove-hooks":
		return `"stanch hook uninstall" removes the hooks`
	case "uninstall":
		return `"stanch hook uninstall" removes the hooks; to remove all of stanch: https://github.com/stanch-dev/stanch/blob/main/docs/install.md#uninstall`
	case "status", "doctor", "health", "ps":
		return `"stanch hook status" says which hooks run, and "stanch sweep status" how far sweeps are`
	case "pr", "mr", "diff", "range", "commits", "pull-request", "commit-range", "since", "action", "actions":
		return `"stanch ci --base COMMIT --head COMMIT" scans the commits of a range, and "stanch ci" those of a pull request`
	case "revoke", "disable", "deactivate", "rotate", "quarantine", "delete", "kill", "shutoff", "remediate", "fix", "plan", "apply", "undo", "confirm", "log", "now", "policy", "incident":
		return `"stanch respond plan REPORT" plans how to shut leaked keys off, and "stanch respond" lists the other steps`
	case "validate", "validation", "live", "recheck", "test":
		return `scans ask AWS which keys are live, and "stanch verify REPORT" asks again`
	case "analyze", "analyse", "access-map", "blast-radius", "credential", "whoami", "owner", "permissions":
		return `"stanch assess REPORT" says whose the keys are, and what they may do`
	case "ignore", "allowlist", "suppress", "whitelist", "exclude", "skip", "add", "allowed":
		return `"stanch allow FINGERPRINT --reason TEXT" ignores a finding, the comment "stanch:allow REASON" a line, and "stanch baseline" all leaks that are there today`
	case "baseline-update", "create-baseline", "known":
		return `"stanch baseline" lists the leaks that are known, and adds new ones`
	case "config", "configure", "configuration", "settings":
		return `stanch runs without configuration; "stanch init" writes a .stanch.toml for rules and exceptions, and "stanch migrate" makes one from files of other tools`
	case "import", "convert", "export":
		return `"stanch migrate" reads the files of other tools, and "stanch report -f FORMAT REPORT" converts a saved report`
	case "rule", "list-rules", "explain", "describe", "detectors", "detector", "plugins", "list":
		return `"stanch rules" lists the rules`
	case "view", "viewer", "ui", "web", "page", "dashboard", "open", "show":
		return `"stanch report -f html -o leaks.html REPORT" makes a page of a saved report, and "stanch sweep serve" shows one`
	case "text-report", "sarif", "json", "html", "junit", "csv", "markdown":
		return `--format chooses the format of a report: "stanch git -f json"`
	case "serve", "server", "watch", "monitor", "schedule", "worker", "work", "ack", "unack", "daemon":
		return `"stanch sweep" keeps organizations under watch: "stanch sweep --help"`
	case "run":
		return `"stanch hook run" scans what is staged, "stanch sweep run" sweeps, and "stanch git" scans this repository`
	case "login", "logout", "auth", "register-aws", "token", "signin", "signup":
		return `stanch needs no account; it asks GitHub as "gh auth login" or GITHUB_TOKEN says, and AWS with your profile (--profile)`
	case "update", "upgrade", "self-update", "selfupdate":
		return `stanch does not update itself: install the new release as you installed this one (https://github.com/stanch-dev/stanch/blob/main/docs/install.md)`
	case "iac", "sca", "hmsl", "honeytoken", "quota", "api-status", "machine":
		return `stanch finds leaked AWS keys and asks no service of its own: "stanch git" scans a repository`
	case "manual", "usage", "commands", "info", "about", "?":
		return `"stanch --help" lists the commands`
	case "ver":
		return `"stanch --version" prints the version`
	}
	return ""
}

// ofGGShield is instead for the words after "ggshield secret".
func ofGGShield(rest []string) string {
	for _, word := range rest {
		if word == "scan" || strings.HasPrefix(word, "-") {
			continue
		}
		if word == "path" {
			word = "files"
		}
		if word == "ci" {
			break
		}
		if say := instead(word, nil); say != "" {
			return say
		}
	}
	if len(rest) > 1 && rest[1] == "ci" {
		return `"stanch ci" scans what a push or pull request brings`
	}
	return instead("scan", nil)
}
