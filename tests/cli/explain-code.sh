# SPDX-License-Identifier: MIT
"$PARE" explain E-shape
