# SPDX-License-Identifier: MIT
cat >m.onnxtxt <<X
<ir_version: 8, opset_import: ["" : 17]>
g (string[1] x) => (string[1] y, string[3] z) {
  y = Identity(x)
  z = Constant<value_strings = ["naïve", "", "日本語"]>()
}
X
printf '\223NUMPY\1\0\166\0%-117s\nab\0' "{'descr': '|S3', 'fortran_order': False, 'shape': (1,), }" >x.npy
sed 's/string.1./string[3]/g; /z = /d; s/, string.3. z//' m.onnxtxt >n.onnxtxt
"$PARE" run m.onnxtxt --input x.npy --print --output-dir o && ls o &&
"$PARE" run n.onnxtxt --input o/z.npy --print
