# SPDX-License-Identifier: MIT
cat >m.onnxtxt <<X
<ir_version: 8, opset_import: ["" : 17]>
g (float[2,3] x) => (float[2,3] y, seq(float[2,3]) q, bfloat16[2,3] h) {
  y = Identity(x)
  q = SequenceConstruct(x, x)
  h = Cast<to = 16>(x)
}
X
sed 's/(float.2,3. x)/(float[2,3] y, seq(float[2,3]) q)/; s/=> (.*) {/=> (float[2,3] z) {/; /y =/d; /q =/d; s/h = .*/i = Constant<value = int64 {1}>() e = SequenceAt(q, i) z = Sub(e, y)/' m.onnxtxt >n.onnxtxt
"$PARE" run m.onnxtxt --seed 1 --output-dir o --format npz -q && ls o &&
"$PARE" run n.onnxtxt --input o/outputs.npz --input q=o/q.pb
