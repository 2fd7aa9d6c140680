package hook

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// refusal returns what is said about the staged files whose content holds "key".
func refusal(t *testing.T, dir string, h *Hook) string {
	t.Helper()
	t.Chdir(dir)
	repo, root, err := gitsource.OpenHere()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = repo.Close() })
	h.Repo, h.Root = repo, root
	s, err := h.Subject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found := make(chan finding.Location, 100)
	err = s.Blobs(t.Context(), func(b scanner.Blob) error {
		if strings.Contains(string(b.Data), "key") {
			found <- finding.Location{Kind: b.Kind, Path: b.Name, Blob: b.ID, Around: &finding.Around{Line: detectors.NewSecret(string(b.Data))}}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	close(found)
	var at []finding.Location
	for l := range found {
		at = append(at, l)
	}
	slices.SortFunc(at, func(a, b finding.Location) int { return strings.Compare(a.Path, b.Path) })
	return h.Refusal(t.Context(), s, at)
}

// TestRefusal: each stage names what the user does there, with the files in question.
func TestRefusal(t *testing.T) {
	scannertest.Need(t, "git", "sh")
	for _, tt := range []struct {
		name, script, in, prefix, index string
		stage                           string
		has, hasNot                     string // lines, "|" between them
	}{
		{"new, edited and odd files", "echo a >edited; commit 1; mkdir d; for f in d/new edited 'd/a b' ./-rf :x; do echo \"key $f\" >\"$f\"; done; git add -A", "", "", "", PreCommit,
			"the commit is refused|git add ./-rf ./:x 'd/a b' d/new edited|git rm --cached -f ./-rf ./:x 'd/a b' d/new|git restore --staged edited|stanch:allow REASON|SKIP=stanch git commit", "deactivate"},
		{"names that are patterns", "mkdir '[a]'; for f in '*.env' '[a]/x'; do echo \"key $f\" >\"$f\"; done; git add -A", "", "", "", PreCommit,
			"git add ':(literal)*.env' ':(literal)[a]/x'|git rm --cached -f ':(literal)*.env'", ""},
		{"called in a folder", "mkdir d e; echo key >d/f; git add -A", "", "e", "", PreCommit, "git add ../d/f|git rm --cached -f ../d/f", "restore"},
		{"run by hand in a folder", "mkdir d; echo key d >d/f; echo key >f; git add -A", "d", "", "", PreCommit, "git add f ../f|git rm --cached -f f ../f", "restore"},
		{"many files", "for f in 1 2 3 4 5 6 7; do echo key $f >$f; done; git add -A", "", "", "", PreCommit, "  git add 1\n|git rm --cached -f 1\n|(the same for each of the 7 files)", "1 2"},
		{"git commit -a", "echo a >f; commit 1; echo key >f; git add f; cp .git/index ../index.lock", "", "", "../index.lock", PreCommit, "git add f|git restore --staged f\n|(and commit without -a, and without naming the file)", "rm --cached"},
		{"all files", "echo key >f; commit 1", "", "", "all", PreCommit, "keys are in these files|git add f|already committed", "rm --cached|restore|refused|anyway"},
		{"by hand", "echo key >f; git add -A", "", "", "", byHand, "keys are in these files|git rm --cached -f f", "refused|anyway"},
		{"Latin-1", "printf 'caf\\351 key' >f; git add -A", "", "", "", PreCommit, "a comment on the line", "stanch allow"},
		{"all files, many", "for f in 1 2 3 4 5 6 7; do echo key $f >$f; done; commit 1", "", "", "all", PreCommit, "1 2 3 4 5 and 2 more: deactivate", ""},
		{"a name", "echo a >key1; git add -A", "", "", "", PreCommit, "git mv key1 NEW-NAME|a false alarm    stanch allow FINGERPRINT --reason REASON", "git add|rm --cached|a comment"},
		{"a committed name", "echo a >key1; commit 1", "", "", "all", PreCommit, "git mv key1 NEW-NAME|already committed", "git add|restore"},
		{"binary and text", "printf '\\0key' >b; echo key >t; git add -A", "", "", "", PreCommit, "a comment on the line|or stanch allow FINGERPRINT --reason REASON", ""},
		{"binary", "printf '\\0key' >b; git add -A", "", "", "", PreCommit, "stanch allow FINGERPRINT --reason REASON", "a comment"},
		{"a conflict", "echo a >f; commit 1; git checkout -qb side; echo b >f; echo n >n; commit 2; git checkout -q main; echo c >f; commit 3; git merge side >/dev/null || true; echo b c key >f; echo key >n; git add -A", "", "", "", PreCommit,
			"git add f n", "rm --cached|restore"},
		{"a cherry-pick", "echo a >f; commit 1; git checkout -qb side; echo b >f; commit 2; git checkout -q main; echo c >f; commit 3; git cherry-pick side >/dev/null 2>&1 || true; echo b c key >f; git add -A", "", "", "", PreCommit,
			"git add f", "rm --cached|restore"},
		{"a revert", "echo a >f; commit 1; echo b >f; commit 2; echo c >f; commit 3; git revert HEAD~ >/dev/null 2>&1 || true; echo key >f; git add -A", "", "", "", PreCommit,
			"git add f", "rm --cached|restore"},
		{"a rebase", "echo a >f; commit 1; git checkout -qb side; echo b >f; commit 2; git checkout -q main; echo c >f; commit 3; git rebase side >/dev/null 2>&1 || true; echo key >f; git add -A", "", "", "", PreCommit,
			"git add f", "rm --cached|restore"},
		{"a merge", "echo key >f; git add -A", "", "", "", PreMerge, "the merge is refused|git add f", "rm --cached"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := scannertest.Repo(t, tt.script)
			t.Setenv("GIT_PREFIX", tt.prefix)
			t.Setenv("GIT_INDEX_FILE", "")
			h := &Hook{Stage: tt.stage, AllFiles: tt.index == "all"}
			if tt.index != "" && !h.AllFiles {
				t.Setenv("GIT_INDEX_FILE", filepath.Join(dir, tt.index))
			}
			got := refusal(t, filepath.Join(dir, tt.in), h)
			for want := range strings.SplitSeq(tt.has, "|") {
				if !strings.Contains(got+"\n", want) {
					t.Errorf("%q is not in it:\n%s", want, got)
				}
			}
			for not := range strings.SplitSeq(tt.hasNot, "|") {
				if not != "" && strings.Contains(got, not) {
					t.Errorf("%q is in it:\n%s", not, got)
				}
			}
		})
	}
	h := &Hook{Stage: CommitMsg, Args: []string{filepath.Join(".git", "COMMIT_EDITMSG")}}
	if got := h.Refusal(t.Context(), &Subject{}, nil); !strings.Contains(got, "git commit -v -e -F .git/COMMIT_EDITMSG\n") {
		t.Error(got)
	}
	h.Args[0] = filepath.Join(".git", "MERGE_MSG")
	if got := h.Refusal(t.Context(), &Subject{}, nil); !strings.Contains(got, "git commit, and edit the message") {
		t.Error(got)
	}
	for _, stage := range []string{PrePush, PreReceive} {
		if got := (&Hook{Stage: stage}).Refusal(t.Context(), &Subject{}, nil); !strings.Contains(got, "the push is refused") || strings.Contains(got, "git add") {
			t.Error(got)
		}
	}
}
