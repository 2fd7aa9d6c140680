package hook

import "testing"

func TestGuards(t *testing.T) {
	const local = "repos:\n- repo: local\n  hooks: [{id: x, name: x, language: system, entry: \"true\"}]\n"
	const ours = "repos:\n- repo: https://github.com/stanch-dev/stanch\n  rev: v1\n  hooks:\n"
	tests := []struct {
		name, mark, config, stage string
		want                      bool
	}{
		{"id", "pre-commit.com", ours + "  - id: stanch\n", PreCommit, true},
		{"id of the system", "prek", ours + "  - id: stanch-system\n", CommitMsg, true},
		{"id of another stage", "prek", ours + "  - id: stanch\n", PrePush, false},
		{"id of pushes", "prek", ours + "  - id: x\n  - id: stanch-push\n", PrePush, true},
		{"excluded folder", "pre-commit.com", local + "exclude: ^stanch/\n", PreCommit, false},
		{"commented", "pre-commit.com", ours + "  # - id: stanch\n", PreCommit, false},
		{"history", "pre-commit.com", ours + "  - id: stanch-history\n    stages: [manual]\n", PreCommit, false},
		{"in braces", "pre-commit.com", "repos: [{repo: x, rev: v1, hooks: [{id: stanch, stages: [commit]}, {id: stanch-push}]}]\n", PreCommit, true},
		{"in braces, not the stage", "pre-commit.com", "repos: [{repo: x, rev: v1, hooks: [{id: stanch, stages: [commit]}, {id: y, stages: [commit-msg]}]}]\n", CommitMsg, false},
		{"stages", "pre-commit.com", ours + "  - id: stanch\n    stages: [pre-commit, pre-merge-commit]\n", CommitMsg, false},
		{"old stages", "pre-commit.com", ours + "  - id: stanch\n    stages: [commit, merge-commit]\n", PreMerge, true},
		{"stages first", "pre-commit.com", ours + "  - stages: [manual]\n    id: stanch\n", PreCommit, false},
		{"stages as a list", "pre-commit.com", ours + "  - id: stanch\n    stages:\n    - manual\n    - commit-msg\n  - id: y\n", CommitMsg, true},
		{"not in a list of stages", "pre-commit.com", ours + "  - id: stanch\n    stages:\n    - manual\n  - id: y\n    stages:\n    - commit-msg\n", CommitMsg, false},
		{"default stages", "pre-commit.com", "default_stages: [pre-commit]\n" + ours + "  - id: stanch\n", CommitMsg, false},
		{"stages beside default ones", "pre-commit.com", "default_stages:\n- manual\n" + ours + "  - id: stanch\n    stages: [commit-msg]\n", CommitMsg, true},

		{"section", "lefthook", "pre-commit:\n  commands:\n    stanch:\n      run: stanch hook run\n", PreCommit, true},
		{"another section", "lefthook", "pre-push:\n  commands:\n    stanch: {use_stdin: true, run: \"stanch hook run --stage pre-push {1} {2}\"}\n", PreCommit, false},
		{"section in braces", "lefthook", "pre-push: {commands: {stanch: {use_stdin: true, run: \"stanch hook run --stage pre-push {1} {2}\"}}}\n", PrePush, true},
		{"section with another stage", "lefthook", "pre-push:\n  commands:\n    stanch:\n      run: stanch hook run\n", PrePush, false},

		{"a script of husky", "husky", "npx lint-staged\nstanch hook run\necho done\n", PreCommit, true},
		{"a push script of husky", "husky", "stanch hook run --stage pre-push \"$@\"\n", PrePush, true},
		{"a script of husky that passes", "husky", "stanch hook run || true\n", PreCommit, false},

		{"Overcommit", "vercommit", "PreCommit:\n  Stanch:\n    enabled: true\n    command: ['stanch', 'hook', 'run']\n", PreCommit, true},
		{"another stage of Overcommit", "vercommit", "PreCommit:\n  Stanch:\n    command: ['stanch', 'hook', 'run']\n", CommitMsg, false},

		{"script", "", "#!/bin/sh\nmake lint || exit 1\nstanch hook run\n", PreCommit, true},
		{"script with a path", "", "#!/bin/sh\nexec \"$HOME/bin/stanch\" hook run --stage commit-msg \"$1\"\n", CommitMsg, true},
		{"stops at once", "", "#!/bin/sh\nstanch hook run || exit\nexit 0\n", PreCommit, true},
		{"stops at errors", "", "#!/bin/sh\nset -eu\nstanch hook run\necho fine\n", PreCommit, true},
		{"echo", "", "#!/bin/sh\necho \"stanch hook run\"\n", PreCommit, false},
		{"or true", "", "#!/bin/sh\nstanch hook run || true\n", PreCommit, false},
		{"or exit 0", "", "#!/bin/sh\nstanch hook run || exit 0\n", PreCommit, false},
		{"goes on", "", "#!/bin/sh\nstanch hook run\nexit 0\n", PreCommit, false},
		{"ends before", "", "#!/bin/sh\nexit 0\nstanch hook run\n", PreCommit, false},
		{"on a condition", "", "#!/bin/sh\nset -e\nif [ -n \"$CI\" ]; then\n  stanch hook run\nfi\n", PreCommit, false},
		{"in the background", "", "#!/bin/sh\nstanch hook run &\n", PreCommit, false},
		{"another stage", "", "#!/bin/sh\nstanch hook run --stage pre-push\n", PreCommit, false},
		{"no stage", "", "#!/bin/sh\nstanch hook run\n", PrePush, false},
		{"comment", "", "#!/bin/sh\n# stanch hook run\n", PreCommit, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			guards := scriptGuards
			if m := managerOfHook(tt.mark); m != nil {
				guards = m.guards
			}
			if got := guards(withoutComments([]byte(tt.config)), tt.stage); got != tt.want {
				t.Errorf("guarded: %v", got)
			}
		})
	}
}
