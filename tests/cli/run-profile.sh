# SPDX-License-Identifier: MIT
"$PARE" run "$DATA/mnist-cntk.onnx" --seed 1 --runs 2 --profile=p.json && grep -c '"ph":"X"' p.json
