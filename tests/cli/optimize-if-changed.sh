# SPDX-License-Identifier: MIT
"$PARE" optimize "$DATA/digits-cnn.onnx" -o out.onnx -q; touch -d 2001-01-01 out.onnx; "$PARE" optimize "$DATA/digits-cnn.onnx" -o out.onnx -q --if-changed; stat -c %y out.onnx
