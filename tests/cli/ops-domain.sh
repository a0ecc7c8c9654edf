# SPDX-License-Identifier: MIT
"$PARE" ops --domain ai.onnx && "$PARE" ops --domain com.microsoft --json
