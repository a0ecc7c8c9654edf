# SPDX-License-Identifier: MIT
"$PARE" quantize "$DATA/digits-cnn.onnx" --calib "$DATA/digits-cnn.calib.npz" --calib-samples 8 -o out.onnx
