# SPDX-License-Identifier: MIT
cat >in.onnxtxt <<'T'
<ir_version: 8, opset_import: ["" : 17]>
g (float[2,3,4] x, float[4] s) => (float[2,3,4] y)
{
   [norm] y = LayerNormalization (x, s)
}
T
"$PARE" convert in.onnxtxt -o out.onnx --opset 13 -q
