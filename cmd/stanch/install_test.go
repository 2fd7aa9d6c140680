package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// releases makes what a release has, and programs that stand for curl and gh.
const releases = `set -eu
mkdir -p releases bin src
printf '#!/bin/sh\necho stanch of the release\n' >src/stanch; chmod +x src/stanch
tar -czf releases/stanch_0.1.0_linux_amd64.tar.gz -C src stanch
(cd releases && sha256sum *.tar.gz >checksums.txt)
cat >bin/curl <<'END'
#!/bin/sh
for a; do case $last in --output) out=$a ;; esac; last=$a; done
case $* in *"--proto =https --tlsv1.2 --fail"*https://github.com/stanch-dev/stanch/releases/download/v0.1.0/*) ;; *) exit 9 ;; esac
cp "$HERE/releases/${last##*/}" "$out"
END
cat >bin/gh <<'END'
#!/bin/sh
case "$*" in *"--repo stanch-dev/stanch --signer-workflow stanch-dev/stanch/.github/workflows/release.yml"*) exit $ATTESTED ;; esac
exit 9
END
chmod +x bin/*
`

// TestInstall runs the script that the action installs stanch with: what is not what
// it should be is not run.
func TestInstall(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the script is the same elsewhere; what it stands on here is Linux's")
	}
	scannertest.Need(t, "bash", "sh", "tar", "sha256sum")
	script, err := filepath.Abs("../../.github/action/install.sh")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, spoil string // a change of what the release has
		env         string
		status      int
		want        string
	}{
		{"release", "", "INSTALL=release VERSION=v0.1.0 GH_TOKEN=x ATTESTED=0", 0, "stanch of the release"},
		{"auto_of_a_tag", "", "INSTALL=auto ACTION_REF=v0.1.0 GH_TOKEN=x ATTESTED=0", 0, "stanch of the release"},
		{"without_token", "", "INSTALL=release VERSION=v0.1.0", 0, "only the checksum"},
		{"not_attested", "", "INSTALL=release VERSION=v0.1.0 GH_TOKEN=x ATTESTED=1", 3, "not that of its release workflow"},
		{"changed", "echo x >>releases/stanch_0.1.0_linux_amd64.tar.gz", "INSTALL=release VERSION=v0.1.0 ATTESTED=0", 3, "the checksum of stanch_0.1.0_linux_amd64.tar.gz is wrong"},
		{"changed_auto", "echo x >>releases/stanch_0.1.0_linux_amd64.tar.gz", "INSTALL=auto VERSION=v0.1.0 ATTESTED=0", 3, "the checksum of"},
		{"not_listed", ": >releases/checksums.txt", "INSTALL=release VERSION=v0.1.0", 3, "the checksum of"},
		{"no_such_release", "", "INSTALL=release VERSION=v9.9.9", 3, "cannot be downloaded"},
		{"no_version", "", "INSTALL=release ACTION_REF=main", 3, "needs a version"},
		{"a_path_as_version", "", "INSTALL=release VERSION=v0.1.0/../../x", 3, "needs a version"},
		{"unknown_machine", "", "INSTALL=release VERSION=v0.1.0 RUNNER_ARCH=S390X", 3, "there is no release for S390X"},
		{"path", "", "INSTALL=path BIN=src/stanch", 0, "stanch of the release"},
		{"auto_with_path", "", "INSTALL=auto BIN=src/stanch VERSION=v0.1.0", 0, "stanch of the release"},
		{"no_program", "", "INSTALL=path BIN=releases/checksums.txt", 3, "is no program"},
		{"unknown", "", "INSTALL=magic", 3, "none of auto, release, source, path"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			bash := func(script string, args ...string) (string, error) {
				cmd := exec.Command("bash", append([]string{"-c", script}, args...)...)
				cmd.Dir = dir
				cmd.Env = append([]string{"HERE=" + dir, "RUNNER_TEMP=" + dir, "GITHUB_OUTPUT=" + dir + "/output", "RUNNER_OS=Linux", "RUNNER_ARCH=X64", "BIN=",
					"PATH=" + dir + "/bin" + string(os.PathListSeparator) + os.Getenv("PATH")}, strings.Fields(tt.env)...)
				out, err := cmd.CombinedOutput()
				return string(out), err
			}
			if out, err := bash(releases + tt.spoil); err != nil {
				t.Fatal(out, err)
			}
			out, err := bash(`bash "$0"; status=$?; cat output 2>/dev/null; exit $status`, script)
			status := 0
			if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
				status = exit.ExitCode()
			}
			if status != tt.status || !strings.Contains(out, tt.want) || strings.Contains(out, "bin=") != (status == 0) {
				t.Errorf("exit status %d, want %d and %q\n%s", status, tt.status, tt.want, out)
			}
			if status != 0 && !strings.Contains(out, "::error title=stanch::Nothing was scanned: ") {
				t.Errorf("it does not say that nothing was scanned:\n%s", out)
			}
		})
	}
}
