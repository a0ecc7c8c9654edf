# SPDX-License-Identifier: MIT
"$PARE" info --shapes "$DATA/digits-cnn.onnx"
