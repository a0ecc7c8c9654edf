#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every model of the backend tests through the text syntax, and read and
# written again.
set -u
cd "$(dirname "$0")/../.."
data=$(build/venv/bin/python -c 'import onnx, os
print(os.path.join(os.path.dirname(onnx.__file__), "backend", "test", "data"))')
find "$data" /usr/share/libonnx-testdata/data -name '*.onnx' | sort |
	build/release/model-roundtrip -
