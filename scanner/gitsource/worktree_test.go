package gitsource

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// TestWorktree lists what is read of work trees: changed files and nothing else.
func TestWorktree(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, script string
		open         string // beside the work tree
		want         string
	}{
		{"clean", ``, "", ""},
		{"touched", `touch -d 2001-01-01 f`, "", ""},
		{"untracked", `echo x >g`, "", ""},
		{"deleted", `rm f`, "", ""},
		{"changed", `echo x >>f`, "", "f"},
		{"changed_and_staged", `echo x >>f; git add f`, "", ""},
		{"file_became_folder", `rm f; mkdir f; echo x >f/f`, "", ""},
		{"link_became_file", `ln -s x l; git add l; rm l; echo y >l`, "", "l"},
		{"pipe", `rm f; mkfifo f`, "", ""},
		{"folder_became_link", `mkdir d; echo a >d/a; git add d; mv d ../d; echo b >>../d/a; ln -s ../d d`, "", "path escapes from parent"},
		{"folder_cannot_be_entered", `mkdir d; echo a >d/a; git add d; rm -r d; ln -s d d`, "", "too many levels of symbolic links"}, // stands for a lack of permission
		{"submodule", `git init -q s; git -C s commit -q --allow-empty -m s; git add s; git -C s commit -q --allow-empty -m t`, "", ""},
		{"bare", `echo x >>f; git clone -q --bare . ../bare`, "../bare", ""},
		{"git_dir", `echo x >>f`, ".git", ""},
		{"subfolder", `mkdir d; echo x >>f`, "d", "f"},
		{"version_4", `git update-index --index-version 4; echo x >>f`, "", "f"},
		{"split_index", `git update-index --split-index; echo x >>f`, "", "f"},
		{"damaged_index", `echo x >.git/index`, "", "its changes are not known"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := scannertest.Repo(t, "echo content >f\ncommit 1\n"+tt.script+"\n")
			repo := open(t, filepath.Join(dir, tt.open))
			t.Cleanup(func() { _ = repo.Close() })
			r := read(t, repo)
			got := slices.Clone(r.errs)
			for id, name := range r.names {
				if strings.HasPrefix(string(id), worktreePrefix) {
					got = append(got, name)
				}
			}
			slices.Sort(got)
			if s := strings.Join(got, " "); !strings.Contains(s, tt.want) || tt.want == "" && s != "" {
				t.Errorf("read %q, want %q", s, tt.want)
			}
		})
	}
}
