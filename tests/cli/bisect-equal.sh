# SPDX-License-Identifier: MIT
"$PARE" bisect "$DATA/digits-cnn.onnx"
