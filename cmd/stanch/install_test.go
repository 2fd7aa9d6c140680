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

// releases makes the files of releases, the action's own source, and programs that stand
// for curl, gh, go and unzip. $GH says how gh is: new, forged (new, and it refuses the
// attestation), or of a version that cannot verify.
const releases = `set -eu
mkdir -p releases bin src action/cmd/stanch
echo 0.1.0 >action/cmd/stanch/VERSION
printf '#!/bin/sh\necho stanch of the release\n' >src/stanch; cp src/stanch src/stanch.exe; chmod +x src/*
for v in 0.1.0 3.1.0; do
	tar -czf releases/stanch_${v}_linux_amd64.tar.gz -C src stanch
	tar -czf releases/stanch_${v}_darwin_arm64.tar.gz -C src stanch
	tar -czf releases/stanch_${v}_windows_amd64.zip -C src stanch.exe
done
(cd releases && sha256sum stanch* >checksums.txt)
cat >bin/curl <<'END'
#!/bin/sh
for a; do case $last in --output) out=$a ;; esac; last=$a; done
case $* in *"--proto =https --tlsv1.2 --fail"*https://github.com/stanch-dev/stanch/releases/download/v*/*) ;; *) exit 9 ;; esac
echo "downloads ${last##*/download/}"
cp "$HERE/releases/${last##*/}" "$out"
END
cat >bin/unzip <<'END'
#!/bin/sh
case $* in *\\*) echo "a backslash is an escape: $*"; exit 9 ;; esac
tar --force-local -xzf "$2" -C "$5" "$3"
END
cat >bin/go <<'END'
#!/bin/sh
[ "$GOOS$GOARCH$GOWORK" = off ] && [ -f cmd/stanch/VERSION ] || exit 9
for a; do case $last in -o) out=$a ;; esac; last=$a; done
printf '#!/bin/sh\necho stanch built\n' >"$out"; chmod +x "$out"
END
cat >bin/gh <<'END'
#!/bin/sh
old() { echo "unknown command \"attestation\" for \"gh\""; printf '\nUsage:  gh <command>\n\n'; exit 1; }
case "$GH $*" in
[0-9]*" --version") echo "gh version ${GH% *} (2023-02-27)"; echo https://github.com/cli/cli ;;
"built --version" | "unknown --version") echo "gh version DEV" ;;
*" --version") echo "gh version 2.83.1 (2025-11-13)" ;;
"2.23.0 "* | "unknown "*) old ;;
*" --help") echo "Verify the integrity and provenance of an artifact" ;;
"new "*"--repo stanch-dev/stanch --signer-workflow stanch-dev/stanch/.github/workflows/release.yml"*) [ "$GH_HOST" = github.com ] ;;
*) echo 'unknown command "attestation" for "gh"'; echo "Error: verifying with issuer \"sigstore.dev\""; echo; exit 1 ;;
esac
END
chmod +x bin/*
mkdir only # programs for a machine that has few
for p in bash sh tar gzip mkdir awk cut tr dirname cp; do ln -s "$(command -v $p)" only; done
cp bin/curl only
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
	const (
		release = "INSTALL=release VERSION=v0.1.0 "
		windows = release + "RUNNER_OS=Windows "
		tag     = "_actions/stanch-dev/stanch/v0.1.0"
		commit  = "_actions/stanch-dev/stanch/0123456789012345678901234567890123456789"
		copied  = "_actions/acme/security/v3.1.0/vendor/stanch"
		refuses = "gh cannot confirm the attestation of stanch_0.1.0_linux_amd64.tar.gz, or it is not that of its release workflow: Error: verifying with"
		tooOld  = " is too old to check the attestation (2.56.0 can): only the checksum of stanch_0.1.0_linux_amd64.tar.gz was checked"
	)
	made := t.TempDir()
	cmd := exec.Command("bash", "-c", releases)
	cmd.Dir = made
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatal(string(out), err)
	}
	// lies moves the action's source to where the runner keeps that of a ref.
	lies := func(folder string) string {
		return "mkdir -p " + folder + " && rmdir " + folder + " && mv action " + folder
	}
	for _, tt := range []struct {
		name, spoil string // a change of the releases or of the machine
		env         string
		status      int
		want        string
	}{
		{"release", "", release + "GH_TOKEN=x", 0, "stanch of the release"},
		{"auto_of_a_tag", "", "INSTALL=auto ACTION_REF=v0.1.0 GH_TOKEN=x", 0, "stanch of the release"},
		{"without_token", "", release, 0, "only the checksum"},
		{"changed", "echo x >>releases/stanch_0.1.0_linux_amd64.tar.gz", release, 3, "the checksum of stanch_0.1.0_linux_amd64.tar.gz is wrong"},
		{"changed_auto", "echo x >>releases/stanch_0.1.0_linux_amd64.tar.gz", "INSTALL=auto VERSION=v0.1.0", 3, "the checksum of"},
		{"not_listed", ": >releases/checksums.txt", release, 3, "the checksum of"},
		{"no_archive", `(cd releases && echo x >stanch_0.1.0_linux_amd64.tar.gz && sha256sum stanch* >checksums.txt)`, release, 3, "cannot be unpacked"},
		{"no_such_release", "", "INSTALL=release VERSION=v9.9.9", 3, "stanch_9.9.9_linux_amd64.tar.gz of v9.9.9 cannot be downloaded. Is there such a version? https://github.com/stanch-dev/stanch/releases lists all."},
		{"no_such_release_beside_a_commit", lies(commit), "VERSION=v9.9.9 ACTION_PATH={dir}/" + commit, 3, "of v9.9.9 cannot be downloaded"},
		{"version_without_v", "", "INSTALL=auto VERSION=0.1.0", 0, "downloads v0.1.0/stanch_0.1.0_linux"},
		{"latest", "", "INSTALL=auto VERSION=latest", 3, `it is "latest". https://github.com/stanch-dev/stanch/releases lists all.`},
		{"no_version", "", "INSTALL=release ACTION_REF=main", 3, "needs a version"},
		{"a_path_as_version", "", "INSTALL=release VERSION=v0.1.0/../../x", 3, "needs a version"},
		{"unknown_machine", "", release + "RUNNER_ARCH=S390X", 3, "there is no release for S390X"},
		{"unknown_system", "", release + "RUNNER_OS=Plan9", 3, "there is no release for Plan9"},
		{"path", "", "INSTALL=path BIN=src/stanch", 0, "stanch of the release"},
		{"auto_with_path", "", "INSTALL=auto BIN=src/stanch VERSION=v0.1.0", 0, "stanch of the release"},
		{"no_program", "", "INSTALL=path BIN=releases/checksums.txt", 3, "is not a program"},
		{"program_of_another_machine", "printf '\\177ELF' >src/other; chmod +x src/other", "INSTALL=path BIN=src/other", 3, "src/other does not run on this machine"},
		{"unknown", "", "INSTALL=magic", 3, "none of auto, release, source, path"},

		{"not_attested", "", release + "GH_TOKEN=x GH=forged", 3, refuses},
		{"not_attested_by_an_unreleased_gh", "", release + "GH_TOKEN=x GH=built", 3, refuses},
		{"gh_without_the_command", "", release + "GH_TOKEN=x GH=2.23.0", 0, "stanch: gh version 2.23.0" + tooOld},
		{"gh_with_the_first_of_it", "", release + "GH_TOKEN=x GH=2.55.0", 0, "stanch: gh version 2.55.0" + tooOld},
		{"gh_of_the_first_version_that_can", "", release + "GH_TOKEN=x GH=2.56.0", 3, refuses},
		{"gh_of_a_later_major_version", "", release + "GH_TOKEN=x GH=3.1.0", 3, refuses},
		{"gh_of_an_unknown_old_version", "", release + "GH_TOKEN=x GH=unknown", 0, "stanch: this gh" + tooOld},
		{"old_gh_and_changed", "echo x >>releases/stanch_0.1.0_linux_amd64.tar.gz", release + "GH_TOKEN=x GH=2.23.0", 3, "the checksum of"},
		{"gh_of_a_server_of_its_own", "", release + "GH_TOKEN=x GH_HOST=git.example.com", 0, "stanch of the release"},

		{"windows", "", windows, 0, "stanch of the release"},
		{"windows_with_backslashes", "", windows + `RUNNER_TEMP=D:\a\_temp`, 0, "bin=D:/a/_temp/stanch/stanch.exe"},
		{"windows_that_is_not_named", `printf '#!/bin/sh\necho MINGW64_NT-10.0-20348\n' >bin/uname; chmod +x bin/uname`, release + "RUNNER_OS=", 0, "stanch_0.1.0_windows_amd64.zip"},
		{"backslash_in_a_folder", "", release + `RUNNER_TEMP=a\b`, 0, `bin=a\b/stanch/stanch`},
		{"space_in_a_folder", "", release + "RUNNER_TEMP=a{space}b", 0, "bin=a b/stanch/stanch"},
		{"macos", "", release + "RUNNER_OS=macOS RUNNER_ARCH=ARM64", 0, "downloads v0.1.0/stanch_0.1.0_darwin_arm64.tar.gz"},
		{"shasum_alone", `printf '#!/bin/sh\n[ "$*" = "-a 256" ] && sha256sum\n' >only/shasum; chmod +x only/shasum; sed -i "s:sha256sum:$(command -v sha256sum):" only/shasum`, release + "PATH={dir}/only", 0, "stanch of the release"},
		{"nothing_to_hash_with", "", release + "PATH={dir}/only", 3, "neither sha256sum nor shasum is there"},
		{"no_curl", "rm only/curl", release + "PATH={dir}/only", 3, "curl is not there"},
		{"no_unzip", `ln -s "$(command -v sha256sum)" only`, windows + "PATH={dir}/only", 3, "unzip is not there"},

		{"in_an_action_of_a_later_version", "", "ACTION_REF=v3.1.0 ACTION_PATH=action", 0, "downloads v0.1.0/stanch_0.1.0_linux"},
		{"in_an_action_of_a_later_version_that_wants_releases", "", "INSTALL=release ACTION_REF=v3.1.0 ACTION_PATH=action/", 0, "downloads v0.1.0/stanch_0.1.0_linux"},
		{"in_an_action_of_a_branch", lies(tag), "ACTION_REF=main ACTION_PATH={dir}/" + tag, 0, "downloads v0.1.0/stanch_0.1.0_linux"},
		{"in_an_action_without_a_ref", lies(tag), "ACTION_REF= ACTION_PATH={dir}/" + tag + "/", 0, "downloads v0.1.0/stanch_0.1.0_linux"},
		{"by_a_commit_in_an_action_of_a_version", lies(commit), "ACTION_REF=v3.1.0 ACTION_PATH={dir}/" + commit, 0, "stanch built"},
		{"in_the_source_of_an_action_of_a_version", lies(copied), "ACTION_REF=v3.1.0 ACTION_PATH={dir}/" + copied, 0, "stanch built"},
		{"by_a_tag_on_windows", lies(tag), `RUNNER_OS=Windows ACTION_REF=v3.1.0 ACTION_PATH={dir}\_actions\stanch-dev\stanch\v0.1.0`, 0, "downloads v0.1.0/stanch_0.1.0_windows"},
		{"version_beside_a_commit", lies(commit), "VERSION=v3.1.0 ACTION_PATH={dir}/" + commit, 0, "downloads v3.1.0/stanch_3.1.0_linux"},
		{"source_in_a_job_for_another_machine", "", "INSTALL=source GOOS=windows GOARCH=arm64 GOWORK=/x ACTION_PATH=action", 0, "stanch built"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			// Before Parallel: a program that is open for writing while another row starts one cannot be run.
			if err := os.CopyFS(dir, os.DirFS(made)); err != nil {
				t.Fatal(err)
			}
			t.Parallel()
			bash := func(env, script string, args ...string) (string, error) {
				cmd := exec.Command("bash", append([]string{"-c", script}, args...)...)
				cmd.Dir = dir
				cmd.Env = append([]string{"HERE=" + dir, "RUNNER_TEMP=" + dir, "GITHUB_OUTPUT=" + dir + "/output", "RUNNER_OS=Linux", "RUNNER_ARCH=X64", "BIN=", "GH=new",
					"PATH=" + dir + "/bin" + string(os.PathListSeparator) + os.Getenv("PATH")}, strings.Fields(env)...)
				for i, v := range cmd.Env {
					cmd.Env[i] = strings.NewReplacer("{space}", " ", "{dir}", dir).Replace(v)
				}
				out, err := cmd.CombinedOutput()
				return string(out), err
			}
			if tt.spoil != "" {
				if out, err := bash("", "set -eu\n"+tt.spoil); err != nil {
					t.Fatal(out, err)
				}
			}
			out, err := bash(tt.env, `bash "$0"; status=$?; if [ -f output ]; then printf '%s\n' "$(<output)"; fi; exit $status`, script)
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
