#!/bin/sh
# SPDX-License-Identifier: MIT
# Optimizes, quantizes, prunes, converts, verifies and times a small trained
# network, and prints what each step did.
set -eu
pare=$1
model=testdata/digits-cnn.onnx
out=build/demo
mkdir -p "$out"

step() {
	printf '\n\033[1m$ pare %s\033[0m\n' "$*" | sed 's|build/release/||'
	"$pare" "$@"
}

step optimize "$model" -o "$out/small.onnx"
step quantize "$model" --calib testdata/digits-cnn.calib.npz -o "$out/int8.onnx"
step prune "$model" --sparsity 0.5 -o "$out/sparse.onnx"
step convert "$out/small.onnx" -o "$out/small.pare"
step verify "$model" "$out/small.pare"
step bench "$model" "$out/small.onnx" "$out/small.pare" --runs 30
step info "$model" "$out/small.onnx" "$out/int8.onnx"
