#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Lets system call k of a kind fail, for each k: no space, input/output error,
# quota, interruption, no memory.  The old file stays (exit 4 or 5), or the
# call did not matter and the new file is complete (exit 0).
# Arguments: scenarios (default: one of each kind of output).
. "$(dirname "$0")/lib.sh"
names=${*:-optimize external native}
# system calls, the errors that they are given
faults='write,pwrite64,writev ENOSPC EIO EDQUOT EINTR
fsync,fdatasync ENOSPC EIO EINTR EINVAL
rename,renameat,renameat2 ENOSPC EIO EACCES
openat,open,openat2 EIO EMFILE
read,pread64 EIO
fchmod,fstat,newfstatat EIO
close EIO
mmap,mremap ENOMEM
getrandom EIO'

judge() {
	case $1:$2 in
	0:new | 4:old | 5:old) return 0 ;;
	*) return 1 ;;
	esac
}

# How many of these calls the start of a program makes: how the dynamic linker
# fails is not ours to judge.
at_start() {
	strace -qq -o "$work/log" -e trace="$1" "$PARE" --version >/dev/null 2>&1
	grep -c '(' "$work/log"
}

one() { # name, calls, error, k; false when the fault did not happen
	reset
	# shellcheck disable=SC2086 # a list of words
	(cd "$work/cur" && exec strace -qq -o "$work/log" -e trace="$2" \
		-e inject="$2:error=$3:when=$4" "$PARE" $args) \
		>/dev/null 2>"$work/err"
	rc=$?
	grep -q INJECTED "$work/log" || return 1
	s=$(state)
	if ! judge $rc "$s"; then
		fail "$1, $3 at call $4 of $2: exit $rc, $s"
		sed 's/^/  /' "$work/err" | head -n 3
	elif [ -n "$(litter)" ]; then
		fail "$1, $3 at call $4 of $2: left $(litter)"
	else
		pass
	fi
}

for name in $names; do
	prepare "$name" || continue
	while read -r calls errors; do
		start=$(at_start "$calls")
		for error in $errors; do
			k=$((start + 1))
			while one "$name" "$calls" "$error" $k; do
				k=$((k + 1))
			done
		done
	done <<<"$faults"
done

# A file that may not grow: the kernel's own "file too large".
prepare optimize && for blocks in 0 1 50 200; do
	reset
	# shellcheck disable=SC2086 # a list of words
	(
		trap '' XFSZ
		cd "$work/cur" && ulimit -f $blocks && "$PARE" $args
	) >/dev/null 2>&1
	rc=$?
	if [ "$rc:$(state):$(litter)" = 4:old: ]; then
		pass
	else
		fail "at most $blocks blocks: exit $rc, $(state) $(litter)"
	fi
done
finish
