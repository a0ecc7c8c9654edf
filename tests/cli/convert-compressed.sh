# SPDX-License-Identifier: MIT
"$PARE" convert "$DATA/digits-cnn.onnx" -o a.pare --compress -q && "$PARE" convert a.pare -o b.onnx -q && cmp "$DATA/digits-cnn.onnx" b.onnx
