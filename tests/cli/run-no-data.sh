# SPDX-License-Identifier: MIT
"$PARE" run "$DATA/mnist-cntk.onnx"
