#!/bin/sh
# SPDX-License-Identifier: MIT
# A Python with the judges that the tests ask: onnx, onnxruntime, numpy.
# Prints nothing when it is there already.
set -eu
dir=${1:-build/venv}
stamp=$dir/requirements.txt
cmp -s tests/requirements.txt "$stamp" && exit 0
echo "venv: installing $(tr '\n' ' ' <tests/requirements.txt)into $dir"
rm -rf "$dir"
python3 -m venv "$dir"
"$dir/bin/pip" install -q --disable-pip-version-check -r tests/requirements.txt
cp tests/requirements.txt "$stamp"
