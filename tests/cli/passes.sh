# SPDX-License-Identifier: MIT
"$PARE" passes
