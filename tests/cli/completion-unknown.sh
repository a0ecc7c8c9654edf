# SPDX-License-Identifier: MIT
"$PARE" completion tcsh
