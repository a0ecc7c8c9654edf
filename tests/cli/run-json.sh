# SPDX-License-Identifier: MIT
"$PARE" run "$DATA/mnist-cntk.onnx" --seed 1 --json --print=3 --trace --profile -q
