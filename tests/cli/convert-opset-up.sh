# SPDX-License-Identifier: MIT
cat >in.onnxtxt <<'T'
<ir_version: 6, opset_import: ["" : 9]>
g (float[2,3,4] x, float[1,2,4,4] u) => (float[N] a, float[N] b, float[N] c, float[N] d, float[N] e, float[N] f)
{
   a = Softmax <axis = 1> (x)
   b = Clip <min = 0.0, max = 6.0> (x)
   p = Pad <pads = [0, 0, 0, 1, 0, 0]> (x)
   c = Slice <axes = [-1], ends = [3], starts = [1]> (p)
   r = ReduceSum <axes = [1], keepdims = 0> (x)
   d = Unsqueeze <axes = [0]> (r)
   k, i = TopK <k = 2> (x)
   e, rest = Split <axis = 0, split = [1, 1]> (k)
   up_scales = Constant <value = float[4] {1, 1, 2, 2}> ()
   f = Upsample <mode = "nearest"> (u, up_scales)
}
T
sed -i 's/float\[N\]/float[]/g' in.onnxtxt
"$PARE" convert in.onnxtxt -o out.onnxtxt --opset 18 -q
grep -v '^ *[a-z]*_version\|^[<>]' out.onnxtxt
"$PARE" convert out.onnxtxt -o back.onnxtxt --opset 10 -q
grep -o 'Softmax.*\|Clip.*\|Pad.*\|Slice.*\|ReduceSum.*\|Unsqueeze.*\|TopK.*\|Split.*\|Resize.*' back.onnxtxt
