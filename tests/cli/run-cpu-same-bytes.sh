# SPDX-License-Identifier: MIT
"$PARE" run "$DATA/digits-cnn.onnx" --seed 3 --output-dir a -q && PARE_CPU=portable "$PARE" run "$DATA/digits-cnn.onnx" --seed 3 --output-dir b -q && cmp a/logits.npy b/logits.npy
