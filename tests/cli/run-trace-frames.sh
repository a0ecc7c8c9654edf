# SPDX-License-Identifier: MIT
cat >m.onnxtxt <<X
<ir_version: 8, opset_import: ["" : 17]>
g (float[2] x) => (float[2] y) {
  n = Constant<value = int64 {2}>()
  c = Constant<value = bool {1}>()
  y = Loop(n, c, x) <body = b (int64 i, bool go, float[2] a) => (bool again, float[2] s) {
    again = Identity(go)
    p = Equal(i, n)
    s = If(p) <then_branch = t () => (float[2] u) { u = Neg(a) }, else_branch = e () => (float[2] w) { w = Sqrt(a) }>
  }>
}
X
printf '\223NUMPY\1\0\166\0%-117s\n\0\0\200\277\0\0\200\100' "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }" >x.npy
"$PARE" run m.onnxtxt --input x.npy --trace
