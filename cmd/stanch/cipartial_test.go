package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// TestCIPartial: what a checkout with a filter left out is fetched, if somebody has it,
// and said to be unread, if nobody has. TestCIEvents has the same for all events.
func TestCIPartial(t *testing.T) {
	const token = "ghs_token-of-this-test"
	dir := filepath.Dir(scannertest.Repo(t, detectorstest.Fill(`
git init -q --bare ../server.git
git config -f ../server.git/config uploadpack.allowFilter true
git config -f ../server.git/config uploadpack.allowAnySHA1InWant true
git remote add origin ../server.git
remember() { echo "$1=$(git rev-parse HEAD)" >>../ids; }
printf 'id = {AKIA1}\nsecret = {secret1}\n' >old.ini; seq 20 >f; commit base; remember base
echo more >>old.ini; commit edit; remember edited; echo other >old.ini; commit clean; remember cleaned
printf 'id = {AKIA2}\nsecret = {secret2}\n' >new.ini; commit leak; git rm -q new.ini; commit removed; remember removed
git push -q origin main`)))
	c := ciTestIn(t, dir)
	open, guarded := c.url, serveGit(t, dir, token)
	const fetching = "this is a partial clone: fetching "
	tests := []struct {
		name, before, after, filter string
		server, token               string
		status                      int
		keys, says                  string
	}{
		{"leak_that_was_removed", "cleaned", "removed", "blob:none", open, "", 1, "2", fetching + "1 object (files of the range)"},
		{"old_key_in_an_edited_file", "base", "cleaned", "blob:none", open, "", 0, "", fetching + "1 object (the earlier versions of its files)"},
		{"folders_missing_too", "cleaned", "removed", "tree:0", open, "", 1, "2", fetching},
		{"large_files_only", "cleaned", "removed", "blob:limit=10", open, "", 1, "2", fetching},
		{"with_the_token", "cleaned", "removed", "blob:none", guarded, token, 1, "2", fetching},
		{"without_the_token", "cleaned", "removed", "blob:none", guarded, "", 3, "", "this partial clone lacks 1 object (files of the range)"},
		{"without_a_server", "cleaned", "removed", "blob:none", "http://127.0.0.1:1", "", 3, "", "this partial clone lacks 1 object (files of the range)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := c.checkout(t, "main", "--depth=20", "--filter="+tt.filter)
			scannertest.Git(t, dir, "remote", "set-url", "origin", tt.server+"/server.git")
			config := scannertest.Git(t, dir, "config", "--local", "--list")
			t.Setenv("STANCH_TOKEN", tt.token)
			t.Setenv("TEST_GITHUB_SERVER_URL", "")
			t.Setenv("GITHUB_SERVER_URL", tt.server)
			r := runCI(t, dir, "push", c.fill(`{"ref":"refs/heads/main","before":"{`+tt.before+`}","after":"{`+tt.after+`}",`+repository+`}`))
			if r.status != tt.status || r.keys != tt.keys || !strings.Contains(r.log, tt.says) {
				t.Errorf("exit status %d, keys %q, want %d, %q and %q\n%s", r.status, r.keys, tt.status, tt.keys, tt.says, r.log)
			}
			if now := scannertest.Git(t, dir, "config", "--local", "--list"); now != config {
				t.Errorf("the configuration was\n%s\nand is\n%s", config, now)
			}
		})
	}
}
