# SPDX-License-Identifier: MIT
"$PARE" optimize "$DATA/digits-cnn.onnx" -o o.onnx --max-memory 1MB
code=$?
[ -e o.onnx ] && echo written
exit $code
