# SPDX-License-Identifier: MIT
"$PARE" ops --domain ai.nnx
