package checkout

import (
	"context"
	"errors"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/scanner/ci"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// everythingServer has branches and tags, some of which lead to commits of their own, and
// changes after the checkouts were made.
const everythingServer = `
git config uploadpack.allowAnySHA1InWant true; git config uploadpack.allowFilter true
commit 1; commit 2; git branch folder
git checkout -qb other; echo o >o; commit other
git checkout -q --detach main; echo t >t; commit tagged; git tag -a alone -m alone; git tag moving
git checkout -q main; commit 3
`

// checkedOut begins the script that makes a checkout of it.
const checkedOut = `SERVER=file://$PWD
mkdir ../c; cd ../c
`

// everythingLater changes the server once there are checkouts.
const everythingLater = `
cd "$OLDPWD"; git checkout -q other; echo p >p; commit later; git checkout -q main
git branch -D folder; git branch folder/below other
git checkout -q --detach main; echo m >m; commit moved; git tag -f moving; git checkout -q main
`

// TestEverything: however few refs of the server a checkout has, all branches and tags are
// there afterwards with their history; otherwise the range says that they are not.
func TestEverything(t *testing.T) {
	const unread = "all branches and tags of the server"
	service := ci.Event{Service: "x", Name: "schedule", Kind: ci.Everything}
	user := ci.Event{}.Whole()
	serverOnce := scannertest.Once(func() string { return everythingServer })
	for _, tt := range []struct {
		name, script string // which makes a checkout
		event        ci.Event
		unread       string
	}{
		{"one_branch", `git clone -q --single-branch -b main $SERVER .`, service, ""},
		{"one_branch_of_the_user", `git clone -q --single-branch -b main $SERVER .`, user, ""},
		{"depth_of_more_than_there_is", `git init -q; git remote add origin $SERVER; git fetch -q --no-tags --depth=50 origin +refs/heads/main:refs/remotes/origin/main`, service, ""},
		{"depth_of_one", `git clone -q --depth=1 $SERVER .`, service, ""},
		{"no_ref", `git init -q; git remote add origin $SERVER; git fetch -q --no-tags origin main; git checkout -q --detach FETCH_HEAD`, service, ""},
		{"no_tags", `git clone -q --no-tags $SERVER .`, service, ""},
		{"one_tag", `git clone -q --single-branch -b moving $SERVER .`, service, ""},
		{"before_the_server_changed", `git clone -q $SERVER .`, service, ""},
		{"tag_of_its_own", `git clone -q $SERVER .; git checkout -q --detach; echo own >own; commit own; git tag -f moving`, service, ""},
		{"that_prunes", `git clone -q --single-branch -b main $SERVER .; git config fetch.prune true; git config fetch.pruneTags true; git update-ref refs/remotes/origin/kept HEAD; git tag kept`, service, ""},
		{"mirror", `git clone -q --mirror $SERVER .`, service, ""},
		{"without_files", `git clone -q --single-branch -b main --filter=blob:none $SERVER .`, service, ""},
		{"remote_of_another_name", `git clone -q --single-branch -b main -o upstream $SERVER .; git config remote.origin.prune true`, service, ""},
		{"no_remote_of_a_user", `git init -q; commit 1`, user, ""},

		{"no_remote", `git init -q; commit 1`, service, "no remote"},
		{"no_remote_and_shallow", `git clone -q --depth=1 $SERVER .; git remote remove origin`, user, "no remote"},
		{"remote_without_a_url", `git clone -q $SERVER .; git config --unset remote.origin.url`, service, "no remote"},
		{"remote_without_a_url_of_a_user", `git clone -q --single-branch -b main $SERVER .; git config --unset remote.origin.url`, user, "no remote"},
		{"no_server", `git clone -q $SERVER .; git remote set-url origin $SERVER/none`, service, "git ls-remote"},
		{"damaged_server", `git clone -q --single-branch -b main $SERVER .` + everythingLater + `rm -f .git/objects/$(git rev-parse other: | sed 's:^..:&/:'); cd ../c`, service, "git fetch"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			script := checkedOut + tt.script
			if !strings.Contains(script, everythingLater) {
				script += everythingLater
			}
			server := serverOnce(t)
			scannertest.Script(t, server, script)
			dir := filepath.Join(server, "../c")
			before := refs(t, dir)
			r, err := (&Checkout{Dir: dir}).Resolve(t.Context(), &tt.event)
			if err != nil || !r.All {
				t.Fatalf("%+v, %v", r, err)
			}
			if whole := strings.Contains(strings.Join(r.Notes, ""), "The whole repository is scanned"); whole != (tt.unread == "") {
				t.Errorf("it says %q", r.Notes)
			}
			if tt.unread != "" {
				if r.Unread == nil || !strings.Contains(r.Unread.Error(), unread) || !strings.Contains(r.Unread.Error(), tt.unread) {
					t.Errorf("unread is %v, want %q", r.Unread, tt.unread)
				}
				return
			}
			if r.Unread != nil {
				t.Error(r.Unread)
			}
			if strings.HasPrefix(tt.name, "no_remote") {
				return
			}
			after := refs(t, dir)
			for name, id := range before {
				if now := after[name]; now == "" || now != id && !strings.HasPrefix(name, "refs/remotes/") && tt.name != "mirror" {
					t.Errorf("%s was %s and is %q", name, id, now)
				}
			}
			tips := strings.Fields(scannertest.Git(t, server, "for-each-ref", "--format=%(objectname)", "refs/heads", "refs/tags"))
			scannertest.Git(t, dir, append([]string{"rev-list", "--objects", "--missing=error"}, tips...)...)
			if shallow := scannertest.Git(t, dir, "rev-parse", "--is-shallow-repository"); shallow != "false" {
				t.Error("it is still shallow")
			}
		})
	}
}

// TestEverythingIsThere: a checkout that has all is asked for nothing, and keeps its tags.
func TestEverythingIsThere(t *testing.T) {
	server := scannertest.Repo(t, everythingServer+checkedOut+`git clone -q $SERVER .; git tag here main; git update-ref refs/remotes/origin/kept HEAD; git config fetch.prune true`)
	dir := filepath.Join(server, "../c")
	before := refs(t, dir)
	var log []string
	e := ci.Event{Service: "x", Kind: ci.Everything}
	r, err := (&Checkout{Dir: dir, Log: func(s string) { log = append(log, s) }}).Resolve(t.Context(), &e)
	if after := refs(t, dir); err != nil || r.Unread != nil || len(log) > 0 || !maps.Equal(after, before) {
		t.Errorf("%v, %v, %q\n%s\nwas\n%s", err, r.Unread, log, after, before)
	}
}

// refs returns the ids of all refs by name.
func refs(t *testing.T, dir string) map[string]string {
	t.Helper()
	ids := map[string]string{}
	for line := range strings.Lines(scannertest.Git(t, dir, "for-each-ref", "--format=%(refname) %(objectname)")) {
		name, id, _ := strings.Cut(strings.TrimSpace(line), " ")
		ids[name] = id
	}
	return ids
}

func TestEverythingCancelled(t *testing.T) {
	server := scannertest.Repo(t, everythingServer+checkedOut+`git clone -q --single-branch -b main $SERVER .`)
	ctx, cancel := context.WithCancel(t.Context())
	e := ci.Event{Service: "x", Kind: ci.Everything}
	_, err := (&Checkout{Dir: filepath.Join(server, "../c"), Log: func(string) { cancel() }}).Resolve(ctx, &e)
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestNewRefs: only the default branch hides commits of a new ref, since nobody may have
// scanned another. Without the server, the checkout's copy of it does; with it, the copy
// does not, which may be ahead after a forced push, as on a runner that keeps checkouts.
func TestNewRefs(t *testing.T) {
	server := scannertest.Repo(t, `commit 1; commit 2; git tag v1
git checkout -qb dev; echo d >d; commit 3; git tag v2
git branch release; git branch a-release; echo e >e; commit 4; git branch z-release
git checkout -q main; echo m >m; commit 5
git clone -q "file://$PWD" ../c; git clone -q --depth=1 --no-single-branch "file://$PWD" ../shallow
git clone -q "file://$PWD" ../ahead; git -C ../ahead update-ref refs/remotes/origin/main $(git rev-parse z-release)
git checkout -q --detach main; echo n >n; commit 6; git branch -f main; git checkout -q main`)
	for _, dir := range []string{"../c", "../shallow", "../ahead"} {
		for _, tt := range []struct {
			ref, defaultBranch string
			offline            bool
			commits            int
			tip                bool
			says               string
		}{
			{"refs/heads/release", "main", false, 1, false, ""},
			{"refs/heads/a-release", "main", false, 1, false, ""},
			{"refs/heads/z-release", "main", false, 2, false, ""},
			{"refs/tags/v2", "main", false, 1, false, ""},
			{"refs/tags/v1", "main", false, 1, true, "No commit of this push is new"},
			{"refs/heads/main", "main", false, 4, false, ""},
			{"refs/heads/release", "dev", false, 1, true, "No commit of this push is new"},
			{"refs/heads/release", "", false, 3, false, "names no default branch"},
			{"refs/heads/release", "gone", false, 3, false, "could not be fetched: everything up to the commit"},
			{"refs/heads/release", "main", true, 1, false, "could not be fetched: its state in the checkout is left out"},
		} {
			e := ci.Event{
				Service: "x", Name: "push", Kind: ci.Commits, Ref: tt.ref, DefaultBranch: tt.defaultBranch, Commits: 5,
				Head: scannertest.Git(t, server, "rev-parse", tt.ref), HeadRefs: []string{tt.ref},
			}
			if tt.offline && dir == "../ahead" {
				continue
			}
			c := filepath.Join(server, dir)
			url := scannertest.Git(t, c, "config", "remote.origin.url")
			if tt.offline {
				scannertest.Git(t, c, "config", "remote.origin.url", url+"-gone")
			}
			r, err := (&Checkout{Dir: c}).Resolve(t.Context(), &e)
			scannertest.Git(t, c, "config", "remote.origin.url", url)
			name := dir + ": " + tt.ref + " beside " + tt.defaultBranch
			if err != nil || r.Unread != nil {
				t.Errorf("%s: %v, unread %v", name, err, r.Unread)
				continue
			}
			if r.Commits != tt.commits || r.Tip != tt.tip {
				t.Errorf("%s: %d commits, tip %v; want %d, %v", name, r.Commits, r.Tip, tt.commits, tt.tip)
			}
			if notes := strings.Join(r.Notes, " "); !strings.Contains(notes, tt.says) {
				t.Errorf("%s: it says %q, want %q", name, notes, tt.says)
			}
		}
	}
}
