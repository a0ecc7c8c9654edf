# SPDX-License-Identifier: MIT
"$PARE" quantize "$DATA/digits-cnn.onnx" --calib "$DATA/digits-cnn.calib.npz" --min-agreement 1.01 -o out.onnx; code=$?; test ! -e out.onnx; exit $code
