#!/bin/sh
# SPDX-License-Identifier: MIT
# Fills the lists of the man page from the program's own tables.
# usage: genman.sh PARE man/pare.1.in VERSION
set -eu
pare=$1 in=$2 version=$3

escape() { sed -e 's/\\/\\e/g; s/-/\\-/g; s/^\./\\\&./; s/^'"'"'/\\\&'"'"'/'; }

commands() {
	"$pare" --help | sed -n '/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'
}

options() {
	"$pare" "$1" --help | sed -n '/^options:/,$p' | sed 1d | escape |
		awk 'match($0, /^(  \\-[a-zA-Z], |      )\\-\\-[^ ]+( [^ ]+)?/) {
			rest = substr($0, RLENGTH + 1); flag = substr($0, 1, RLENGTH)
			sub(/^ +/, "", flag); sub(/^ +/, "", rest)
			print ".It Sy " flag; if (rest != "") print rest; next
		} { sub(/^ +/, ""); sub(/^[.\047]/, "\\\\\\&&"); print }'
}

while IFS= read -r line; do
	case $line in
	@COMMANDS@)
		for c in $(commands); do
			echo ".Ss $c"
			"$pare" "$c" --help | sed -n '3,/^options:/p' |
				sed '/^options:/d; /^$/d' | escape
			echo ".Bl -tag -width Ds"
			options "$c"
			echo ".El"
		done ;;
	@VERSION@) echo ".Os pare $version" ;;
	*) printf '%s\n' "$line" ;;
	esac
done <"$in"
