# SPDX-License-Identifier: MIT
"$PARE"
