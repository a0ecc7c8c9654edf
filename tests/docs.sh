#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs every example of README.md, the man page and docs/: lines that start
# with `$ pare` or, in the man page, `.Dl pare`, in a folder where the names
# they use exist.  Checks that the man page is well formed and lists every
# option, that each relative link leads somewhere, and that docs/operators.md is
# what the tables say.
set -u
cd "$(dirname "$0")/.."
root=$PWD pare=${PARE:-$PWD/build/release/pare}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
passed=0 failed=0

result() {
	if [ "$1" = 0 ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL $2"
	fi
}

mkdir "$dir/bin"
ln -s "$pare" "$dir/bin/pare"
cp testdata/digits-cnn.onnx "$dir/model.onnx"
cp testdata/digits-cnn.calib.npz "$dir/samples.npz"
cp -r testdata "$dir/"
example() {
	(cd "$dir" && PATH=$dir/bin:$PATH bash -c "$1" >log 2>&1 </dev/null)
	local code=$?
	[ $code = 0 ] || { echo "  $1"; tail -n 4 "$dir/log"; }
	result $code "example '$1'"
}
while IFS= read -r line; do
	example "$line"
done < <(sed -n 's/^ *\$ \(pare .*\)/\1/p' README.md docs/*.md ./*/README.md
	sed -n 's/^\.Dl \(pare .*\)/\1/p' man/pare.1.in)

make -s man >/dev/null && mandoc -T lint -W error build/release/man/pare.1
result $? 'man page is not well formed'
mandoc -T utf8 build/release/man/pare.1 | sed 's/.\x08//g' >"$dir/man.txt"
for shell in bash zsh fish; do
	"$pare" completion $shell >"$dir/$shell.txt"
done
for c in $("$pare" --help | sed -n '/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
	for o in $("$pare" "$c" --help | sed -n 's/^  .*--\([a-zA-Z-]*\).*/\1/p'); do
		for shell in bash zsh fish; do
			grep -q -- "$o" "$dir/$shell.txt"
			result $? "$shell completion lacks --$o"
		done
		grep -q -- "--$o" "$dir/man.txt"
		result $? "man page lacks --$o"
	done
done
sh tools/genops.sh "$pare" docs/operators.md.in \
	tests/models/backend_known.txt >"$dir/operators.md"
cmp -s "$dir/operators.md" docs/operators.md
result $? 'docs/operators.md is stale: run make operators'
while IFS=: read -r file link; do
	[ -e "$(dirname "$file")/${link%%#*}" ]
	result $? "$file: dead link $link"
done < <(grep -roHE '\]\([^)#:]+\)' --include='*.md' . | grep -v '^./build' |
	sed -E 's/\]\((.*)\)$/\1/')
cd "$root" || exit 1
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
