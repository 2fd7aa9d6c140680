#!/usr/bin/env bash
# Puts a stanch binary in place and names it in the output "bin". All it is told
# comes in variables, see action.yml.
set -euo pipefail

repository=stanch-dev/stanch
releases=https://github.com/$repository/releases
version_form='^v[0-9]+\.[0-9]+\.[0-9]+([-.][0-9A-Za-z.]+)?$'

fail() {
	echo "::error title=stanch::Nothing was scanned: $*" >&2 # stdout may be captured
	exit 3
}

# system prints the operating system as Go names it, or as it names itself.
system() {
	case ${RUNNER_OS:-$(uname -s)} in
	Linux) echo linux ;;
	macOS | Darwin) echo darwin ;;
	Windows | MINGW* | MSYS* | CYGWIN*) echo windows ;;
	*) echo "${RUNNER_OS:-$(uname -s)}" ;;
	esac
}

os=$(system)
temp=${RUNNER_TEMP:?} suffix=
action=${ACTION_PATH:-$(dirname "$0")/../..} # the checkout of this action
if [ "$os" = windows ]; then
	# Windows takes slashes too, and some of the programs below take a backslash for an escape.
	temp=${temp//\\//} action=${action//\\//} suffix=.exe
fi
dir=$temp/stanch
mkdir -p "$dir"

platform() {
	local arch
	case $os in
	linux | darwin | windows) ;;
	*) fail "there is no release for $os. Use install: source, or path." ;;
	esac
	case ${RUNNER_ARCH:-$(uname -m)} in
	X64 | x86_64) arch=amd64 ;;
	ARM64 | aarch64 | arm64) arch=arm64 ;;
	*) fail "there is no release for ${RUNNER_ARCH:-$(uname -m)}. Use install: source, or path." ;;
	esac
	echo "${os}_$arch"
}

# own_version prints the release that this action belongs to, if a workflow uses it by
# the tag of one. The release is that of its own source: if another composite action
# uses this one, github.action_ref is the ref of the outermost. The runner keeps an
# action in _actions/OWNER/NAME/REF, which says by which ref it is used.
own_version() {
	local ref=${ACTION_REF:-} version=
	case ${action%/} in
	*/_actions/*/*/*)
		ref=${action##*/_actions/}
		ref=${ref#*/*/}
		ref=${ref%/}
		;;
	esac
	[[ $ref =~ $version_form ]] || return 0
	if [ -r "$action/cmd/stanch/VERSION" ]; then version=v$(tr -d '[:space:]' <"$action/cmd/stanch/VERSION"); fi
	echo "${version:-$ref}"
}

# The file comes from standard input: GNU sha256sum puts a backslash before the hash of a
# file that has one in its name.
sha256() {
	if command -v sha256sum >/dev/null; then
		sha256sum <"$1"
	elif command -v shasum >/dev/null; then
		shasum -a 256 <"$1"
	else
		fail "neither sha256sum nor shasum is there to check $1. Use install: source, or path."
	fi | cut -d ' ' -f 1
}

download() { # file
	curl --proto '=https' --tlsv1.2 --fail --silent --show-error --location --retry 3 --output "$dir/$1" \
		"$releases/download/$VERSION/$1"
}

# attest checks that the release workflow built the archive, if gh can tell.
attest() { # archive
	local why
	if ! command -v gh >/dev/null || [ -z "${GH_TOKEN:-}" ]; then
		echo "stanch: without gh and a token for github.com only the checksum of $1 was checked"
		return
	fi
	if GH_HOST=github.com gh attestation verify "$dir/$1" --repo "$repository" \
		--signer-workflow "$repository/.github/workflows/release.yml" >"$dir/attestation.txt" 2>&1; then return; fi
	if gh_is_old; then
		echo "stanch: $(gh_version) is too old to check the attestation (2.56.0 can): only the checksum of $1 was checked"
		return
	fi
	why=$(awk 'NF { last = $0 } END { print last }' "$dir/attestation.txt")
	fail "gh cannot confirm the attestation of $1, or it is not that of its release workflow: $why"
}

gh_version() {
	local line
	line=$(gh --version 2>/dev/null) || true
	if [[ $line =~ ^gh\ version\ [0-9.]+ ]]; then echo "${BASH_REMATCH[0]}"; else echo "this gh"; fi
}

# gh_is_old asks gh itself. The output of a failed check would not do: whoever made the
# archive has a say in it.
gh_is_old() {
	local version help
	version=$(gh_version)
	if [[ $version =~ ([0-9]+)\.([0-9]+) ]]; then
		((BASH_REMATCH[1] < 2 || (BASH_REMATCH[1] == 2 && BASH_REMATCH[2] < 56)))
		return
	fi
	help=$(gh attestation verify --help 2>&1) || true
	[[ $help == 'unknown command'* ]]
}

# unpack takes the binary out of the archive.
unpack() { # archive
	if [ "$os" = windows ]; then
		command -v unzip >/dev/null || fail "unzip is not there to unpack $1. Use install: source, or path."
		unzip -qo "$dir/$1" "stanch$suffix" -d "$dir"
	else
		(cd "$dir" && tar -xzf "$1" stanch) # GNU tar reads escapes in the folder of -C
	fi || fail "$1 cannot be unpacked."
}

# A checksum beside the archive says that it came whole; the attestation, that the
# release workflow of this repository built it.
from_release() {
	local archive want got
	[[ $VERSION =~ $version_form ]] ||
		fail "install: release needs a version of the form v0.1.0, as the input or as the tag of the action; it is \"$VERSION\". $releases lists all."
	archive=stanch_${VERSION#v}_$(platform)
	if [ "$os" = windows ]; then archive=$archive.zip; else archive=$archive.tar.gz; fi
	command -v curl >/dev/null || fail "curl is not there to download $archive. Use install: source, or path."
	if ! download checksums.txt || ! download "$archive"; then
		fail "$archive of $VERSION cannot be downloaded. Is there such a version? $releases lists all. Or use install: source, or path."
	fi
	want=$(awk -v name="$archive" '$2 == name { print $1 }' "$dir/checksums.txt")
	got=$(sha256 "$dir/$archive")
	if [ -z "$want" ] || [ "$got" != "$want" ]; then fail "the checksum of $archive is wrong."; fi
	attest "$archive"
	unpack "$archive"
	BIN=$dir/stanch$suffix
}

from_source() {
	command -v go >/dev/null || fail "install: source needs Go. Add actions/setup-go, or use install: release, or path."
	BIN=$dir/stanch$suffix
	# A job may build for another machine, or in a workspace of its own.
	(cd "$action" && GOFLAGS="-mod=readonly -buildvcs=false" CGO_ENABLED=0 GOOS='' GOARCH='' GOWORK=off go build -trimpath -o "$BIN" ./cmd/stanch) ||
		fail "stanch cannot be built."
}

from_path() {
	[ -n "$BIN" ] || BIN=$(command -v stanch) || fail "install: path needs the input bin, or stanch in PATH."
	[ -x "$BIN" ] || fail "$BIN is not a program."
}

VERSION=${VERSION:-$(own_version)}
case $VERSION in [0-9]*) VERSION=v$VERSION ;; esac
case ${INSTALL:-auto} in
path) from_path ;;
source) from_source ;;
release) from_release ;;
auto)
	# With the action pinned to a commit, build what that commit holds, and download nothing.
	if [ -n "${BIN:-}" ]; then from_path; elif [ -n "$VERSION" ]; then from_release; else from_source; fi
	;;
*) fail "install: $INSTALL is none of auto, release, source, path." ;;
esac
"$BIN" --version || fail "$BIN does not run on this machine."
echo "bin=$BIN" >>"${GITHUB_OUTPUT:?}"
