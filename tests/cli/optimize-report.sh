# SPDX-License-Identifier: MIT
"$PARE" optimize "$DATA/mnist-cntk.onnx" -o out.onnx -q --report r.json && cat r.json
