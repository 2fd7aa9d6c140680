package hook

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// A manager is a program that writes hooks, and has a configuration of what they run.
type manager struct {
	name   string
	marks  []string // one of them is in its hooks
	config string   // in the work tree; %s is the stage
	// guards reports whether the configuration runs stanch in a stage. If in doubt, it does
	// not: a stage that is called guarded and is not is worse.
	guards func(config, stage string) bool
}

var managers = []manager{
	{"pre-commit", []string{"pre-commit.com"}, ".pre-commit-config.yaml", preCommitGuards},
	{"prek", []string{"prek"}, ".pre-commit-config.yaml", preCommitGuards},
	{"lefthook", []string{"lefthook"}, "lefthook.yml", lefthookGuards},
	// It runs each with sh -e.
	{"husky", []string{"husky", `$0")/h"`}, ".husky/%s", func(config, stage string) bool { return scriptGuards("set -e\n"+config, stage) }},
	{"Overcommit", []string{"vercommit"}, ".overcommit.yml", overcommitGuards},
}

// managerOfHook returns the manager that has written a hook, nil if none has.
func managerOfHook(text string) *manager {
	for i, m := range managers {
		if slices.ContainsFunc(m.marks, func(mark string) bool { return strings.Contains(text, mark) }) {
			return &managers[i]
		}
	}
	return nil
}

// guardsIn returns the configuration of m below top for a stage, and whether it runs stanch
// there.
func (m *manager) guardsIn(top, stage string) (config string, guards bool) {
	config = strings.ReplaceAll(m.config, "%s", stage)
	text, err := os.ReadFile(filepath.Join(top, filepath.FromSlash(config)))
	return config, err == nil && m.guards(withoutComments(text), stage)
}

// oldStages are the names of stages before pre-commit 3.2.
var oldStages = map[string]string{PreCommit: "commit", PreMerge: "merge-commit", PrePush: "push"}

// preCommitGuards reports whether a configuration of pre-commit or prek has a hook of stanch
// for a stage: by its id and, if they are given, its stages.
func preCommitGuards(config, stage string) bool {
	var ( // not compiled in each hook that runs: this is for status
		itemStart    = regexp.MustCompile(`(?m)^[ \t]*-[ \t]|\{`) // of a list, or a mapping in braces
		idOf         = regexp.MustCompile(`\bid:[ \t]*["']?([\w-]+)`)
		stagesOf     = regexp.MustCompile(`(?m)(?:^|[ \t,{])stages:[ \t]*(\[[^\]]*\])?`)
		defaultStage = regexp.MustCompile(`(?m)^default_stages:[ \t]*(\[[^\]]*\]|(?:\n[ \t]*-[^\n]*)+)?`)
		wordOf       = regexp.MustCompile(`[\w-]+`)
	)
	ids := []string{"stanch", "stanch-system"}
	if stage == PrePush {
		ids = []string{"stanch-push"}
	}
	names := func(list string) bool {
		words := wordOf.FindAllString(list, -1)
		return slices.Contains(words, stage) || slices.Contains(words, oldStages[stage])
	}
	byDefault := true
	if m := defaultStage.FindStringSubmatch(config); m != nil {
		byDefault = names(m[1])
	}
	items := splitBefore(config, itemStart)
	for i, item := range items {
		id := idOf.FindStringSubmatch(item)
		if id == nil || !slices.Contains(ids, id[1]) {
			continue
		}
		stages := stagesOf.FindStringSubmatch(item)
		if stages == nil {
			if byDefault {
				return true
			}
			continue
		}
		list := stages[1]
		for n := i + 1; list == stages[1] && stages[1] == "" && n < len(items) && !strings.Contains(items[n], ":"); n++ {
			if names(items[n]) {
				list = items[n]
			}
		}
		if names(list) {
			return true
		}
	}
	return false
}

// splitBefore splits s before each match of re.
func splitBefore(s string, re *regexp.Regexp) (parts []string) {
	from := 0
	for _, at := range re.FindAllStringIndex(s, -1) {
		parts = append(parts, s[from:at[0]])
		from = at[0]
	}
	return append(parts, s[from:])
}

// lefthookGuards reports whether the section of a stage runs stanch.
func lefthookGuards(config, stage string) bool {
	run := regexp.MustCompile(`(?:^|[\s{,])run["']?:[ \t]*["']?([^\n]*)`)
	for _, m := range run.FindAllStringSubmatch(topSection(config, stage), -1) {
		if runsStage(m[1], stage) {
			return true
		}
	}
	return false
}

// overcommitGuards reports whether the section of a stage names stanch, and switches nothing
// off. Overcommit has no stage before merge commits.
func overcommitGuards(config, stage string) bool {
	section := topSection(config, map[string]string{PreCommit: "PreCommit", CommitMsg: "CommitMsg", PrePush: "PrePush"}[stage])
	return strings.Contains(section, "stanch") && !strings.Contains(section, "enabled: false")
}

// topSection returns the section of a key at the top of a YAML file.
func topSection(config, key string) string {
	var section strings.Builder
	in := false
	for line := range strings.Lines(config) {
		if strings.TrimSpace(line) != "" && !strings.ContainsAny(line[:1], " \t") {
			in = key != "" && strings.HasPrefix(line, key+":")
		}
		if in {
			section.WriteString(line)
		}
	}
	return section.String()
}

func stanchRun() *regexp.Regexp {
	return regexp.MustCompile(`^(?:exec[ \t]+)?(?:["']?[^\s"'|&;]*/)?stanch["']?[ \t]+hook[ \t]+run\b([^\n]*)`)
}

func orExit() *regexp.Regexp {
	return regexp.MustCompile(`\|\|[ \t]*exit([ \t]+([1-9]\d*|"?\$\?"?))?[ \t]*$`)
}

// runsStage reports whether a command is stanch's hook for a stage, and fails as that does.
func runsStage(command, stage string) bool {
	m := stanchRun().FindStringSubmatch(command)
	if m == nil {
		return false
	}
	args := orExit().ReplaceAllString(m[1], "")
	if strings.ContainsAny(args, "|;&") {
		return false
	}
	named := ""
	words := strings.FieldsFunc(args, func(c rune) bool { return strings.ContainsRune(" \t=\"'{}", c) })
	if at := slices.Index(words, "--stage"); at >= 0 && at+1 < len(words) {
		named = words[at+1]
	}
	return named == stage || named == "" && (stage == PreCommit || stage == PreMerge)
}

// scriptGuards reports whether a script calls stanch in a stage, not only on a condition, and
// ends if that fails.
func scriptGuards(script, stage string) bool {
	lines := strings.Split(strings.TrimSpace(script), "\n")
	stops := strings.HasPrefix(lines[0], "#!") && strings.Contains(lines[0], " -e")
	for i, line := range lines {
		switch {
		case runsStage(line, stage): // a line that is indented is within something
			if stops || i == len(lines)-1 || strings.HasPrefix(line, "exec ") || orExit().MatchString(line) {
				return true
			}
		case strings.HasPrefix(line, "set -e"):
			stops = true
		case strings.HasPrefix(line, "exec "), strings.Contains(line, "exit") && !orExit().MatchString(line), strings.Contains(line, "<<"):
			return false
		}
	}
	return false
}

// withoutComments returns the lines of a script or a configuration that are no comments.
func withoutComments(text []byte) string {
	var kept strings.Builder
	for line := range strings.Lines(string(bytes.ReplaceAll(text, []byte("\r"), nil))) {
		if trimmed := strings.TrimSpace(line); !strings.HasPrefix(trimmed, "#") || strings.HasPrefix(trimmed, "#!") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}
