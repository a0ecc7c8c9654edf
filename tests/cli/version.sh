# SPDX-License-Identifier: MIT
"$PARE" --version
