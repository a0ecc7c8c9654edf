# SPDX-License-Identifier: MIT
echo "not a model" >m.onnx; "$PARE" optimize m.onnx -o out.onnx; code=$?; test ! -e out.onnx; exit $code
