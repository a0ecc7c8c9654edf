# SPDX-License-Identifier: MIT
# The same numbers on both sides; if a random node went, by type and shape.
cat >a.onnxtxt <<X
<ir_version: 8, opset_import: ["" : 17]>
g (float[2,3] x) => (float[2,3] y) {
  i = Identity(x)
  r = RandomUniformLike(i)
  y = Add(i, r)
}
X
sed 's/  y =.*/  n = RandomNormalLike(i)\n  dead = Neg(n)\n&/' a.onnxtxt >b.onnxtxt
for m in a b; do
	"$PARE" optimize $m.onnxtxt -o $m.onnx -q &&
		"$PARE" verify $m.onnxtxt $m.onnx || exit
done
