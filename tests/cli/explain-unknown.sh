# SPDX-License-Identifier: MIT
"$PARE" explain nosuch
