# SPDX-License-Identifier: MIT
printf '\223NUMPY\1\0\166\0%-117s\n\0\0\0\0\0\0\0\0' "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }" >x.npy
"$PARE" run "$DATA/digits-cnn.onnx" --input x.npy
