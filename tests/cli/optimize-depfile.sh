# SPDX-License-Identifier: MIT
"$PARE" optimize "$DATA/mnist-cntk.onnx" -o out.onnx -q -MD -MF out.d -MP && cat out.d
