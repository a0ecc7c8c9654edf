# SPDX-License-Identifier: MIT
"$PARE" explain fuse-conv-bn
