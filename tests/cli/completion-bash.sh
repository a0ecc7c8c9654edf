# SPDX-License-Identifier: MIT
"$PARE" completion bash >c && bash -n c && . ./c && complete -p pare
