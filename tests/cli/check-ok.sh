# SPDX-License-Identifier: MIT
"$PARE" check "$DATA/mnist-cntk.onnx" "$DATA/digits-cnn.onnx"
