# SPDX-License-Identifier: MIT
"$PARE" optimize "$DATA/digits-cnn.onnx" --disable drop-cats -o o.onnx
