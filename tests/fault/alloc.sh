#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Lets allocation k fail, once and for ever: exit 5 with the old file and no
# litter, or exit 0 with the new file where somebody could do without.  All of
# the first allocations, then as many more as fit, evenly spread.
# SAMPLES=N sets how many per scenario and mode.
. "$(dirname "$0")/lib.sh"
names=${*:-optimize external native quantize prune}
samples=${SAMPLES:-60}
first=$((samples / 3))
lib=$work/preload.so
cc -std=c11 -O1 -shared -fPIC "$here/preload.c" -o "$lib" -ldl || {
	fail 'preload.c does not compile'
	finish
}

run() { # environment...
	reset
	# shellcheck disable=SC2086 # a list of words
	(cd "$work/cur" && exec env LD_PRELOAD="$lib" "$@" "$PARE" $args) \
		>/dev/null 2>"$work/err"
}

judge() { # what
	local rc=$1 s
	shift
	s=$(state)
	case $rc:$s in
	0:new | 5:old) [ -z "$(litter)" ] && pass && return ;;
	esac
	fail "$*: exit $rc, $s $(litter)"
	sed 's/^/  /' "$work/err" | head -n 3
}

for name in $names; do
	prepare "$name" || continue
	run FAULT_COUNT=1
	n=$(tail -n 1 "$work/err")
	[ "$n" -gt 0 ] 2>/dev/null || {
		fail "$name: allocations cannot be counted"
		continue
	}
	step=$(((n - first) / (samples - first) + 1))
	k=1
	while [ $k -le "$n" ]; do
		run FAULT_ALLOC=$k
		judge $? "$name, allocation $k of $n fails"
		if [ $((k % 2)) = 0 ]; then
			run FAULT_ALLOC=$k FAULT_EVER=1
			judge $? "$name, allocations from $k of $n on fail"
		fi
		k=$((k < first ? k + 1 : k + step))
	done
	run FAULT_SHORT=1
	rc=$?
	if [ "$rc:$(state)" = 0:new ]; then
		pass
	else
		fail "$name, short writes: exit $rc, $(state)"
	fi
	echo "$name: $n allocations"
done
finish
