#!/bin/sh
# SPDX-License-Identifier: MIT
# Has clang a libFuzzer?  Exit 0 if so.
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
echo 'int LLVMFuzzerTestOneInput(const char *p, unsigned long n);
int LLVMFuzzerTestOneInput(const char *p, unsigned long n)
{ return p && n > 1000000; }' >"$dir/f.c"
clang -fsanitize=fuzzer,address "$dir/f.c" -o "$dir/f" >/dev/null 2>&1
