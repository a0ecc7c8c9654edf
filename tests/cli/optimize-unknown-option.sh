# SPDX-License-Identifier: MIT
"$PARE" optimize --shapes x -o out.onnx
