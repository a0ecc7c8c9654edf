# SPDX-License-Identifier: MIT
# What the fault tests share: scenarios, and the judgement of what is left.
#
# A scenario is a command that replaces out.onnx (or out.pare) in the current
# folder.  `old` and `new` hold the folder before and after a run without
# faults.  Whatever happens, out must be the one of old or the one of new, and
# the data files of old must be as they were.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PARE=${PARE:-$here/../../build/release/pare}
data=$here/../../testdata
export PARE_THREADS=1 LC_ALL=C
unset MAKEFLAGS
passed=0 failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# name, file that must be old or new, arguments
scenarios='optimize  out.onnx optimize IN -o out.onnx -q
external  out.onnx convert IN -o out.onnx --external-data all -q
native    out.pare convert IN -o out.pare -q
in-place  out.onnx optimize out.onnx -o out.onnx -q
quantize  out.onnx quantize IN -o out.onnx --mode weight -q --no-check
prune     out.onnx prune IN -o out.onnx -q --no-check'

fail() {
	failed=$((failed + 1))
	echo "FAIL $*"
}

pass() {
	passed=$((passed + 1))
}

# Sets target and args for the scenario named, and fills old/ and new/.
prepare() {
	local name line
	name=$1
	line=$(grep "^$name " <<<"$scenarios")
	read -r _ target args <<<"$line"
	args=${args//IN/$work\/in.onnx}
	rm -rf "$work/old" "$work/new" "$work/cur"
	mkdir "$work/old" "$work/new"
	cp "$data/digits-cnn.onnx" "$work/in.onnx"
	(
		cd "$work/old" || exit 1
		case $name in
		external)
			"$PARE" convert "$data/mnist-cntk.onnx" -o out.onnx \
				--external-data all -q
			;;
		in-place) cp "$data/digits-cnn.onnx" out.onnx ;;
		native) "$PARE" convert "$data/mnist-cntk.onnx" -o out.pare -q ;;
		*) cp "$data/mnist-cntk.onnx" out.onnx ;;
		esac
	) || return 1
	cp "$work"/old/* "$work/new"
	# shellcheck disable=SC2086 # a list of words
	(cd "$work/new" && "$PARE" $args 2>"$work/err") && return 0
	fail "$name: exit $? without any fault"
	sed 's/^/  /' "$work/err"
	return 1
}

# The folder as it was, for the next run.
reset() {
	rm -rf "$work/cur"
	cp -r "$work/old" "$work/cur"
}

# Prints old, new, or what is wrong with the folder cur.
state() {
	local f
	for f in "$work"/old/*; do
		[ "${f##*/}" = "$target" ] && continue
		cmp -s "$f" "$work/cur/${f##*/}" || {
			echo "${f##*/} was changed"
			return
		}
	done
	if cmp -s "$work/cur/$target" "$work/new/$target"; then
		for f in "$work"/new/*; do
			cmp -s "$f" "$work/cur/${f##*/}" || {
				echo "the model is new, ${f##*/} is not there"
				return
			}
		done
		echo new
	elif cmp -s "$work/cur/$target" "$work/old/$target"; then
		echo old
	else
		echo "$target is neither old nor new"
	fi
}

litter() {
	find "$work/cur" -name '.*pare-*'
}

finish() {
	echo "$passed passed, $failed failed"
	[ "$failed" = 0 ]
	exit
}
