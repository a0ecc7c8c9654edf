#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# All fault tests: kills, failing system calls, failing allocations.
cd "$(dirname "$0")" || exit 1
passed=0 failed=0
for part in kill_points calls alloc; do
	out=$(bash ./$part.sh)
	line=$(tail -n 1 <<<"$out")
	read -r p _ f _ <<<"${line//,/}"
	echo "$out" | grep -v ' passed, '
	echo "$part: $line"
	passed=$((passed + p)) failed=$((failed + f))
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
