#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Each tests/cli/NAME.sh runs in an empty directory with $PARE and $DATA set.
# Beside it may stand NAME.exit (expected code, default 0), NAME.stdout.exact,
# NAME.stderr.exact, and NAME.stdout.glob / .stderr.glob, whose lines must each
# match some line of the output.  --update rewrites the .exact files.
set -u
cd "$(dirname "$0")/cli" || exit 1
export PARE=${PARE:-$PWD/../../build/release/pare} DATA=$PWD/../../testdata
update=${1-}
passed=0 failed=0
for test in *.sh; do
	name=${test%.sh} here=$PWD dir=$(mktemp -d) why=
	(cd "$dir" && bash "$here/$test") >"$dir.out" 2>"$dir.err" </dev/null
	code=$?
	want=$(cat "$name.exit" 2>/dev/null || echo 0)
	[ "$code" = "$want" ] || why="exit $code, expected $want"
	for s in out err; do
		exact=$name.std$s.exact glob=$name.std$s.glob
		if [ -e "$exact" ]; then
			[ "$update" = --update ] && cp "$dir.$s" "$exact"
			cmp -s "$exact" "$dir.$s" || why="std$s differs"
		fi
		[ -e "$glob" ] || continue
		while IFS= read -r pattern; do
			found=
			while IFS= read -r line; do
				# shellcheck disable=SC2053 # a glob
				[[ $line == $pattern ]] && found=1 && break
			done <"$dir.$s"
			[ -n "$found" ] || why="no line of std$s matches '$pattern'"
		done <"$glob"
	done
	if [ -z "$why" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL $name: $why"
		sed 's/^/  out: /' "$dir.out" | head -20
		sed 's/^/  err: /' "$dir.err" | head -20
	fi
	rm -rf "$dir" "$dir.out" "$dir.err"
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
