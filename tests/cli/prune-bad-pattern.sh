# SPDX-License-Identifier: MIT
"$PARE" prune "$DATA/digits-cnn.onnx" --pattern 4:2 -o out.onnx
