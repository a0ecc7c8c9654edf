#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Speed, memory and start of pare as ratios against ONNX Runtime; arguments go
# to speed.py.
set -eu
cd "$(dirname "$0")/.."
pare=${PARE:-build/release/pare} py=build/venv/bin/python
"$py" bench/models.py build/speed
${CC:-cc} -O2 bench/peak.c -o build/speed/peak
[ -d build/npm ] || PYTHONPATH=tests/models "$py" -c 'import npm; npm.fetch()'
exec "$py" bench/speed.py "$pare" build/speed "$@"
