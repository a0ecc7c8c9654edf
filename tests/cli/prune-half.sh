# SPDX-License-Identifier: MIT
"$PARE" prune "$DATA/digits-cnn.onnx" -o out.onnx
