#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Kills pare with SIGKILL at system call 1, 2, 3, ... of a run that saves a
# file, until it comes through.  What is left must be the old or the new file.
# Arguments: scenarios (default: three of them).
. "$(dirname "$0")/lib.sh"
names=${*:-optimize external native}

# execve is the start; what ends the process comes too late.
calls_of() {
	reset
	# shellcheck disable=SC2086 # a list of words
	(cd "$work/cur" && strace -qq -o "$work/log" "$PARE" $args) \
		>/dev/null 2>&1
	sed -n 's/^\([a-z0-9_]*\)(.*/\1/p' "$work/log" | sort -u |
		grep -v '^execve$\|^exit'
}

kill_at() { # scenario, system call, its number
	reset
	# shellcheck disable=SC2086 # a list of words
	(cd "$work/cur" && exec strace -qq -o /dev/null -e trace="$2" \
		-e inject="$2:signal=KILL:when=$3" "$PARE" $args) \
		>/dev/null 2>&1
	rc=$?
	s=$(state)
	case $rc:$s in
	137:old | 137:new) pass ;;
	0:new) ;;
	*) fail "$1, killed at $2 number $3: exit $rc, $s" ;;
	esac
}

for name in $names; do
	prepare "$name" || continue
	before=$passed
	for call in $(calls_of); do
		k=0 rc=137
		while [ $rc = 137 ]; do
			k=$((k + 1))
			kill_at "$name" "$call" $k
		done
	done
	echo "$name: $((passed - before)) kill points"
done 2>/dev/null
finish
