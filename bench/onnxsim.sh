#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Time and peak memory of optimizing MODEL (default: the largest npm model):
# pare, with verification on and off, and onnxsim, in the same run.
set -eu
cd "$(dirname "$0")/.."
pare=${PARE:-build/release/pare} py=build/venv/bin/python
"$py" -m pip install -q --disable-pip-version-check -r bench/requirements.txt
[ -d build/npm ] || PYTHONPATH=tests/models "$py" -c 'import npm; npm.fetch()'
model=${MODEL:-$(find build/npm -name '*.onnx' -printf '%s %p\n' | sort -n | tail -n 1 | cut -d' ' -f2-)}
"$py" bench/peer.py "$pare" "$model"
