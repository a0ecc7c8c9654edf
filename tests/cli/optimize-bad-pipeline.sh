# SPDX-License-Identifier: MIT
"$PARE" optimize "$DATA/mnist-cntk.onnx" -p "fold,fix(" -o out.onnx
