# SPDX-License-Identifier: MIT
"$PARE" bench "$DATA/mnist-cntk.onnx" "$DATA/mnist-cntk.onnx" --runs 5 --warmup 1
