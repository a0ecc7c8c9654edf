# SPDX-License-Identifier: MIT
"$PARE" optimize --pipelin fold x.onnx -o out.onnx
