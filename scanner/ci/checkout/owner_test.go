package checkout

import (
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/scanner/ci"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// TestCheckoutOfAnother: stanch works in a checkout that another user owns, unless it has a
// setting that could make git run a program. No program runs in any case.
func TestCheckoutOfAnother(t *testing.T) {
	closed := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("WWW-Authenticate", "Basic")
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer closed.Close()
	for _, tt := range []struct {
		name, config string
		says         string // why the checkout is refused, or its commits are unread
	}{
		{"as CI makes it", `git config http.https://github.com/.extraheader x; git config --add gc.auto 0; git config extensions.worktreeConfig true
git config includeIf.gitdir:/x/.git.path /x; git config lfs.repositoryformatversion 0; git config submodule.a.b.url x; git config branch.main.remote origin`, ""},
		{"hooks", `git config core.hooksPath ../hooks; mkdir ../hooks; cp ../evil ../hooks/reference-transaction; cp ../evil .git/hooks/`, ""},
		{"fsmonitor", "git config core.fsmonitor ../evil", ""},
		{"ssh", "git config core.sshCommand ../evil; git remote set-url origin ssh://127.0.0.1:1/x", ""},
		{"credentials", "git config credential.helper '!../evil'", ""},
		{"credentials of a server", `git config credential.{closed}.helper '!../evil'`, ""},
		{"ext", `git remote set-url origin "ext::../evil"`, ""},
		{"ext by another name", `git config url.ext::../evil.insteadOf {closed}`, ""},
		{"a repository that only we may read", `git remote set-url origin "$PWD/../server"`, "transport 'file' not allowed"},
		{"askPass", "git config core.askPass ../evil", "core.askpass"},
		{"upload-pack", `git remote set-url origin file:///x; git config remote.origin.uploadpack ../evil`, "remote.origin.uploadpack"},
		{"vcs", "git config remote.origin.vcs ext", "remote.origin.vcs"},
		{"proxy", "git config http.proxy http://127.0.0.1:1", "http.proxy"},
		{"gitProxy", "git remote set-url origin git://127.0.0.1:1/x; git config core.gitProxy ../evil", "core.gitproxy"},
		{"refs of alternates", "git config core.alternateRefsCommand ../evil", "core.alternaterefscommand"},
		{"hooks of git 2.54", "git config hook.evil.command ../evil; git config hook.evil.event reference-transaction", "hook.evil."},
		{"included", "git config -f ../more core.askPass ../evil; git config include.path ../../more", "core.askpass"},
		{"in a linked work tree", "git config extensions.worktreeConfig true; git config --worktree core.askPass ../evil", "core.askpass"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			script := `commit a; commit b; git clone -q --depth=1 "file://$PWD" ../checkout
printf '#!/bin/sh\necho "$0 $*" >>"%s/../ran"; exit 1\n' "$PWD" >../evil; chmod +x ../evil
cd ../checkout; git remote set-url origin {closed}; mkdir -p .git/hooks
` + tt.config
			server := scannertest.Repo(t, strings.ReplaceAll(script, "{closed}", closed.URL))
			base, head := scannertest.Git(t, server, "rev-parse", "HEAD~"), scannertest.Git(t, server, "rev-parse", "HEAD")
			t.Setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
			e := ci.Event{Service: "x", Name: "push", Kind: ci.Commits, Ref: "refs/heads/main", Base: base, Head: head}
			r, err := (&Checkout{Dir: filepath.Join(server, "../checkout")}).Resolve(t.Context(), &e)
			if err == nil {
				err = r.Unread // the server gives nothing
			}
			refused := tt.says != "" && !strings.Contains(tt.says, "transport")
			if err == nil || errors.Is(err, ErrOwner) != refused || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v; want refused: %v, and %q", err, refused, tt.says)
			}
			if ran, err := os.ReadFile(filepath.Join(server, "../ran")); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("it ran %s%v", ran, err)
			}
		})
	}
}

// TestFolderOfAnother: git wants to see the folder in safe.directory that it finds itself.
func TestFolderOfAnother(t *testing.T) {
	work := scannertest.Repo(t, `mkdir sub; commit a; git worktree add -q ../linked; ln -s "$PWD" ../link
git clone -q --bare . inner/full.git; git -c protocol.file.allow=always submodule --quiet add "file://$PWD" module`)
	t.Setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
	for _, folder := range []string{".", "sub", "inner/full.git", "module", "../linked", "../link", "../link/sub"} {
		e := ci.Event{}.Given("", "HEAD")
		if r, err := (&Checkout{Dir: filepath.Join(work, folder)}).Resolve(t.Context(), &e); err != nil || r.Commits != 1 {
			t.Errorf("%s: %d commits, %v", folder, r.Commits, err)
		}
	}
}
