# SPDX-License-Identifier: MIT
"$PARE" prune "$DATA/digits-cnn.onnx" --exclude Gemm -o out.onnx
