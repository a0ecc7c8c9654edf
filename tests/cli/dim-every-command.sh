# SPDX-License-Identifier: MIT
m=$DATA/digits-cnn.onnx
for c in "info" "check" "run --seed 1" "bench --runs 1" "verify $m" \
	"diff $m" "bisect" "convert -o c.onnx" \
	"quantize --mode weight -o q.onnx" "prune --sparsity 0.5 -o p.onnx"; do
	"$PARE" $c "$m" --dim batch=4 >/dev/null 2>err ||
		{ echo "$c: exit $?"; cat err; }
done
"$PARE" info c.onnx q.onnx p.onnx | grep '^  input'
