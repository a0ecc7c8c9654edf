#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs the Criterion binary of a build and prints `N passed, N failed`.
# A leak in a test's child process does not fail Criterion: the log files of
# the leak checker do.
set -u
build=$1
log=$build/unit.log
rm -f "$build"/lsan.*
LSAN_OPTIONS=log_path=$build/lsan ASAN_OPTIONS=detect_leaks=1 \
	"$build/unit-tests" --jobs 2 >"$log" 2>&1
grep -E '^\[(FAIL|CRASH|----)' "$log" | head -40
sum=$(sed -n 's/.*Tested: \([0-9]*\) | Passing: \([0-9]*\) .*/\1 \2/p' "$log" |
	tail -n 1)
if [ -z "$sum" ]; then
	tail -n 5 "$log"
	echo "0 passed, 1 failed"
	exit 1
fi
total=${sum% *} passed=${sum#* }
failed=$((total - passed))
for f in "$build"/lsan.*; do
	[ -e "$f" ] || continue
	echo "leak: $f"
	head -n 20 "$f"
	failed=$((failed + 1))
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
