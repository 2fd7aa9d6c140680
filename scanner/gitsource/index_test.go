package gitsource

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// TestIndex compares the paths of the index with git's.
func TestIndex(t *testing.T) {
	t.Parallel()
	const files = `for i in $(seq 30); do put d$((i / 10))/$(printf %0$((i * 8))d 0)/f$i w$i; done; git add -A; `
	tests := []struct{ name, script, open string }{
		{"version_2", files, ""},
		{"version_3", files + `put new x; git add -N new; put other y; git add other`, ""},
		{"version_4", files + `git update-index --index-version 4`, ""},
		{"version_4_and_flags", files + `put new x; git add -N new; git update-index --index-version 4; put z y; git add z`, ""},
		{"sha256", `git init -q --object-format=sha256 ../s; cd ../s; ` + files, "../s"},
		{"sha256_version_4", `git init -q --object-format=sha256 ../s; cd ../s; ` + files + `git update-index --index-version 4`, "../s"},
		{"split", files + `git update-index --split-index; put e/f split; git add -A`, ""},
		{"sparse", files + `git commit -qm 1; git sparse-checkout set --sparse-index d1 >/dev/null 2>&1`, ""},
		{"linked_work_tree", files + `git commit -qm 1; git worktree add -q ../w; cd ../w; put own x; git add own; cd ../repo; git rm -rq d1`, "../w"},
		{"empty", `git add -A`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(scannertest.Repo(t, put+tt.script+"\n"), tt.open)
			want := map[pack.ID]string{}
			var ids []pack.ID
			for line := range strings.Lines(scannertest.Git(t, dir, "ls-files", "--sparse", "-s")) {
				words := strings.Fields(line)
				id, _ := pack.ParseID([]byte(words[1]))
				want[id] = words[3]
				ids = append(ids, id)
			}
			got, err := open(t, dir).dir.StagedPaths(ids)
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("error %v, paths %s", err, diff)
			}
		})
	}
}

// TestStray locates what only the index holds, by its name there; if that cannot be
// read, it is said, but not where no name is missed.
func TestStray(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, script, open string
		path, want         string // in the error
	}{
		{"staged", `put f one; git add f`, "", "f", ""},
		{"staged_sha256", `git init -q --object-format=sha256 ../s; cd ../s; put f one; git add f`, "../s", "f", ""},
		{"junk", `put f one; git add f; garble .git/index junk`, "", "", "/index: the index is damaged"},
		{"cut_off", `put f one; git add f; truncate -s 40 .git/index`, "", "", "/index: the index is damaged"},
		{"version_5", `put f one; git add f; printf '\005' | dd of=.git/index bs=1 seek=7 conv=notrunc status=none`, "", "", "of a format that stanch does not know"},
		{"fifo", `put f one; git add f; rm .git/index; mkfifo .git/index`, "", "", "/index: open "},
		{"junk_not_needed", `put f one; commit 1; garble .git/index junk`, "", "f", ""},
		{"none", `put f one; git add f; rm .git/index`, "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(scannertest.Repo(t, damage+tt.script+"\n"), tt.open)
			r := open(t, dir)
			defer r.Close()
			one := finding.BlobID(scannertest.Git(t, dir, "hash-object", "f"))
			path := "none"
			err := r.Locate(context.Background(), []finding.BlobID{one}, func(_ finding.BlobID, p finding.Location) error { path = p.Path; return nil })
			if path != tt.path || !strings.Contains(fmt.Sprint(err), tt.want) || (err == nil) != (tt.want == "") {
				t.Errorf("path %q, want %q; error %v, want %q", path, tt.path, err, tt.want)
			}
		})
	}
}
