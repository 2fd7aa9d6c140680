package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// keyFile is what leak writes.
const keyFile = "aws_access_key_id = {AKIA1}\naws_secret_access_key = {secret1}\n"

// inUTF16 spells text for printf(1), with a byte order mark.
func inUTF16(text string) string {
	out := `\377\376`
	for _, c := range []byte(text) {
		out += fmt.Sprintf(`\%03o\000`, c)
	}
	return out
}

// leaking is what the scripts of TestPlaces have at hand: $pair is a key, leak
// FILE writes it there, clean FILE something else.
const leaking = `
id='{AKIA1}' secret='{secret1}'
pair="$(printf %s '` + keyFile + `')"
into() { case $1 in */*) mkdir -p "${1%/*}" ;; esac; }
leak() { into "$1"; echo "$pair" >"$1"; }
clean() { into "$1"; echo "nothing $1" >"$1"; }
forget() { git reflog expire --expire=now --expire-unreachable=now --all; }
clean README; commit first
`

// TestPlaces hides a key in each place that a git repository has, made by git
// itself. Who else finds it there was measured with gitleaks 8.30, betterleaks,
// trufflehog and titus, in this order: Y if they do, N if not, P if without the
// secret, "?" if it was not tried.
func TestPlaces(t *testing.T) {
	tests := []struct {
		name, peers string
		script      string
		open        string // beside or below the work tree
		want        string // "kind path" of the places, then "(what is unreachable)" and "in refs"
		status      int    // exitLeaks unless set
	}{
		{"commit", "YYYY", `leak f; commit 2`, "", "blob f in refs/heads/main", 0},
		{"removed", "YYYY", `leak f; commit 2; git rm -q f; commit 3`, "", "blob f in refs/heads/main", 0},
		{"branch", "YYYY", `git checkout -qb side; leak f; commit 2; git checkout -q main`, "", "blob f in refs/heads/side", 0},
		{"tag", "YYYY", `git checkout -q --detach; leak f; commit 2; git tag v1; git checkout -q main; forget`, "", "blob f in refs/tags/v1", 0},
		{"remote", "YYYY", `git checkout -q --detach; leak f; commit 2; git update-ref refs/remotes/origin/x HEAD; git checkout -q main; forget`, "", "blob f in refs/remotes/origin/x", 0},
		{"pull_request", "YYYY", `git checkout -q --detach; leak f; commit 2; git update-ref refs/pull/7/head HEAD; git checkout -q main; forget`, "", "blob f in refs/pull/7/head", 0},
		{"packed", "YYYY", `leak f; commit 2; git rm -q f; commit 3; git gc -q`, "", "blob f in refs/heads/main", 0},
		{"keep_pack", "YYYY", `leak f; commit 2; git repack -qad; for p in .git/objects/pack/*.pack; do : >${p%.pack}.keep; done; clean g; commit 3; git repack -qad`, "", "blob f in refs/heads/main", 0},
		{"evil_merge", "NNNY", `git checkout -qb side; clean g; commit 2; git checkout -q main; clean h; commit 3; git merge -q --no-commit side; leak evil; commit 4`, "", "blob evil in refs/heads/main", 0},
		{"renamed_and_modified", "YYNY", `seq 50 >f; commit 2; git mv f g; echo "$pair" >>g; commit 3`, "", "blob g in refs/heads/main", 0},
		{"message", "NNYN", `clean f; commit "$pair"`, "", "commit-message  in refs/heads/main", 0},
		{"message_of_empty_commit", "NNNN", `commit "$pair"`, "", "commit-message  in refs/heads/main", 0},
		{"tag_message", "NNNN", `git tag -am "$pair" v1`, "", "tag-message  in refs/heads/main refs/tags/v1", 0},
		{"note", "YYYY", `git notes add -m "$pair"`, "", "note {HEAD}", 0},
		{"stash", "YYYY", `leak README; git stash -q`, "", "blob README in refs/stash", 0},
		{"older_stash", "????", `leak README; git stash -q; clean README2; git add .; git stash -q`, "", "blob README", 0},
		{"untracked_in_stash", "YYYY", `leak u; git stash -q -u`, "", "blob u in refs/stash", 0},
		{"staged_in_stash", "????", `leak u; git add u; git stash -q`, "", "blob u in refs/stash", 0},
		{"amended_away", "NNNN", `leak f; commit 2; clean f; git add f; git commit -q --amend -m 2`, "", `blob f (reflog HEAD@{1})`, 0},
		{"reset", "NNNN", `leak f; commit 2; git reset -q --hard HEAD~; rm -f .git/ORIG_HEAD`, "", "blob f (reflog HEAD@{1})", 0},
		{"rebased_away", "????", `git checkout -qb side; leak f; commit 2; git checkout -q main; clean g; commit 3; git checkout -q side; git rebase -q main; clean f; git add f; git commit -q --amend -m 2`, "", "blob f (reflog *)", 0},
		{"deleted_branch", "NNNN", `git checkout -qb side; leak f; commit 2; git checkout -q main; git branch -qD side`, "", "blob f (reflog HEAD@{1})", 0},
		{"dangling_commit", "NNNN", `leak f; commit 2; git reset -q --hard HEAD~; rm -f .git/ORIG_HEAD; forget`, "", "blob f (dangling commit)", 0},
		{"dangling_commit_packed", "NNNN", `leak f; commit 2; git repack -qad; git reset -q --hard HEAD~; rm -f .git/ORIG_HEAD; forget`, "", "blob f (dangling commit)", 0},
		{"dangling_message", "NNNN", `commit "$pair"; git reset -q --hard HEAD~; rm -f .git/ORIG_HEAD; forget`, "", "commit-message  (dangling commit)", 0},
		{"dangling_tag", "NNNN", `git tag -am "$pair" v1; git tag -d v1 >/dev/null`, "", "tag-message  (dangling tag) in refs/heads/main", 0},
		{"dangling_tree", "NNNN", `leak d/f; git add .; git write-tree >/dev/null; git reset -q --hard`, "", "blob d/f (dangling tree *)", 0},
		{"dangling_blob", "NNNN", `echo "$pair" | git hash-object -w --stdin >/dev/null`, "", "blob  (no ref, reflog, commit or tree leads to it)", 0},
		{"staged", "NNNN", `leak d/f; git add .`, "", "index d/f", 0},
		{"modified", "NNNN", `clean d/f; commit 2; leak d/f`, "", "worktree d/f", 0},
		{"modified_after_add", "NNNN", `leak d/f; git add d/f; echo "$pair" >>d/f; git add d/f; echo more >>d/f`, "", "index d/f", 0},
		{"modified_of_same_size", "NNNN", `echo "$pair" | tr A-Z x >f; commit 2; touch -d 2020-01-01 f; git update-index f; echo "$pair" >f; touch -d 2020-01-02 f`, "", "worktree f", 0},
		{"promised", "NNNN", `leak f; git add -N f`, "", "worktree f", 0},
		{"link_modified", "????", `ln -s x l; commit 2; ln -sf "$(echo "$pair" | tr '\n' ' ')" l`, "", "worktree l", 0},
		{"modified_in_conflict", "NNNN", `clean f; commit 2; git checkout -qb side; echo a >f; commit 3; git checkout -q main; echo b >f; commit 4; git merge -q side >/dev/null || echo "$pair" >>f`, "", "worktree f", 0},
		{"modified_in_linked", "NNNN", `git worktree add -q ../linked; cd ../linked; leak README; cd ../repo`, "../linked", "worktree README", 0},
		{"modified_sha256", "????", `git init -q -b main --object-format=sha256 ../new; cd ../new; clean f; git add .; leak f`, "../new", "worktree f", 0},
		{"staged_and_reset", "NNNN", `leak f; git add f; git reset -q`, "", "blob  (no ref, reflog, commit or tree leads to it)", 0},
		{"pair_over_two_commits", "PPNY", `echo "aws_access_key_id = $id" >f; commit 2; echo "aws_secret_access_key = $secret" >f; commit 3`, "", "blob f in refs/heads/main", 0},
		{"remote_url", "????", `git config remote.x.url "https://$id:$(echo "$secret" | sed s,/,%2F,g)@example.com/x.git"`, "", "config config", 0},
		{"submodule_url", "????", `git config submodule.x.url "https://$id:$(echo "$secret" | sed s,/,%2F,g)@example.com/x.git"`, "", "config config", 0},
		{"fetch_head", "????", `echo "$(git rev-parse HEAD)	branch 'x' of https://$id:$(echo "$secret" | sed s,/,%2F,g)@example.com/x" >.git/FETCH_HEAD`, "", "reflog FETCH_HEAD", 0},
		{"utf16", "NNNN", `printf '{UTF16}' >f; commit 2`, "", "blob f in refs/heads/main", 0},
		{"bare", "YYYY", `leak f; commit 2; git clone -q --bare . ../bare`, "../bare", "blob f in refs/heads/main", 0},
		{"linked_worktree", "PYNY", `git worktree add -q ../linked; cd ../linked; leak f; commit 2; cd ../repo`, "../linked", "blob f in refs/heads/linked", 0},
		{"detached_worktree", "????", `git worktree add -q --detach ../linked; cd ../linked; leak f; commit 2; cd ../repo`, "", "blob f", 0},
		{"staged_in_worktree", "????", `git worktree add -q ../linked; cd ../linked; leak f; git add f; cd ../repo`, "", "index f", 0},
		{"staged_in_main_worktree", "????", `git worktree add -q ../linked; leak f; git add f`, "../linked", "index f", 0},
		{"worktree_reflog", "????", `git worktree add -q --detach ../linked; cd ../linked; leak f; commit 2; git reset -q --hard HEAD~; cd ../repo; rm -f .git/worktrees/linked/ORIG_HEAD`, "", "blob f (reflog worktrees/linked/HEAD@{1})", 0},
		{"alternates", "YYYY", `leak f; commit 2; git clone -q --shared . ../shared`, "../shared", "blob f in refs/heads/main *", 0},
		{"alternates_unreachable", "NNNN", `git clone -q --shared . ../shared; echo "$pair" | git hash-object -w --stdin >/dev/null`, "../shared", "blob  (no ref, reflog, commit or tree leads to it)", 0},
		{"submodule", "NNNN", `leak f; commit 2; git init -q -b main ../super; cd ../super; git submodule --quiet add ../repo sub`, "../super/sub", "blob f in refs/heads/main *", 0},
		{"submodule_of_work_tree", "NNNN", `leak f; commit 2; git rm -q f; commit 3; git init -q -b main ../super; cd ../super; git submodule --quiet add ../repo vendor/sub`, "../super", "blob vendor/sub/f in refs/heads/main *", 0},
		{"submodule_message", "NNNN", `commit "$pair"; git init -q -b main ../super; cd ../super; git submodule --quiet add ../repo sub`, "../super", "commit-message  in refs/heads/main *", 0},
		{"submodule_modified", "NNNN", `clean f; commit 2; git init -q -b main ../super; cd ../super; git submodule --quiet add ../repo sub; cd sub; leak f`, "../super", "worktree sub/f", 0},
		{"submodule_of_submodule", "NNNN", `leak f; commit 2; git init -q -b main ../mid; cd ../mid; git submodule --quiet add ../repo in; git commit -qm 1; git init -q -b main ../super; cd ../super; git submodule --quiet add ../mid mid; git submodule --quiet update --init --recursive`, "../super", "blob mid/in/f in refs/heads/main *", 0},
		{"submodule_git_dir", "NNNN", `leak f; commit 2; git init -q -b main ../super; cd ../super; git submodule --quiet add ../repo sub`, "../super/.git/modules/sub", "blob f in refs/heads/main *", 0},
		{"sha256", "????", `git init -q -b main --object-format=sha256 ../new; cd ../new; leak f; commit 2; git rm -q f; commit 3; git gc -q`, "../new", "blob f in refs/heads/main", 0},
		{"sha256_staged", "????", `git init -q -b main --object-format=sha256 ../new; cd ../new; leak f; git add .`, "../new", "index f", 0},
		{"replaced", "????", `leak f; commit 2; git rm -q f; commit 3; git replace HEAD~ HEAD`, "", "blob f in refs/heads/main *", 0},
		{"half_fetched", "NNNN", `leak f; git add f; git rev-parse :f | git pack-objects -q --stdout >../p; git reset -q --hard; git prune; mv ../p .git/objects/pack/tmp_pack_x`, "", "blob  (no ref, reflog, commit or tree leads to it)", 0},
		{"pack_without_index", "NNNN", `leak f; commit 2; git repack -qad; rm -f .git/objects/pack/*.idx .git/objects/pack/*.rev`, "", "blob f in refs/heads/main", 0},
		{"bisected", "????", `leak f; commit 2; git update-ref refs/bisect/bad HEAD; git reset -q --hard HEAD~; rm -f .git/ORIG_HEAD; forget`, "", "blob f in refs/bisect/bad", 0},
		{"shallow", "YYYY", `leak f; commit 2; git clone -q --depth 1 file://$PWD ../s`, "../s", "blob f in refs/heads/main *", cli.ExitIncomplete},
		{"partial_clone", "????", `leak f; commit 2; git config uploadpack.allowFilter true; clean f; commit 3; leak g; commit 4; git rm -q f; commit 5; git clone -q --filter=blob:none file://$PWD ../p`, "../p", "blob g in refs/heads/main *", cli.ExitIncomplete},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			script := detectorstest.Fill(leaking + strings.ReplaceAll(tt.script, "{UTF16}", inUTF16(detectorstest.Fill(keyFile))))
			dir := scannertest.Repo(t, script+"\n")
			repo := filepath.Join(dir, tt.open)
			report, status := scanPlaces(t, repo)
			if want := max(tt.status, cli.ExitLeaks); status != want {
				t.Errorf("exit status %d, want %d", status, want)
			}
			want := strings.Replace(tt.want, "{HEAD}", scannertest.Git(t, dir, "rev-parse", "HEAD"), 1)
			if got := placesOf(t, repo, report); !slices.ContainsFunc(got, func(s string) bool { return glob(want, s) }) {
				t.Errorf("places are %q, want %q", got, want)
			}
		})
	}
}

// glob reports whether s is pattern, in which "*" at the end of a word stands for
// anything.
func glob(pattern, s string) bool {
	begin, end, star := strings.Cut(pattern, "*")
	return s == pattern || star && strings.HasPrefix(s, strings.TrimSpace(begin)) && strings.HasSuffix(s, end)
}

// A placesReport is what of a report matters here.
type placesReport []struct {
	Type         string
	KeyID        string `json:"key_id"`
	SecretSHA256 string `json:"secret_sha256"`
	Locations    []struct {
		Kind finding.Kind
		Path string
		Blob finding.BlobID
	}
}

// scanPlaces scans a repository as the user does.
func scanPlaces(t *testing.T, repo string) (placesReport, int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status := cli.ExitCode(&stderr, run(context.Background(), []string{"git", "--no-verify", "-v", "-f", "json", repo}, nil, &stdout, &stderr))
	return parsePlaces(t, stdout.Bytes()), status
}

func parsePlaces(t *testing.T, stdout []byte) placesReport {
	t.Helper()
	var report placesReport
	for line := range bytes.Lines(stdout) {
		report = append(report, placesReport{{}}...)
		if err := json.Unmarshal(line, &report[len(report)-1]); err != nil {
			t.Fatal(err)
		}
	}
	return report
}

// placesOf returns where the pair is, and what Locate says of it.
func placesOf(t *testing.T, repo string, report placesReport) []string {
	t.Helper()
	r, err := gitsource.Open(repo)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var places []string
	for _, f := range report {
		if f.KeyID != detectorstest.Fill("{AKIA1}") || f.SecretSHA256 == "" {
			continue
		}
		for _, l := range f.Locations {
			err := r.Locate(context.Background(), []finding.BlobID{l.Blob}, func(_ finding.BlobID, p finding.Location) error {
				place := fmt.Sprintf("%s %s", p.Kind, p.Path)
				if p.Unreachable != "" {
					place += " (" + p.Unreachable + ")"
				}
				if len(p.Refs) > 0 {
					place += " in " + strings.Join(p.Refs, " ")
				}
				if p.Kind == l.Kind && p.Path == l.Path {
					places = append(places, place)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		}
	}
	return places
}

// TestPointerIsReceived: a pointer of Git LFS can be committed, pushed and received where its
// content is not, and the hooks say that they did not read it.
func TestPointerIsReceived(t *testing.T) {
	dir := scannertest.Repo(t, `
git init -q --bare ../bare; git remote add origin ../bare
(cd ../bare; stanch hook install --stage pre-receive) >/dev/null; stanch hook install >/dev/null
printf 'version https://git-lfs.github.com/spec/v1\noid sha256:%064d\nsize 12345\n' 7 >a.psd
git add a.psd; git commit -qm pointer 2>../commit.txt; git push -q origin HEAD 2>../push.txt; git -C ../bare rev-parse --all >../received
`)
	for name, want := range map[string]string{"commit.txt": "stanch: 1 text not read, for a known reason", "push.txt": "remote: stanch: 1 text not read, for a known reason", "received": "\n"} {
		if data, err := os.ReadFile(filepath.Join(dir, "..", name)); err != nil || !strings.Contains(string(data), want) {
			t.Errorf("%s: %v: %q", name, err, data)
		}
	}
}

// TestQuarantine pushes a key to a repository whose pre-receive hook scans it: what
// is pushed is in no object directory yet that a ref could lead to.
func TestQuarantine(t *testing.T) {
	for name, config := range map[string]string{"loose": "receive.unpackLimit 1000", "pack": "receive.unpackLimit 1"} {
		t.Run(name, func(t *testing.T) {
			dir := scannertest.Repo(t, detectorstest.Fill(leaking+`
git clone -q --bare . ../bare; mkdir ../bare/hooks; git -C ../bare config `+config+`
cat >../bare/hooks/pre-receive <<'END'
#!/bin/sh
stanch git --no-verify -v -f json . >../hook.json 2>../hook.txt
echo $? >../status
END
chmod +x ../bare/hooks/pre-receive
echo 'exit 1' >>../bare/hooks/pre-receive
leak f; commit 2
git push -q ../bare main 2>../push.txt || true
`))
			beside := func(name string) []byte {
				data, err := os.ReadFile(filepath.Join(dir, "..", name))
				if err != nil {
					t.Fatal(err)
				}
				return data
			}
			if got := strings.TrimSpace(string(beside("status"))); got != fmt.Sprint(cli.ExitLeaks) {
				t.Errorf("exit status %s: %s", got, beside("hook.txt"))
			}
			found := false
			for _, f := range parsePlaces(t, beside("hook.json")) {
				found = found || f.KeyID == detectorstest.Fill("{AKIA1}") && f.SecretSHA256 != ""
			}
			if !found {
				t.Errorf("the hook found nothing: %s", beside("hook.json"))
			}
		})
	}
}

// TestObjectDirectory scans what only the environment names.
func TestObjectDirectory(t *testing.T) {
	dir := scannertest.Repo(t, detectorstest.Fill(leaking+`
mkdir -p ../here ../there
leak f; export GIT_ALTERNATE_OBJECT_DIRECTORIES=$PWD/.git/objects
h=$(GIT_OBJECT_DIRECTORY=$PWD/../here git hash-object -w f)
`))
	for _, name := range []string{"GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", ""} {
		t.Run(name, func(t *testing.T) {
			want := 0
			if name != "" {
				t.Setenv(name, filepath.Join(dir, "..", "here"))
				want = cli.ExitLeaks
			}
			if _, status := scanPlaces(t, dir); status != want {
				t.Errorf("exit status %d, want %d", status, want)
			}
		})
	}
}
