# SPDX-License-Identifier: MIT
"$PARE" info "$DATA/digits-cnn.onnx" --dim bach=4
