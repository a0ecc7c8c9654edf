/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include "runtime/kernels/quant/qsimd_p.h"
#include "runtime/kernels/shared/simd_p.h"
#include "runtime/mathf.h"
#include "tests/unit/kernel_run.h"

#define HEAD         "<ir_version: 10, opset_import: [\"\" : 23]>\n"
#define NODE(in, op) HEAD "g (" in ") => (float y) { y = " op " }"

Test(nn, pooling_agrees)
{
	static const char *const ops[] = {
		"MaxPool <kernel_shape = [2,2], strides = [2,2]> (x)",
		"MaxPool <kernel_shape = [3,3], strides = [2,2], pads = "
		"[1,1,1,1], ceil_mode = 1> (x)",
		"MaxPool <kernel_shape = [3,2], dilations = [2,3]> (x)",
		"MaxPool <kernel_shape = [5,5], auto_pad = \"SAME_LOWER\"> (x)",
		"AveragePool <kernel_shape = [3,3], strides = [2,3], pads = "
		"[1,1,1,1]> (x)",
		"AveragePool <kernel_shape = [3,3], pads = [0,1,2,1], "
		"count_include_pad = 1, ceil_mode = 1, strides = [2,2]> (x)",
		"AveragePool <kernel_shape = [2,3], dilations = [2,2]> (x)",
		"LpPool <kernel_shape = [3,3], p = 3> (x)",
		"GlobalMaxPool (x)",
		"GlobalAveragePool (x)",
		"GlobalLpPool (x)",
	};
	char t[512];

	for (size_t i = 0; i < countof(ops); i++) {
		snprintf(t, sizeof t,
			 HEAD "g (float[2,19,13,37] x) => (float y) { y = %s }",
			 ops[i]);
		run_agrees(t, 1e-5, 1e-6);
	}
	run_agrees(HEAD "g (float[1,2,9,9] x) => (float y, int64 i) {"
			"y, i = MaxPool <kernel_shape = [3,3], storage_order "
			"= 1> (x) }",
		   0, 0);
	run_agrees(HEAD "g (int8[2,3,19,41] x) => (int8 y) {"
			"y = MaxPool <kernel_shape = [3,3], strides = [2,1], "
			"pads = [1,1,1,1]> (x) }",
		   0, 0);
	run_agrees(HEAD "g (uint8[1,2,9,9] x) => (uint8 y) {"
			"y = MaxPool <kernel_shape = [3,3]> (x) }",
		   0, 0);
}

Test(nn, softmax_agrees)
{
	static const char *const shape[] = {"3,5", "2,3,40,7", "1", "4,1",
					    "2,100"};
	char t[512];

	for (size_t i = 0; i < countof(shape); i++)
		for (int log = 0; log < 2; log++)
			for (int old = 0; old < 2; old++) {
				snprintf(t, sizeof t,
					 "<ir_version: 7, opset_import: [\"\" :"
					 " %d]>\ng (float[%s] x) => (float y) "
					 "{ y = %sSoftmax <axis = 0> (x) }",
					 old ? 11 : 13, shape[i],
					 log ? "Log" : "");
				run_agrees(t, 1e-5, 1e-6);
			}
}

Test(nn, normalizations_agree)
{
	static const char *const text[] = {
		NODE("float[2,7,50] x, float[50] g, float[50] b",
		     "LayerNormalization (x, g, b)"),
		NODE("float[2,7,50] x, float[7,50] g",
		     "LayerNormalization <axis = 1> (x, g)"),
		NODE("float[2,7,50] x, float[50] g", "RMSNormalization (x, g)"),
		NODE("float[2,6,5,7] x, float[6] g, float[6] b",
		     "InstanceNormalization (x, g, b)"),
		NODE("float[2,6,5,7] x, float[6] g, float[6] b",
		     "GroupNormalization <num_groups = 3> (x, g, b)"),
		NODE("float[2,11,5,7] x",
		     "LRN <size = 5, alpha = 0.1, bias = 2.0> (x)"),
		NODE("float[2,11,5,7] x",
		     "LRN <size = 4, alpha = 0.1, beta = 0.6> (x)"),
		NODE("float[2,6,5,7] x, float[6] s, float[6] b, float[6] m, "
		     "float[6] s2",
		     "BatchNormalization (x, s, b, m, s2)"),
		NODE("float[3,6] x, float[6] s, float[6] b, float[6] m, "
		     "float[6] s2",
		     "BatchNormalization (x, s, b, m, s2)"),
		NODE("float[2,6,5,7] x", "MeanVarianceNormalization (x)"),
		NODE("float[2,6,5,7] x", "LpNormalization <axis = 1> (x)"),
	};

	for (size_t i = 0; i < countof(text); i++)
		run_agrees(text[i], 1e-4, 1e-5);
}

Test(nn, resize_agrees)
{
	static const char *const attrs[] = {
		"mode = \"nearest\"",
		"mode = \"linear\"",
		"mode = \"cubic\"",
		"mode = \"linear\", antialias = 1",
		"mode = \"cubic\", antialias = 1, exclude_outside = 1",
		"mode = \"linear\", coordinate_transformation_mode = "
		"\"align_corners\"",
		"mode = \"nearest\", coordinate_transformation_mode = "
		"\"asymmetric\", nearest_mode = \"ceil\"",
	};
	static const char *const size[] = {"2,3,14,20", "2,3,5,6", "2,3,9,3"};
	char t[512];

	for (size_t i = 0; i < countof(attrs); i++)
		for (size_t j = 0; j < countof(size); j++) {
			snprintf(t, sizeof t,
				 HEAD "g (float[2,3,7,10] x) => (float y) <"
				      "int64[4] n = {%s}> { y = Resize <%s> "
				      "(x, \"\", \"\", n) }",
				 size[j], attrs[i]);
			run_agrees(t, 1e-4, 1e-5);
		}
}

Test(nn, recurrent_layers_agree)
{
	static const char *const dir[] = {"forward", "reverse",
					  "bidirectional"};
	char t[1024];

	for (int d = 0; d < 3; d++)
		for (int layout = 0; layout < 2; layout++) {
			int n = d == 2 ? 2 : 1;
			const char *x = layout ? "3,5,7" : "5,3,7";
			char h[32];

			snprintf(h, sizeof h, layout ? "3,%d,9" : "%d,3,9", n);
			snprintf(t, sizeof t,
				 HEAD "g (float[%s] x, float[%d,36,7] w, "
				      "float[%d,36,9] r, float[%d,72] b, "
				      "float[%s] h, float[%s] c, float[%d,27] "
				      "p) => (float y, float yh, float yc) {"
				      "y, yh, yc = LSTM <hidden_size = 9, "
				      "direction = \"%s\", layout = %d, clip = "
				      "2.0> (x, w, r, b, \"\", h, c, p) }",
				 x, n, n, n, h, h, n, dir[d], layout);
			run_agrees(t, 1e-4, 1e-5);
			snprintf(t, sizeof t,
				 HEAD "g (float[%s] x, float[%d,27,7] w, "
				      "float[%d,27,9] r, float[%d,54] b, "
				      "float[%s] h) => (float y, float yh) {"
				      "y, yh = GRU <hidden_size = 9, direction "
				      "= \"%s\", layout = %d, "
				      "linear_before_reset = %d> "
				      "(x, w, r, b, \"\", h) }",
				 x, n, n, n, h, dir[d], layout, d % 2);
			run_agrees(t, 1e-4, 1e-5);
			snprintf(t, sizeof t,
				 HEAD "g (float[%s] x, float[%d,9,7] w, "
				      "float[%d,9,9] r) => (float y, float yh)"
				      "{ y, yh = RNN <hidden_size = 9, "
				      "direction = \"%s\", layout = %d> "
				      "(x, w, r) }",
				 x, n, n, dir[d], layout);
			run_agrees(t, 1e-4, 1e-5);
		}
}

Test(nn, quantization_is_exact)
{
	static const char *const text[] = {
		HEAD "g (float[3,70] x, float s, uint8 z) => (uint8 y) {"
		     "y = QuantizeLinear (x, s, z) }",
		HEAD "g (float[3,70] x, float[70] s, int8[70] z) => (int8 y) {"
		     "y = QuantizeLinear (x, s, z) }",
		HEAD "g (float[3,70] x, float[3] s, int8[3] z) => (int8 y) {"
		     "y = QuantizeLinear <axis = 0> (x, s, z) }",
		HEAD "g (float[4,9] x, float[2,9] s) => (int4 y) {"
		     "y = QuantizeLinear <axis = 0, block_size = 2, "
		     "output_dtype = 22> (x, s) }",
		HEAD "g (uint8[3,70] x, float s, uint8 z) => (float y) {"
		     "y = DequantizeLinear (x, s, z) }",
		HEAD "g (int8[3,70] x, float[3] s, int8[3] z) => (float y) {"
		     "y = DequantizeLinear <axis = 0> (x, s, z) }",
		HEAD "g (int32[3,70] x, float[3] s) => (float y) {"
		     "y = DequantizeLinear <axis = 0> (x, s) }",
		HEAD "g (float[5,77] x) => (uint8 y, float s, uint8 z) {"
		     "y, s, z = DynamicQuantizeLinear (x) }",
	};

	for (size_t i = 0; i < countof(text); i++)
		run_agrees(text[i], 0, 0);
}

#define MS_HEAD                                                                \
	"<ir_version: 10, opset_import: [\"\" : 21, \"com.microsoft\" : 1]>\n" \
	"g "
#define MS "com.microsoft."

Test(nn, contributed_quantized_operators_agree)
{
	static const char *const text[] = {
		MS_HEAD "(uint8[2,3,70] a, float s1, uint8 z1, uint8[3,1] b, "
			"float s2, uint8 z2, float s3, uint8 z3) => (uint8 y)"
			"{ y = " MS "QLinearAdd (a, s1, z1, b, s2, z2, s3, z3)"
			" }",
		MS_HEAD "(int8[5,70] a, float s1, int8 z1, int8[5,70] b, "
			"float s2, int8 z2, float s3, int8 z3) => (int8 y)"
			"{ y = " MS "QLinearMul (a, s1, z1, b, s2, z2, s3, z3)"
			" }",
		MS_HEAD "(float s, uint8 z, uint8[2,3] a, float s1, uint8 z1, "
			"int8[2,4] b, float s2, int8 z2) => (uint8 y) { y = " MS
			"QLinearConcat <axis = 1> (s, z, a, s1, z1, b, s2, z2)"
			" }",
		MS_HEAD "(uint8[3,40] a, float s1, uint8 z1, float s2, uint8 "
			"z2) => (uint8 y) { y = " MS
			"QLinearSoftmax <axis = -1, opset = 13> "
			"(a, s1, z1, s2, z2) }",
		MS_HEAD "(uint8[2,3,9,9] a, float s1, uint8 z1, float s2, "
			"uint8 z2) => (uint8 y) { y = " MS
			"QLinearAveragePool <kernel_shape = [3,3], pads = "
			"[1,1,1,1]> (a, s1, z1, s2, z2) }",
		MS_HEAD "(uint8[7,21] a, float s1, uint8 z1, int8[40,21] b, "
			"float[40] s2, int8[40] z2, int32[40] c, float s3, "
			"uint8 z3) => (uint8 y) { y = " MS
			"QGemm <transB = 1> (a, s1, z1, b, s2, z2, c, s3, z3)"
			" }",
		MS_HEAD "(uint8[7,21] a, float s1, uint8 z1, int8[21,40] b, "
			"float s2, int8 z2) => (float y) { y = " MS
			"QGemm <alpha = 0.5> (a, s1, z1, b, s2, z2) }",
		MS_HEAD "(uint8[2,7,21] a, int8[21,40] b, float s1, float[40] "
			"s2, uint8 z1, int8[40] z2, float[40] c) => (float y) {"
			"y = " MS "MatMulIntegerToFloat "
			"(a, b, s1, s2, z1, z2, c) }",
		MS_HEAD "(float[7,21] a, int8[21,40] b, float s, int8 z) => "
			"(float y) { y = " MS
			"DynamicQuantizeMatMul (a, b, s, z) }",
	};

	for (size_t i = 0; i < countof(text); i++)
		run_agrees(text[i], 0, 0);
}

Test(nn, rounding_is_half_to_even_before_the_zero_point)
{
	const float x[] = {0.5f, 1.5f, 2.5f, -0.5f, -1.5f, 1e30f, -1e30f};
	const uint8_t want[] = {3, 5, 5, 3, 1, 255, 0};
	uint8_t y[countof(x)];

	qsimd_portable.quant(y, x, countof(x), 1, q8_range(false, 3));
	cr_assert_eq(memcmp(y, want, sizeof y), 0);
}

Test(nn, row_operations_give_the_bits_of_mathf)
{
	float x[1000], a[1000], b[1000];

	for (uint64_t u = 0; u < UINT32_MAX; u += 1000 * 4099) {
		for (uint32_t i = 0; i < 1000; i++)
			x[i] = mf_of_bits((uint32_t)(u + i * 4099));
		for (int l = CPU_PORTABLE; l <= CPU_AVX2; l++) {
			cpu_set_level((enum cpu_level)l);
			simd()->sigmoid(a, x, 1000);
			simd()->tanh(b, x, 1000);
			for (int i = 0; i < 1000; i++) {
				if (isnan(x[i]))
					continue;
				cr_assert_eq(a[i], mf_sigmoid(x[i]));
				cr_assert_eq(b[i], mf_tanh(x[i]));
			}
		}
	}
	cpu_set_level(CPU_AVX512);
}

Test(nn, impossible_attributes_are_refused)
{
	static const char *const text[] = {
		NODE("float[1,2,5,5] x", "MaxPool <kernel_shape = [0,1]> (x)"),
		NODE("float[1,2,5,5] x", "MaxPool <kernel_shape = [9,9]> (x)"),
		NODE("float[1,2,5,5] x",
		     "AveragePool <kernel_shape = [1099511627776,1]> (x)"),
		NODE("float[1,2,5,5] x", "LRN <size = 0> (x)"),
		NODE("float[1,2,5,5] x", "Softmax <axis = 4> (x)"),
		NODE("float[1,5,6,6] x, float[5] g, float[5] b",
		     "GroupNormalization <num_groups = 3> (x, g, b)"),
		NODE("float[1,5,6] x, float[4] g", "LayerNormalization (x, g)"),
		NODE("float[2,3] x, float[4] s", "QuantizeLinear (x, s)"),
		NODE("float[3,2,4] x, float[1,8,4] w, float[1,8,3] r",
		     "LSTM (x, w, r)"),
		NODE("float[1,1,4,4] x", "Upsample <height_scale = 0.0> (x)"),
	};

	for (size_t i = 0; i + 1 < countof(text); i++)
		run_refuses(text[i]);
	run_refuses(HEAD "g (float[1,1,4,4] x) => (float y) <float[4] s = "
			 "{1.0,1.0,-1.0,1.0}> { y = Resize (x, \"\", s) }");
}
