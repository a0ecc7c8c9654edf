# SPDX-License-Identifier: MIT
"$PARE" optimize x.onnx --print-pipeline -p "fold,fix(canon,cse,dce)"
