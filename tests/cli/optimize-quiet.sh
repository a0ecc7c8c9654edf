# SPDX-License-Identifier: MIT
"$PARE" optimize "$DATA/mnist-cntk.onnx" -o out.onnx -q 2>err; test ! -s err
