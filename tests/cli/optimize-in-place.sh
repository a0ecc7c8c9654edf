# SPDX-License-Identifier: MIT
cp "$DATA/digits-cnn.onnx" m.onnx; "$PARE" optimize m.onnx -o m.onnx -q && "$PARE" info m.onnx
