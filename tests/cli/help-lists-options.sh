# SPDX-License-Identifier: MIT
"$PARE" quantize --help
