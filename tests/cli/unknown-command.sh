# SPDX-License-Identifier: MIT
"$PARE" optimise
