# SPDX-License-Identifier: MIT
"$PARE" optimize "$DATA/digits-cnn.onnx" --dim batch=4 -o out.onnx -q && "$PARE" info out.onnx
