# SPDX-License-Identifier: MIT
mkdir d && "$PARE" run "$DATA/digits-cnn.onnx" --input d
