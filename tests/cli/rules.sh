# SPDX-License-Identifier: MIT
"$PARE" rules
