#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Time to load a model: pare maps a .pare file, ONNX Runtime makes a session.
# Same models, same run, in their own processes' clocks: neither start-up of
# Python nor of pare is counted.
set -eu
cd "$(dirname "$0")/.."
pare=${PARE:-build/release/pare} dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$pare" convert testdata/digits-cnn.onnx -o "$dir/m.pare" -q
build/venv/bin/python bench/load.py "$pare" "$dir/m.pare" testdata/digits-cnn.onnx
