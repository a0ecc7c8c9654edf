# SPDX-License-Identifier: MIT
"$PARE" convert "$DATA/mnist-cntk.onnx" -o a.onnxtxt -q && "$PARE" convert a.onnxtxt -o b.onnx -q && "$PARE" verify "$DATA/mnist-cntk.onnx" b.onnx
