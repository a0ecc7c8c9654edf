/* SPDX-License-Identifier: MIT */
/* The operators of com.microsoft: both kernel sets, and what is refused. */
#include <stdio.h>

#include "tests/unit/kernel_run.h"

#define HEAD \
	"<ir_version: 10, opset_import: [\"\" : 21, \"com.microsoft\" : 1]>\n"
#define MS "com.microsoft."

Test(contrib, kernel_sets_agree)
{
	static const char *const models[] = {
		"g (float[2,3,40] x, float[40] b) => (float y) { y = " MS
		"FastGelu (x, b) }",
		"g (float[3,2,5,7] a, float[2,5,6,7] b) => (float y) { y = " MS
		"FusedMatMul <transB = 1, transBatchA = 1, "
		"alpha = 0.5> (a, b) }",
		"g (float[1,4,9,9] x, float[6,4,3,3] w, float[6] b, "
		"float[1,6,7,7] z) => (float y) { y = " MS
		"FusedConv <activation = \"LeakyRelu\", activation_params = "
		"[0.1]> (x, w, b, z) }",
		"g (float[1,100] a, uint8[70,4,16] q, float[70,4] s) => "
		"(float y) { y = " MS
		"MatMulNBits <K = 100, N = 70, block_size = 32> (a, q, s) }",
		"g (float[20,100] a, uint8[70,4,32] q, float[70,4] s, "
		"uint8[70,4] zq, float[70] b) => (float y) { y = " MS
		"MatMulNBits <K = 100, N = 70, block_size = 32, bits = 8> "
		"(a, q, s, zq, , b) }",
		"g (float[2,30,32] q, float[2,300,32] k, float[2,300,32] v) "
		"=> (float y) { y = " MS
		"MultiHeadAttention <num_heads = 4> (q, k, v) }",
		"g (float[2,9,4,3,8] q) => (float y) { y = " MS
		"MultiHeadAttention <num_heads = 4> (q) }",
		"g (float[2,9,16] x, float[16,48] w, float[48] b) => (float y) "
		"{ y = " MS "Attention <num_heads = 2, unidirectional = 1> "
		"(x, w, b) }",
		"g (float[2,5,32] x, float[2,5,32] s, float[32] g, float[32] "
		"b) => (float y) { y = " MS
		"SkipLayerNormalization (x, s, g, b) }",
	};
	char t[1024];

	for (size_t i = 0; i < countof(models); i++) {
		snprintf(t, sizeof t, HEAD "%s", models[i]);
		run_agrees(t, 1e-4, 1e-4);
	}
}

Test(contrib, impossible_nodes_are_refused)
{
	static const char *const models[] = {
		/* shapes that contradict each other or the attributes */
		"g (float[2,100] a, uint8[70,4,15] q, float[70,4] s) => "
		"(float y) { y = " MS
		"MatMulNBits <K = 100, N = 70, block_size = 32> (a, q, s) }",
		"g (float[2,100] a, uint8[70,4,16] q, float[70,4] s) => "
		"(float y) { y = " MS
		"MatMulNBits <K = 100, N = 70, block_size = 0> (a, q, s) }",
		"g (float[2,100] a, uint8[70,4,16] q, float[70,4] s) => "
		"(float y) { y = " MS "MatMulNBits <K = 9223372036854775807, "
		"N = 9223372036854775807, block_size = 16> (a, q, s) }",
		/* g_idx beyond the blocks */
		"g (float[2,32] a, uint8[4,2,8] q, float[4,2] s, int32[32] g) "
		"=> (float y) { y = " MS
		"MatMulNBits <K = 32, N = 4, block_size = 16> "
		"(a, q, s, , g) }",
		"g (float[2,3,8] q, float[2,3,8] k, float[2,3,8] v) => "
		"(float y) { y = " MS
		"MultiHeadAttention <num_heads = 3> (q, k, v) }",
		"g (float[2,3,8] q, float[2,3,8] k, float[2,3,8] v) => "
		"(float y) { y = " MS
		"MultiHeadAttention <num_heads = -1> (q, k, v) }",
		"g (float[2,3,8] q, float[2,3,8] k, float[2,4,8] v) => "
		"(float y) { y = " MS
		"MultiHeadAttention <num_heads = 2> (q, k, v) }",
		/* lengths from data */
		"g (float[1,1,8] q, float[1,1,8] k, float[1,1,8] v, int32[1] "
		"n, int32 t) => (float y) { y = " MS
		"GroupQueryAttention <num_heads = 2, kv_num_heads = 2> "
		"(q, k, v, , , n, t) }",
		"g (float[2,8] d, int64[3] i, float[2,1] s) => (float y) "
		"{ y = " MS "GatherBlockQuantized (d, i, s) }",
		"g (int32[1,3] i, float[2,4] w, float[3,4] p, float[4] g, "
		"float[4] b) => (float y) { y = " MS
		"EmbedLayerNormalization (i, , w, p, , g, b) }",
		"g (float[2,3] a, float[4,5] b) => (float y) { y = " MS
		"FusedMatMul <transBatchA = 1> (a, b) }",
		"g (float[2,3] a, float[3,5] b) => (float y) { y = " MS
		"FusedGemm <activation = \"Softmax\"> (a, b) }",
		"g (uint8[1,2,3] x) => (uint8 y) { y = " MS
		"NhwcMaxPool <kernel_shape = [5]> (x) }",
		"g (float[2,3] x) => (float y) { y = " MS "Inverse (x) }",
	};
	char t[1024];

	for (size_t i = 0; i < countof(models); i++) {
		snprintf(t, sizeof t, HEAD "%s", models[i]);
		run_refuses(t);
	}
}
