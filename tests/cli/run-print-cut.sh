# SPDX-License-Identifier: MIT
cat >m.onnxtxt <<X
<ir_version: 8, opset_import: ["" : 17]>
g (int64 k) => (float[2,9] y, string[2] t, seq(int64) q, bool b) {
  one = Constant<value = float {1}>()
  zero = Constant<value = float {0}>()
  n = Constant<value = float {18}>()
  r = Range(zero, n, one)
  d = Constant<value = float {-8}>()
  e = Div(r, d)
  shape = Constant<value = int64[2] {2, 9}>()
  y = Reshape(e, shape)
  t = Constant<value_strings = ["a", "b\"c"]>()
  q = SequenceConstruct(k, k)
  b = Equal(k, k)
}
X
"$PARE" run m.onnxtxt --seed 1 --print=10
