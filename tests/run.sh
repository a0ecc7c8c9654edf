#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs the stages named (default: those of `make test`), each a command whose
# last line is `N passed, N failed`, and adds up.  Stops at the first stage
# that fails.
set -u
cd "$(dirname "$0")/.."
export PARE=${PARE:-$PWD/build/release/pare}
export PY=$PWD/build/venv/bin/python
export TMPDIR=${TMPDIR:-/tmp}
passed=0 failed=0

stage() {
	local name=$1 start=$SECONDS out line p f
	shift
	out=$(mktemp)
	"$@" >"$out" 2>&1
	line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$out" | tail -n 1)
	p=0 f=1
	[ -n "$line" ] && read -r p _ f _ <<<"${line//,/}"
	passed=$((passed + p)) failed=$((failed + f))
	printf '%-12s %5d passed, %d failed  (%d s)\n' "$name" "$p" "$f" \
		$((SECONDS - start))
	if [ "$f" != 0 ]; then
		tail -n 40 "$out"
		finish
	fi
	[ -n "${VERBOSE-}" ] && cat "$out"
	rm -f "$out"
}

finish() {
	echo "$passed passed, $failed failed"
	[ "$failed" = 0 ]
	exit
}

build() {
	make --no-print-directory -j2 "$@" && echo '1 passed, 0 failed'
}

run_stage() {
	case $1 in
	build) stage build build all model-tools ;;
	unit) stage unit make --no-print-directory unit ;;
	cli) stage cli bash tests/cli.sh ;;
	bad) stage bad "$PY" tests/bad/run.py ;;
	docs) stage docs bash tests/docs.sh ;;
	oracle) stage oracle "$PY" tests/models/oracle.py ;;
	quant) stage quant "$PY" tests/models/quant.py ;;
	random)
		stage random "$PY" tests/models/random_models.py --count "${COUNT:-200}" --seed "${SEED:-1}"
		stage random-ops "$PY" tests/models/random_ops.py --count "${COUNT:-200}" --seed "${SEED:-1}"
		;;
	roundtrip) stage roundtrip bash tests/models/roundtrip.sh ;;
	ml) stage ml "$PY" tests/models/ml.py --count "${COUNT:-192}" --seed "${SEED:-1}" ;;
	contrib) stage contrib "$PY" tests/models/contrib.py --count "${COUNT:-3}" ;;
	fault) stage fault bash tests/fault/run.sh ;;
	asan)
		PARE=$PWD/build/asan/pare
		stage asan-build build V=asan all replay
		stage asan-unit make --no-print-directory V=asan unit
		stage asan-bad "$PY" tests/bad/run.py
		stage asan-fuzz env COUNT=20 bash tests/fuzz/run.sh
		PARE=$PWD/build/release/pare
		;;
	fuzz) VERBOSE=1 stage fuzz bash tests/fuzz/run.sh ;;
	test-onnx)
		stage onnx "$PY" tests/models/backend.py
		stage contrib "$PY" tests/models/contrib.py --count 40
		COUNT=${COUNT:-960} run_stage ml
		;;
	test-onnx-optimized) stage onnx-O2 "$PY" tests/models/backend.py --through 'optimize -O2' ;;
	test-onnx-opset) stage onnx-opset "$PY" tests/models/backend.py --through "convert --opset ${OPSET:-27}" ;;
	test-onnx-asan)
		stage asan-build build V=asan all
		stage onnx-asan "$PY" tests/models/backend.py --asan
		;;
	test-models)
		stage models "$PY" tests/models/npm.py
		stage dynamic "$PY" tests/models/dynamic.py
		stage shapes "$PY" tests/models/infer_compare.py
		;;
	test-bits)
		bits=
		for cc in gcc clang; do
			for opt in O0 O2; do
				dir=build/bits-$cc-$opt
				stage "$cc-$opt" build CC="${CCACHE-} $cc" \
					BUILD="$dir" OPT_release="-$opt -DNDEBUG" all
				bits="$bits $PWD/$dir/pare"
			done
		done
		# shellcheck disable=SC2086
		stage bits "$PY" tests/models/bits.py $bits
		;;
	test-random) COUNT=${COUNT:-1000} run_stage random ;;
	bench-*) stage "$1" bash "bench/${1#bench-}.sh" ;;
	*) echo "unknown stage '$1'"; exit 2 ;;
	esac
}

[ $# -gt 0 ] || set -- build unit cli bad docs roundtrip oracle quant random ml contrib fault asan
for s in "$@"; do run_stage "$s"; done
finish
