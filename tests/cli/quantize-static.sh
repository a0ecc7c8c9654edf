# SPDX-License-Identifier: MIT
"$PARE" quantize "$DATA/digits-cnn.onnx" --calib "$DATA/digits-cnn.calib.npz" -o out.onnx
