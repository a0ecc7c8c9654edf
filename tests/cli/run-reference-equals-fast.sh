# SPDX-License-Identifier: MIT
"$PARE" run "$DATA/digits-cnn.onnx" --seed 3 --output-dir a -q && "$PARE" run "$DATA/digits-cnn.onnx" --seed 3 --output-dir b --reference -q && ls a b
