# SPDX-License-Identifier: MIT
"$PARE" optimize "$DATA/digits-cnn.onnx" --shape image=3,1,28,28 -o out.onnx -q && "$PARE" info out.onnx
