# SPDX-License-Identifier: MIT
"$PARE" prune "$DATA/digits-cnn.onnx" -o out.onnx -q && "$PARE" verify "$DATA/digits-cnn.onnx" out.onnx
