# SPDX-License-Identifier: MIT
"$PARE" optimize "$DATA/digits-cnn.onnx" -o out.onnx -q --json
