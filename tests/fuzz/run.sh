#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Each fuzz target on damaged copies of the corpus: COUNT (default 300) per
# file, under the sanitizers, the same copies on every run.
set -u
cd "$(dirname "$0")/../.."
build=${BUILD:-build/asan}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
build/venv/bin/python tests/bad/gen.py "$dir"
"${PARE:-build/release/pare}" convert testdata/mnist-cntk.onnx -o "$dir/m.pare" -q
cp testdata/mnist-cntk.onnx "$dir/"
find "$dir" -size +300k -delete
passed=0 failed=0
for target in "$build"/replay-*; do
	for f in "$dir"/*.onnx "$dir"/*.pare; do
		if timeout 300 "$target" -n "${COUNT:-300}" "$f" >"$dir/log" 2>&1; then
			passed=$((passed + 1))
		else
			failed=$((failed + 1))
			echo "FAIL $(basename "$target") $(basename "$f")"
			head -n 12 "$dir/log"
		fi
	done
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
