#!/usr/bin/env bash
# Puts a stanch binary in place and names it in the output "bin". All it is told
# comes in variables, see action.yml.
set -euo pipefail

repository=stanch-dev/stanch
dir=${RUNNER_TEMP:?}/stanch
mkdir -p "$dir"
suffix=
if [ "${RUNNER_OS:-}" = Windows ]; then suffix=.exe; fi

fail() {
	echo "::error title=stanch::Nothing was scanned: $*" >&2 # stdout may be captured
	exit 3
}

platform() {
	local os arch
	case ${RUNNER_OS:-$(uname -s)} in
	Linux) os=linux ;;
	macOS | Darwin) os=darwin ;;
	Windows) os=windows ;;
	*) fail "there is no release for ${RUNNER_OS:-$(uname -s)}. Use install: source, or path." ;;
	esac
	case ${RUNNER_ARCH:-$(uname -m)} in
	X64 | x86_64) arch=amd64 ;;
	ARM64 | aarch64 | arm64) arch=arm64 ;;
	*) fail "there is no release for ${RUNNER_ARCH:-$(uname -m)}. Use install: source, or path." ;;
	esac
	echo "${os}_$arch"
}

sha256() {
	if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1
}

download() { # file
	curl --proto '=https' --tlsv1.2 --fail --silent --show-error --location --retry 3 --output "$dir/$1" \
		"https://github.com/$repository/releases/download/$VERSION/$1"
}

# A checksum beside the archive says that it came whole; the attestation, that the
# release workflow of this repository built it.
from_release() {
	local name archive want
	[[ $VERSION =~ ^v[0-9]+\.[0-9]+\.[0-9]+([-.][0-9A-Za-z.]+)?$ ]] ||
		fail "install: release needs a version of the form v0.1.0, as the input or as the tag of the action; it is \"$VERSION\"."
	name=stanch_${VERSION#v}_$(platform)
	archive=$name.tar.gz
	if [ -n "$suffix" ]; then archive=$name.zip; fi
	if ! download checksums.txt || ! download "$archive"; then
		fail "$archive of $VERSION cannot be downloaded. Use install: source, or path."
	fi
	want=$(awk -v name="$archive" '$2 == name { print $1 }' "$dir/checksums.txt")
	if [ -z "$want" ] || [ "$(sha256 "$dir/$archive")" != "$want" ]; then fail "the checksum of $archive is wrong."; fi
	if command -v gh >/dev/null && [ -n "${GH_TOKEN:-}" ]; then
		gh attestation verify "$dir/$archive" --repo "$repository" --signer-workflow "$repository/.github/workflows/release.yml" >"$dir/attestation.txt" 2>&1 ||
			fail "the attestation of $archive is not that of its release workflow: $(tail -n 1 "$dir/attestation.txt")"
	else
		echo "stanch: without gh and a token for github.com only the checksum of $archive was checked"
	fi
	if [ -n "$suffix" ]; then unzip -qo "$dir/$archive" "stanch$suffix" -d "$dir"; else tar -xzf "$dir/$archive" -C "$dir" stanch; fi
	BIN=$dir/stanch$suffix
}

from_source() {
	command -v go >/dev/null || fail "install: source needs Go. Add actions/setup-go, or use install: release, or path."
	BIN=$dir/stanch$suffix
	(cd "$ACTION_PATH" && GOFLAGS="-mod=readonly -buildvcs=false" CGO_ENABLED=0 go build -trimpath -o "$BIN" ./cmd/stanch) ||
		fail "stanch cannot be built."
}

from_path() {
	[ -n "$BIN" ] || BIN=$(command -v stanch) || fail "install: path needs the input bin, or stanch in PATH."
	[ -x "$BIN" ] || fail "$BIN is no program."
}

VERSION=${VERSION:-}
if [ -z "$VERSION" ] && [[ ${ACTION_REF:-} =~ ^v[0-9]+\.[0-9]+\.[0-9] ]]; then VERSION=$ACTION_REF; fi
case ${INSTALL:-auto} in
path) from_path ;;
source) from_source ;;
release) from_release ;;
auto)
	# Who pins the action by a commit gets what that commit holds, and downloads nothing.
	if [ -n "${BIN:-}" ]; then from_path; elif [ -n "$VERSION" ]; then from_release; else from_source; fi
	;;
*) fail "install: $INSTALL is none of auto, release, source, path." ;;
esac
"$BIN" --version
echo "bin=$BIN" >>"${GITHUB_OUTPUT:?}"
