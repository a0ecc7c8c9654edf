# SPDX-License-Identifier: MIT
"$PARE" optimize -O0 "$DATA/digits-cnn.onnx" -o out.onnx -q && cmp "$DATA/digits-cnn.onnx" out.onnx
