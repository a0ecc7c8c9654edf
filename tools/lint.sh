#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Layers, lengths, licence lines, format, and no warning from gcc or clang.
set -u
cd "$(dirname "$0")/.."
bad=0
mapfile -t src < <(git ls-files '*.c' '*.h')
mapfile -t code < <(printf '%s\n' "${src[@]}" | grep -v '^tests/')

check() {
	local what=$1
	shift
	if "$@" >/tmp/pare-lint.$$ 2>&1; then
		echo "ok    $what"
	else
		echo "FAIL  $what"
		head -n 30 /tmp/pare-lint.$$
		bad=1
	fi
	rm -f /tmp/pare-lint.$$
}

licences() {
	git ls-files '*.c' '*.h' '*.def' '*.rw' '*.py' '*.sh' '*.awk' '*.proto' Makefile |
		xargs grep -L 'SPDX-License-Identifier' | grep . && return 1
	return 0
}

warnings() {
	local cc=$1
	make -s -j2 CC="$cc" BUILD="build/lint-$cc" WERROR=-Werror all
}

schema() {
	sh tools/venv.sh >/dev/null &&
		build/venv/bin/python tools/genschema.py --check &&
		build/venv/bin/python tools/genschema_ms.py --check
}

check layers awk -f tools/layers.awk "${code[@]}"
check lengths awk -f tools/lengths.awk "${code[@]}"
check licences licences
check format clang-format --dry-run -Werror "${src[@]}"
check "schema*.def is what genschema*.py makes" schema
check 'gcc -Werror' warnings gcc
check 'clang -Werror' warnings clang
exit $bad
