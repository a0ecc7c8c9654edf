# SPDX-License-Identifier: MIT
"$PARE" convert "$DATA/digits-cnn.onnx" -o a.onnx --external-data all -q && ls *.data && "$PARE" convert a.onnx -o b.onnx --external-data none -q && "$PARE" verify "$DATA/digits-cnn.onnx" b.onnx
