# SPDX-License-Identifier: MIT
"$PARE" optimize "$DATA/digits-cnn.onnx" --disable fuse-conv-bn -o out.onnx -q && "$PARE" info out.onnx
