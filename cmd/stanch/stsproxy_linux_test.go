package main

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// TestSTSProxy: with --sts-proxy a key is verified through the proxy, under AWS's own name and
// certificate. Neither the environment nor the configuration of the project chooses one, and
// the password of the proxy is printed nowhere.
func TestSTSProxy(t *testing.T) {
	const host, user = "sts.us-east-1.amazonaws.com", "olga:hunter2"
	sts := verifiertest.NewUnstartedSTS(verifiertest.User(detectorstest.Account, "alice", 1))
	aws, certificate := verifiertest.NewTLS(t, sts, host)
	dir := t.TempDir()
	ca := filepath.Join(dir, "ca.pem")
	writeFile(t, ca, string(certificate))
	writeFile(t, filepath.Join(dir, "leak.env"), detectorstest.Fill("AWS_ACCESS_KEY_ID={AKIA1}\nAWS_SECRET_ACCESS_KEY={secret1}\n"))
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(dir, "stanch")); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		user   string // that the proxy takes
		args   []string
		config string
		code   int
		says   string
		asked  int // by way of the proxy
	}{
		{name: "variable", user: user, args: []string{"--sts-proxy", "env:MY_PROXY"}, code: cli.ExitLeaks, says: `"state":"live"`, asked: 1},
		{name: "wrong password", user: "olga:other", args: []string{"--sts-proxy", "env:MY_PROXY"}, code: cli.ExitLeaks, says: "no answer: the proxy refuses the user and the password", asked: 1},
		{name: "no variable", args: []string{"--sts-proxy", "env:NO_PROXY_HERE"}, code: cli.ExitUsage, says: "--sts-proxy env:NO_PROXY_HERE: the variable is not set"},
		{name: "no URL", args: []string{"--sts-proxy", "olga:hunter2@proxy"}, code: cli.ExitUsage, says: "want http://HOST:PORT"},
		{name: "environment", code: cli.ExitLeaks, says: "no answer: "},
		{name: "project", config: "sts-proxy = \"http://127.0.0.1:1\"\n", code: cli.ExitUsage, says: ".stanch.toml"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := &verifiertest.Proxy{To: aws.Listener.Addr().String(), User: tt.user}
			way := httptest.NewServer(p)
			t.Cleanup(way.Close)
			address := strings.Replace(way.URL, "://", "://"+user+"@", 1)
			config := filepath.Join(dir, ".stanch.toml")
			writeFile(t, config, tt.config)
			args := append([]string{"dir", "--verify", "--no-cache", "--format", "json", "--config", config}, tt.args...)
			cmd := exec.CommandContext(t.Context(), filepath.Join(dir, "stanch"), append(args, "leak.env")...)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "MY_PROXY="+address, "HTTPS_PROXY="+address, "https_proxy="+address, "ALL_PROXY="+address, "SSL_CERT_FILE="+ca)
			out, _ := cmd.CombinedOutput() // the exit code is looked at
			if code := cmd.ProcessState.ExitCode(); code != tt.code || !strings.Contains(string(out), tt.says) || strings.Contains(string(out), "hunter2") {
				t.Errorf("exit code %d\n%s", code, out)
			}
			if hosts := p.Hosts(); len(hosts) != tt.asked || slices.ContainsFunc(hosts, func(h string) bool { return h != host+":443" }) {
				t.Errorf("the proxy was asked for %q", hosts)
			}
		})
	}
}
