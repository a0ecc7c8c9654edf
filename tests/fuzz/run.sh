#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Each fuzz target on its corpus, under the sanitizers.  With replay.c: COUNT
# (default 300) damaged copies per file, the same on every run.  With TIME: that
# many seconds per target, by libFuzzer where BUILD has it.  TARGETS picks some.
# An input that fails is kept in build/.
set -u
cd "$(dirname "$0")/../.."
build=${BUILD:-build/asan}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
passed=0 failed=0

# Seeds: hostile and small models, and the models of the golden tests as text.
mkdir "$dir"/{read,native,text,infer,kernel}
build/venv/bin/python tests/bad/gen.py "$dir/read"
cp testdata/mnist-cntk.onnx "$dir/read/"
find "$dir/read" -size +300k -delete
"${PARE:-build/release/pare}" convert testdata/mnist-cntk.onnx \
	-o "$dir/native/m.pare" -q
awk -v dir="$dir/text" '
	FNR == 1 || /^===/ { n++; model = 1 }
	/^---/ { model = 0 }
	model && !/^[#=]/ { print >(dir "/" n ".onnxtxt") }
' tests/golden/*/cases.txt
cp "$dir"/text/* "$dir/infer/"
cp "$dir/read/mnist-cntk.onnx" "$dir/infer/"
for t in read native text infer kernel; do
	[ -d "tests/fuzz/corpus/$t" ] && cp "tests/fuzz/corpus/$t"/* "$dir/$t/"
done

# Text models are many and alike: fewer copies of each.
copies() {
	case $1 in
	text | infer) echo $((${COUNT:-300} / 10 + 1)) ;;
	kernel) echo $((${COUNT:-300} * 100)) ;;
	*) echo "${COUNT:-300}" ;;
	esac
}

run() {
	local t=$1 keep=build/fuzz-$1.input
	if [ -x "$build/fuzz-$t" ]; then
		"$build/fuzz-$t" -max_total_time="${TIME:-60}" -timeout=60 \
			-rss_limit_mb=3000 -max_len=100000 -print_final_stats=1 \
			-artifact_prefix="$keep." "$dir/$t"
	else
		local args=(-k "$keep" -n "$(copies "$t")")
		[ -n "${TIME-}" ] && args+=(-t "$TIME")
		[ "$t" = kernel ] && args+=(-r "${SEED:-1}")
		find "$dir/$t" -type f -print0 | sort -z |
			xargs -0 "$build/replay-$t" "${args[@]}"
	fi
}

for t in ${TARGETS:-read native text infer kernel}; do
	if run "$t" >"$dir/log" 2>&1; then
		passed=$((passed + 1))
		[ -z "${TIME-}" ] || grep -h 'number_of_executed' "$dir/log"
		rm -f "build/fuzz-$t.input"
	else
		failed=$((failed + 1))
		echo "FAIL $t; the input: $(ls "build/fuzz-$t.input"*)"
		grep -v '^INFO\|^#[0-9]*[[:space:]][A-Z]' "$dir/log" | head -n 40
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
