package hook

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stanch-dev/stanch/scanner/gitsource"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// TestFindStage: the stage is told by the caller, by variables, or by the argument.
func TestFindStage(t *testing.T) {
	scannertest.Need(t, "git", "sh")
	dir := scannertest.Repo(t, "echo x >f; commit 1\n")
	repo, err := gitsource.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = repo.Close() })
	message := filepath.Join(repo.GitDir(), "COMMIT_EDITMSG")
	if err := os.WriteFile(message, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "f")
	for _, tt := range []struct {
		name, stage, variable, root string
		args                        []string
		want                        string
	}{
		{"nothing said", "", "", dir, nil, PreCommit},
		{"given", PreReceive, "PRE_COMMIT_TO_REF", dir, []string{message}, PreReceive},
		{"pre-commit pushes to a remote", "", "PRE_COMMIT_REMOTE_NAME", dir, nil, PrePush},
		{"pre-commit pushes a ref", "", "PRE_COMMIT_TO_REF", dir, nil, PrePush},
		{"objects in quarantine", "", "GIT_QUARANTINE_PATH", "", nil, PreReceive},
		{"a message", "", "", dir, []string{message}, CommitMsg},
		{"a file of the project", "", "", dir, []string{file}, PreCommit},
		{"two files", "", "", dir, []string{message, file}, PreCommit},
		{"a message without a work tree", "", "", "", []string{message}, PreCommit},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, v := range []string{"PRE_COMMIT_REMOTE_NAME", "PRE_COMMIT_TO_REF", "GIT_QUARANTINE_PATH"} {
				value := ""
				if v == tt.variable {
					value = "x"
				}
				t.Setenv(v, value)
			}
			h := Hook{Repo: repo, Root: tt.root, Stage: tt.stage, Args: tt.args}
			if got := h.FindStage(); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

// TestSkipped: SKIP is a list of ids, and that of a push is another one.
func TestSkipped(t *testing.T) {
	for _, tt := range []struct {
		list, stage string
		want        bool
	}{
		{"", PreCommit, false},
		{"stanch", PreCommit, true},
		{"black, stanch", CommitMsg, true},
		{"stanch", PrePush, false},
		{"stanch-push", PrePush, true},
		{"stanch-push", PreCommit, false},
		{"notstanch", PreCommit, false},
	} {
		if got := Skipped(tt.list, tt.stage); got != tt.want {
			t.Errorf("SKIP=%q in %s: %v", tt.list, tt.stage, got)
		}
	}
}
