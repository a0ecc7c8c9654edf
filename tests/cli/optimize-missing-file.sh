# SPDX-License-Identifier: MIT
"$PARE" optimize nosuch.onnx -o out.onnx
