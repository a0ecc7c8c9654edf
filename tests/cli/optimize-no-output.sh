# SPDX-License-Identifier: MIT
"$PARE" optimize "$DATA/mnist-cntk.onnx"
