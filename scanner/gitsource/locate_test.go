package gitsource

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

func locate(t *testing.T, r *Repository, ids ...finding.BlobID) map[finding.BlobID][]finding.Location {
	t.Helper()
	got := map[finding.BlobID][]finding.Location{}
	err := r.Locate(context.Background(), ids, func(id finding.BlobID, p finding.Location) error {
		got[id] = append(got[id], p)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	return got
}

func TestLocate(t *testing.T) {
	t.Parallel()
	// rev names what is located, in git's syntax; want has "commit subject"
	// or "" , kind, path, and "head" for each place.
	tests := []struct{ name, script, rev, want string }{
		{"first_commit", `put f x; commit 1; put g y; commit 2`, "HEAD:f", "1 blob f head"},
		{"gone", `put f x; commit 1; git rm -q f; commit 2`, "HEAD~:f", "1 blob f"},
		{"renamed", `put f x; commit 1; git mv f g; commit 2`, "HEAD:g", "1 blob f, 2 blob g head"},
		{"renamed_and_modified", `seq 9 >f; commit 1; git mv f g; echo 10 >>g; commit 2`, "HEAD:g", "2 blob g head"},
		{"reverted", `put f x; commit 1; put f y; commit 2; git revert --no-edit HEAD >/dev/null`, "HEAD:f", "1 blob f head"},
		{"two_paths", `put d/f x; commit 1; put e/g x; commit 2; git rm -rq d; commit 3`, "HEAD:e/g", "1 blob d/f, 2 blob e/g head"},
		{"moved_folder", `put d/f x; commit 1; git mv d e; commit 2`, "HEAD:e/f", "1 blob d/f, 2 blob e/f head"},
		{"evil_merge", `put f x; commit 1; git checkout -qb b; put g y; commit 2; git checkout -q main; put h z; commit 3; git merge -q --no-commit b; put evil e; commit 4`, "HEAD:evil", "4 blob evil head"},
		{"through_merge", `put f x; commit 1; git checkout -qb b; put g y; commit 2; git checkout -q main; put h z; commit 3; git merge -q -m 4 b`, "HEAD:g", "2 blob g head"},
		{"both_branches_older_wins", `put f x; commit 1; git checkout -qb b; put g y; commit 2; git checkout -q main; put g y; commit 3; git merge -q -m 4 b`, "HEAD:g", "2 blob g head"},
		{"skewed_clock", `put f x; commit 1; now=1500000000; put g y; commit 2; now=1400000000; put h z; commit 3`, "HEAD:f", "1 blob f head"},
		{"tag_only", `put f x; commit 1; git tag t $(echo lone | git hash-object -w --stdin)`, "t", " blob refs/tags/t"},
		{"tree_tag_only", `put f x; commit 1; put d/g y; git add -A; git tag t $(git write-tree); git reset -q --hard`, "t:d/g", " blob refs/tags/t:d/g"},
		{"tree_tag_and_commit", `put d/g y; commit 1; git tag t HEAD^{tree}`, "t:d/g", "1 blob d/g head"},
		{"commit", `put f x; commit 1`, "HEAD", "1 commit-message "},
		{"tag_of_tag", `put f x; commit 1; git tag -am m a; git tag -am m b a`, "b", "1 tag-message "},
		{"tag_of_blob", `put f x; commit 1; git tag -am m a HEAD:f`, "a", " tag-message "},
		{"tree", `put d/f x; commit 1; git mv d e; commit 2`, "HEAD:e", "1 path d, 2 path e head"},
		{"root_tree", `put d/f x; commit 1`, "HEAD:", "1 path . head"},
		{"unborn_head", `put f x; commit 1; git checkout -q --orphan o`, "main:f", "1 blob f"},
		{"stash", `put f x; commit 1; put f y; git stash -q; put f z; git stash -q`, "stash@{1}:f", "WIP on main: blob f"},
		{"odd_name", `put f x; commit 1; mv f "$(printf 'a\nb\377')"; commit 2`, "HEAD~:f", "1 blob f, 2 blob a\nb\xff head"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := scannertest.Repo(t, put+tt.script+"\n")
			id := finding.BlobID(scannertest.Git(t, dir, "rev-parse", tt.rev))
			var got []string
			for _, p := range locate(t, open(t, dir), id)[id] {
				subject := ""
				if p.Commit != "" {
					subject = scannertest.Git(t, dir, "log", "-1", "--format=%s", p.Commit)
					if strings.HasPrefix(subject, "WIP") {
						subject = "WIP on main:"
					}
				}
				got = append(got, fmt.Sprintf("%s %s %s", subject, p.Kind, p.Path)+map[bool]string{true: " head"}[p.AtHead])
			}
			if s := strings.Join(got, ", "); s != tt.want {
				t.Errorf("got %q, want %q", s, tt.want)
			}
		})
	}
}

func TestLocateTexts(t *testing.T) {
	t.Parallel()
	dir := scannertest.Repo(t, put+`put f x; commit 1; git tag -am m v1; git notes add -m noted; git notes --ref other add -m noted`+"\n")
	rev := func(name string) finding.BlobID {
		return finding.BlobID(scannertest.Git(t, dir, "rev-parse", name))
	}
	commit := string(rev("HEAD"))
	note := rev("refs/notes/commits:" + commit)
	got := locate(t, open(t, dir), rev("v1"), rev("HEAD:f"), "refs/tags/v1", note, "unknown", "HEAD")
	want := map[finding.BlobID][]finding.Location{
		rev("v1"):      {{Kind: finding.KindTag, Commit: commit, Author: "Carl", Email: "carl@example.com", Refs: []string{"refs/heads/main", "refs/tags/v1"}}},
		rev("HEAD:f"):  {{Kind: finding.KindBlob, Path: "f", Commit: commit, Author: "Ada", Email: "ada@example.com", AtHead: true, Refs: []string{"refs/heads/main", "refs/tags/v1"}}},
		"refs/tags/v1": {{Kind: finding.KindRefName, Path: "refs/tags/v1"}},
		note:           {{Kind: finding.KindNote, Path: commit, Commit: string(rev("refs/notes/commits")), Author: "Ada", Email: "ada@example.com"}},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(finding.Location{}, "Time")); diff != "" {
		t.Error(diff)
	}
	if at := got[rev("HEAD:f")][0].Time.Unix(); at != 1600000180 {
		t.Errorf("author time is %d", at)
	}
}

// TestLocateOracle compares with git ls-tree over histories at random: merges
// with any trees, so that most are evil, renames, reverts and several roots.
func TestLocateOracle(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			dir := scannertest.Repo(t, randomHistory(rand.New(rand.NewPCG(seed, 0)), 30))
			checkOracle(t, dir)
		})
	}
}

// randomHistory writes a script that feeds n commits to git-fast-import(1).
func randomHistory(r *rand.Rand, n int) string {
	var b strings.Builder
	b.WriteString("git fast-import --quiet --force <<'END'\n")
	for i := 1; i <= n; i++ {
		// Clocks are skewed: the order of dates is not that of commits.
		fmt.Fprintf(&b, "commit refs/heads/b%d\nmark :%d\ncommitter C <c@example.com> %d +0000\ndata 1\nm\n", i, i, 1600000000+r.IntN(50))
		if i > 1 && r.IntN(10) > 0 {
			fmt.Fprintf(&b, "from :%d\n", 1+r.IntN(i-1))
			for range r.IntN(3) {
				fmt.Fprintf(&b, "merge :%d\n", 1+r.IntN(i-1))
			}
		}
		for range 1 + r.IntN(4) {
			fmt.Fprintf(&b, "M 100644 inline %s\ndata 1\n%d\n", []string{"a", "b", "d/a", "d/b", "d/e/a", "f/a"}[r.IntN(6)], r.IntN(5))
		}
		if r.IntN(3) == 0 {
			fmt.Fprintf(&b, "D %s\n", []string{"a", "d", "d/e"}[r.IntN(3)])
		}
	}
	b.WriteString("END\ngit update-ref --no-deref HEAD b" + fmt.Sprint(n) + "\n")
	return b.String()
}

// checkOracle checks each place of each blob: it is where a commit has what no
// parent has, no such commit comes before it, and no place is left out.
func checkOracle(t *testing.T, dir string) {
	t.Helper()
	trees, introduced := map[string]map[string]bool{}, map[string][]string{} // place → commits
	ids := map[finding.BlobID]bool{}
	for line := range strings.Lines(scannertest.Git(t, dir, "rev-list", "--all", "--parents", "--topo-order", "--reverse")) {
		commits := strings.Fields(line)
		trees[commits[0]] = map[string]bool{}
		for entry := range strings.Lines(scannertest.Git(t, dir, "ls-tree", "-r", "--format=%(objectname) %(path)", commits[0])) {
			entry = strings.TrimSpace(entry)
			trees[commits[0]][entry] = true
			ids[finding.BlobID(entry[:40])] = true
			if !slices.ContainsFunc(commits[1:], func(p string) bool { return trees[p][entry] }) {
				introduced[entry] = append(introduced[entry], commits[0])
			}
		}
	}
	head := trees[scannertest.Git(t, dir, "rev-parse", "HEAD")]
	got := locate(t, open(t, dir), slices.Collect(maps.Keys(ids))...)
	for id, places := range got {
		for _, p := range places {
			entry := string(id) + " " + p.Path
			checkPlace(t, dir, entry, p, introduced[entry])
			if p.AtHead != head[entry] {
				t.Errorf("%s: AtHead is %v", entry, p.AtHead)
			}
			delete(introduced, entry)
		}
	}
	if len(introduced) > 0 {
		t.Errorf("not located, or twice: %v", introduced)
	}
}

func checkPlace(t *testing.T, dir, entry string, p finding.Location, commits []string) {
	t.Helper()
	if !slices.Contains(commits, p.Commit) {
		t.Errorf("%s: %s does not introduce it, but %v", entry, p.Commit, commits)
		return
	}
	// Those of commits that p.Commit descends from.
	for _, first := range commits {
		if first != p.Commit && strings.Contains(scannertest.Git(t, dir, "rev-list", p.Commit), first) {
			t.Errorf("%s: %s comes before %s", entry, first, p.Commit)
		}
	}
}
