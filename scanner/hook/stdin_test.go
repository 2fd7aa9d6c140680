package hook

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// TestSwallowed: an empty standard input says that nothing is pushed only where nobody
// can have read it before stanch.
func TestSwallowed(t *testing.T) {
	scannertest.Need(t, "git", "sh")
	const (
		stanch   = "stanch hook run --stage pre-push {1} {2}"
		lefthook = "#!/bin/sh\ncall_lefthook run \"pre-push\" \"$@\"\n"
		lfs      = "#!/bin/sh\ncommand -v git-lfs >/dev/null 2>&1 || exit 2\n"
		ours     = "exec stanch hook run --stage pre-push \"$@\"\n"
	)
	for _, tt := range []struct {
		name, hook string
		files      map[string]string
		want       bool
	}{
		{"plain", ours, nil, false},
		{"no_hook", "", nil, false},
		{"lefthook_unused", ours, map[string]string{"lefthook.yml": "pre-push: {commands: {t: {run: make test}}}\n"}, false},

		{"block", lefthook, map[string]string{"lefthook.yml": "pre-push:\n  commands:\n    s:\n      use_stdin: true\n      run: " + stanch + "\n"}, false},
		{"block_below", lefthook, map[string]string{"lefthook.yml": "pre-push:\n  commands:\n    s:\n      run: " + stanch + "\n      tags:\n        - a\n\n# as it is to be\n      use_stdin: true\r\n"}, false},
		{"block_commit", lefthook, map[string]string{"lefthook.yml": "pre-commit:\n  commands:\n    s:\n      run: stanch hook run\npre-push:\n  commands:\n    s:\n      use_stdin: true\n      run: " + stanch + "\n"}, false},
		{"item", lefthook, map[string]string{"lefthook.yml": "pre-push:\n  jobs:\n  - name: s\n    run: " + stanch + "\n    use_stdin: true\n  - run: make\n"}, false},
		{"item_first", lefthook, map[string]string{".lefthook.yml": "pre-push:\n  jobs:\n    - use_stdin: true\n      run: " + stanch + "\n"}, false},
		{"flow", lefthook, map[string]string{"lefthook.yml": `pre-push: {commands: {s: {use_stdin: true, run: "` + stanch + `"}}}`}, false},
		{"flow_below", lefthook, map[string]string{"lefthook.yml": `pre-push: {commands: {s: {run: "` + stanch + `", use_stdin: true}}}`}, false},
		{"json", lefthook, map[string]string{"lefthook.json": "{\"pre-push\": {\"commands\": {\"s\": {\n  \"run\": \"" + stanch + "\",\n  \"use_stdin\": true\n}}}}"}, false},
		{"toml", lefthook, map[string]string{".config/lefthook.toml": "[pre-push.commands.s]\nrun = \"" + stanch + "\"\nuse_stdin = true\n"}, false},

		{"none", lefthook, map[string]string{"lefthook.yml": "pre-push:\n  commands:\n    s:\n      run: " + stanch + "\n"}, true},
		{"false", lefthook, map[string]string{"lefthook.yml": "pre-push:\n  commands:\n    s:\n      use_stdin: false\n      run: " + stanch + "\n"}, true},
		{"comment", lefthook, map[string]string{"lefthook.yml": "pre-push:\n  commands:\n    s:\n      # use_stdin: true\n      run: " + stanch + "\n"}, true},
		{"another_command", lefthook, map[string]string{"lefthook.yml": "pre-push:\n  commands:\n    lfs:\n      use_stdin: true\n      run: git lfs pre-push {0}\n    s:\n      run: " + stanch + "\n"}, true},
		{"another_item", lefthook, map[string]string{"lefthook.yml": "pre-push:\n  jobs:\n    - run: cat\n      use_stdin: true\n    - run: " + stanch + "\n    - run: cat\n      use_stdin: true\n"}, true},
		{"another_in_flow", lefthook, map[string]string{"lefthook.yml": `pre-push: {commands: {t: {use_stdin: true, run: cat}, s: {run: "` + stanch + `"}, u: {run: cat, use_stdin: true}}}`}, true},
		{"another_table", lefthook, map[string]string{"lefthook.toml": "[pre-push.commands.t]\nuse_stdin = true\n[pre-push.commands.s]\nrun = \"" + stanch + "\"\n[pre-push.commands.u]\nuse_stdin = true\n"}, true},
		{"another_file", lefthook, map[string]string{"lefthook.yml": "pre-push: {commands: {t: {use_stdin: true, run: cat}}}", "lefthook-local.yml": "pre-push: {commands: {s: {run: " + stanch + "}}}"}, true},
		{"unnamed", lefthook, map[string]string{"lefthook.yml": "extends: [push.yml]\n", "push.yml": "pre-push: {commands: {s: {run: " + stanch + "}}}"}, true},
		{"script", lefthook, map[string]string{".lefthook/pre-push/s.sh": ours}, true},

		{"lfs_before", lfs + "git lfs pre-push \"$@\" || exit\n" + ours, nil, true},
		{"lfs_with_a_copy", lfs + "input=$(cat)\necho \"$input\" | git lfs pre-push \"$@\" || exit\necho \"$input\" | " + ours, nil, false},
		{"lfs_after", lfs + "stanch hook run --stage pre-push \"$@\" || exit\ngit lfs pre-push \"$@\"\n", nil, false},
		{"lfs_without_stanch", lfs + "git lfs pre-push \"$@\"\n", nil, false},
		{"husky", "", map[string]string{".husky/_/pre-push": "#!/bin/sh\n. \"${0%/*}/h\"\n", ".husky/pre-push": ours}, false},
		{"husky_and_lfs", "", map[string]string{".husky/_/pre-push": "#!/bin/sh\n. \"${0%/*}/h\"\n", ".husky/pre-push": "git lfs pre-push \"$@\"\n" + ours}, true},
		{"installed", "#!/bin/sh\n" + marker + "\n\"$0.before-stanch\"\n", map[string]string{"lefthook.yml": "extends: [push.yml]\n", ".git/hooks/pre-push.before-stanch": lefthook}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := scannertest.Repo(t, "rm -rf .git/hooks")
			for name, text := range tt.files {
				writeFile(t, filepath.Join(dir, name), text)
			}
			if tt.hook != "" {
				writeFile(t, filepath.Join(dir, ".git/hooks/pre-push"), tt.hook)
			}
			if strings.HasPrefix(tt.name, "husky") {
				scannertest.Git(t, dir, "config", "core.hooksPath", ".husky/_")
			}
			t.Chdir(dir)
			h := &Hook{Stdin: strings.NewReader(""), Root: dir, Args: []string{"origin", "../remote"}}
			if why := h.swallowed(pushHook(t.Context())); (why != "") != tt.want {
				t.Errorf("it says %q, want %v", why, tt.want)
			}
			// git's own hook beside these gets all refs, if git is one that reads it.
			scannertest.Git(t, dir, "config", "hook.stanch-pre-push.command", "stanch")
			scannertest.Git(t, dir, "config", "hook.stanch-pre-push.event", "pre-push")
			if hooksInConfig(gitVersion(t)) {
				t.Skip("the git of the system reads hooks from its configuration")
			}
			if why := h.swallowed(pushHook(t.Context())); (why != "") != tt.want {
				t.Errorf("beside a hook of the configuration, the old git's says %q, want %v", why, tt.want)
			}
			newest := os.Getenv("STANCH_GIT_NEWEST")
			if newest == "" {
				return
			}
			t.Setenv("PATH", newest+string(os.PathListSeparator)+os.Getenv("PATH"))
			if why := h.swallowed(pushHook(t.Context())); why != "" && tt.files["lefthook.yml"] == "" && tt.files["lefthook.toml"] == "" {
				t.Errorf("beside a hook of the configuration, it says %q", why)
			}
		})
	}
}

func gitVersion(t *testing.T) string {
	t.Helper()
	version, err := git(t.Context(), "version")
	if err != nil {
		t.Fatal(err)
	}
	return version
}

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}
