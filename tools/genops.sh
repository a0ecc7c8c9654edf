#!/bin/sh
# SPDX-License-Identifier: MIT
# Fills docs/operators.md from the program's own tables and the list of backend
# tests that do not pass.
# usage: genops.sh PARE docs/operators.md.in tests/models/backend_known.txt
set -eu
pare=$1 in=$2 known=$3

rows() {
	echo '| suite | test | why |'
	echo '|---|---|---|'
	sed -n '/^#/d; s/^\([^ ]*\) \([^:]*\): \(.*\)/| \1 | `\2` | \3 |/p' "$known"
}

while IFS= read -r line; do
	case $line in
	@KNOWN@) if grep -qv '^#' "$known"; then rows; else echo 'None.'; fi ;;
	@TABLES@) echo; "$pare" ops --markdown ;;
	*) printf '%s\n' "$line" ;;
	esac
done <"$in" | cat -s
