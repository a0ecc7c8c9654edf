#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs the Debian packages that building (and, with "test", testing, with
# "exports", exporting networks from PyTorch) needs.
# With sudo when not root; says what it would install when it cannot.
set -eu
build="gcc libc6-dev make pkg-config libprotobuf-c-dev protobuf-c-compiler
	libzip-dev libjansson-dev libxxhash-dev zlib1g-dev"
test="libcriterion-dev python3 python3-venv python3-numpy strace
	libonnx-testdata clang clang-format clang-tidy mandoc bash"
want=$build
[ "${1-}" = test ] && want="$build $test"
[ "${1-}" = exports ] && want=python3-torch

missing=
for p in $want; do
	dpkg-query -W -f='${Status}' "$p" 2>/dev/null |
		grep -q 'install ok installed' || missing="$missing $p"
done
[ -n "$missing" ] || exit 0

sudo=
if [ "$(id -u)" != 0 ]; then sudo=sudo; fi
if ! command -v apt-get >/dev/null 2>&1 ||
	{ [ -n "$sudo" ] && ! command -v sudo >/dev/null 2>&1; }; then
	echo "deps: cannot install packages here; these are missing:$missing" >&2
	exit 1
fi
echo "deps: installing$missing"
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq
# shellcheck disable=SC2086 # a list of words
$sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
