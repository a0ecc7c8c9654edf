# SPDX-License-Identifier: MIT
"$PARE" optimize - -o - -q <"$DATA/digits-cnn.onnx" >a.onnx && "$PARE" optimize "$DATA/digits-cnn.onnx" -o b.onnx -q && cmp a.onnx b.onnx
