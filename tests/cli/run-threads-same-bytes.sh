# SPDX-License-Identifier: MIT
"$PARE" run "$DATA/digits-cnn.onnx" --seed 3 --output-dir a -q -j 1 && "$PARE" run "$DATA/digits-cnn.onnx" --seed 3 --output-dir b -q -j 4 && cmp a/logits.npy b/logits.npy
