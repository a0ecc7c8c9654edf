# SPDX-License-Identifier: MIT
"$PARE" optimize "$DATA/digits-cnn.onnx" --shape image=3,1,29,28 -o out.onnx
