package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// TestCIConfig: what a pull request says about itself does not count; what the
// branch says that it is to be merged into does.
func TestCIConfig(t *testing.T) {
	const script = `
git init -q --bare ../server.git
git config -f ../server.git/config uploadpack.allowAnySHA1InWant true
git remote add origin ../server.git
remember() { echo "$1=$(git rev-parse HEAD)" >>../ids; }
allow() { printf '[[allow]]\npaths = ["^app"]\nreason = "none of your business"\n' >.stanch.toml; commit allow; }
leak() { printf 'id = %s\nsecret = %s\n' {AKIA1} {secret1} >app.env; commit leak; }
echo 1 >f; commit one; remember plain; git push -q origin main
git checkout -qb sly; allow; leak; remember sly; git push -q origin HEAD:refs/pull/1/head
git checkout -q main; allow; remember allowed; git push -q origin main
git checkout -qb honest; leak; remember honest; git push -q origin HEAD:refs/pull/2/head
git checkout -qb rude main; echo '[[allow]' >.stanch.toml; commit broken; leak; remember rude; git push -q origin HEAD:refs/pull/3/head
`
	dir := filepath.Dir(scannertest.Repo(t, detectorstest.Fill(script)))
	c := ciTestIn(t, dir)
	for _, tt := range []struct {
		name, head, base, number string
		status                   int
	}{
		{"allowed_by_the_request", "sly", "plain", "1", 1},
		{"allowed_by_the_base", "honest", "allowed", "2", 0},
		{"broken_in_the_request", "rude", "allowed", "3", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			payload := c.fill(`{"number":` + tt.number + `,"pull_request":{"number":` + tt.number + `,"commits":2,"head":{"sha":"{` + tt.head +
				`}","repo":{"full_name":"ada/app"}},"base":{"sha":"{` + tt.base + `}","repo":{"full_name":"ada/app"}}},` + repository + `}`)
			r := runCI(t, c.checkout(t, "refs/pull/"+tt.number+"/head"), "pull_request", payload)
			if r.status != tt.status || strings.Contains(r.log, "NOT VERIFIED") != (tt.status == 1) {
				t.Errorf("exit status %d, want %d\n%s", r.status, tt.status, r.log)
			}
		})
	}
}
