# SPDX-License-Identifier: MIT
"$PARE" info "$DATA/mnist-cntk.onnx" "$DATA/digits-cnn.onnx"
