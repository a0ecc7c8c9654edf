# SPDX-License-Identifier: MIT
"$PARE" diff "$DATA/mnist-cntk.onnx" "$DATA/digits-cnn.onnx"
