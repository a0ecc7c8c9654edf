/* SPDX-License-Identifier: MIT */
/*
 * t_image.c -- images, boxes, caches and determinants: small cases by hand,
 * empty tensors, and what is refused.
 */
#include <stdio.h>
#include "tests/unit/kernel_run.h"

#define HEAD "<ir_version: 10, opset_import: [\"\" : 27]>\n"

/* Output 0 has the dims (-1 ends them) and, where given, the elements. */
struct sample {
	const char *text; /* after HEAD */
	int64_t dim[5];
	const double *want;
};

static void gives(const struct sample *s)
{
	char t[1024];

	snprintf(t, sizeof t, HEAD "%s", s->text);
	for (int set = EXEC_FAST; set <= EXEC_REFERENCE; set++) {
		struct run_result r =
			run_text(t, (enum exec_set)set, CPU_AVX512);
		const struct array *y = r.out[0];
		int rank = 0;

		cr_assert_eq(r.status, OK, "%s", t);
		for (; s->dim[rank] >= 0; rank++)
			cr_assert(rank < y->rank &&
					  y->dim[rank] == s->dim[rank],
				  "dimension %d of %s", rank, t);
		cr_assert_eq(y->rank, rank, "%s", t);
		for (int64_t i = 0; s->want && i < y->n; i++) {
			double v = dtype_get(y->dt, y->data, (size_t)i);

			cr_assert_float_eq(v, s->want[i], 1e-5,
					   "element %d is %g, not %g: %s",
					   (int)i, v, s->want[i], t);
		}
		run_release(&r);
	}
}

#define VALUES(...) ((const double[]){__VA_ARGS__})

static const struct sample small[] = {
	{"g () => (int32 y) <int32[1,4] x = {1,2,3,4}, int64[2] s = "
	 "{3,2}> { y = CenterCropPad (x, s) }",
	 {3, 2, -1},
	 VALUES(0, 0, 2, 3, 0, 0)},
	{"g () => (int8 y) <int8[5] x = {1,2,3,4,5}, int64[1] s = {2}>"
	 " { y = CenterCropPad <axes = [-1]> (x, s) }",
	 {2, -1},
	 VALUES(2, 3)},
	{"g () => (int32 y) <int32[1,4,1] x = {1,2,3,4}, int32[1,3,1] "
	 "u = {7,8,9}, int64[1] i = {-2}> { y = TensorScatter <mode = "
	 "\"circular\"> (x, u, i) }",
	 {1, 4, 1, -1},
	 VALUES(9, 2, 7, 8)},
	{"g () => (float y) <float[1,1,2,2] x = {1,2,3,4}, "
	 "int64[1,1,2,2] i = {5,7,13,15}, int64[4] s = {1,1,4,5}> { y "
	 "= MaxUnpool <kernel_shape = [2,2], strides = [2,2]> (x, i, "
	 "s) }",
	 {1, 1, 4, 5, -1},
	 VALUES(0, 0, 0, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 4, 0)},
	{"g () => (uint8 y) <uint8[1,2,3] x = {1,2,3,100,200,255}, "
	 "int64[1] im = {4}, int64[1] b = {2}> { y = Col2Im (x, im, b) "
	 "}",
	 {1, 1, 4, -1},
	 VALUES(1, 102, 203, 255)},
	{"g () => (float y) <float[2,2,2] x = {1,2,3,4,0,2,3,0}> { y = "
	 "Det (x) }",
	 {2, -1},
	 VALUES(-2, -6)},
	{"g () => (float y) <float[2,2] x = {1,2,2,4}> { y = Det (x) }",
	 {-1},
	 VALUES(0)},
	{"g () => (float y) <float[1,2,3] t = {1,0,0,0,1,0.5}, int64[4]"
	 " s = {1,1,1,2}> { y = AffineGrid (t, s) }",
	 {1, 1, 2, 2, -1},
	 VALUES(-0.5, 0.5, 0.5, 0.5)},
	{"g () => (int64 y) <float[1,4,4] b = {0,0,1,1, 1,1,0,0.1, "
	 "0,0,0.5,1, 5,5,6,6}, float[1,1,4] s = {0.5,0.9,0.7,0.6}, "
	 "int64 n = {9}, float iou = {0.5}, float low = {0.55}> { y = "
	 "NonMaxSuppression (b, s, n, iou, low) }",
	 {3, 3, -1},
	 VALUES(0, 0, 1, 0, 0, 2, 0, 0, 3)},
	{"g () => (float y) <float[1,1,2,2] x = {1,2,3,4}, float[1,5] "
	 "r = {0,0,0,1,1}> { y = MaxRoiPool <pooled_shape = [1,2]> (x, "
	 "r) }",
	 {1, 1, 1, 2, -1},
	 VALUES(3, 4)},
	/* A step to the right by half a pixel. */
	{"g () => (float y) <float[1,1,1,3] x = {1,3,5}, float[1,1,1,"
	 "1] w = {2}, float[1,2,1,3] o = {0,0,0,0.5,0.5,0.5}> { y = "
	 "DeformConv (x, w, o) }",
	 {1, 1, 1, 3, -1},
	 VALUES(4, 8, 5)},
	/* Data that also are the updates. */
	{"g () => (float y) <float[4] x = {1,2,3,4}, int64[4] i = {1,2,3,0}> { "
	 "t = Neg (x) y = ScatterElements (t, i, t) }",
	 {4, -1},
	 VALUES(-4, -1, -2, -3)},
	{"g () => (float y) <float[1,4] x = {1,2,3,4}, int64[1] i = {3}> { t = "
	 "Neg (x) y = TensorScatter <axis = 1, mode = \"circular\"> (t, t, i) "
	 "}",
	 {1, 4, -1},
	 VALUES(-2, -3, -4, -1)},
	/* The last position lies outside. */
	{"g () => (int16 y) <int16[1,1,1,2] x = {7,8}, float[1,1,3,2] q = "
	 "{-0.5,0, 0.5,0, 3,0}> { y = GridSample <mode = \"nearest\"> (x, q) }",
	 {1, 1, 1, 3, -1},
	 VALUES(7, 8, 0)},
	/* Integers are cut toward zero. */
	{"g () => (int32 y) <int32[1,1,1,2] x = {-1,-2}, float[1,1,1,2] q = "
	 "{0,0}> { y = GridSample (x, q) }",
	 {1, 1, 1, 1, -1},
	 VALUES(-1)},
	{"g () => (float8e4m3fn y) <float8e4m3fn[1,2] a = {56,64}, "
	 "float8e4m3fn[2,1] b = {72,80}, float s = {0.5}, float8e4m3fn z = "
	 "{0}> "
	 "{ y = QLinearMatMul (a, s, z, b, s, z, s, z) }",
	 {1, 1, -1},
	 VALUES(10)},
	/* Scales by matrix and row. */
	{"g () => (uint8 y) <uint8[2,1,1] a = {1,1}, uint8[1,1] b = {8}, "
	 "float[2,1,1] s = {1,2}, uint8[2,1,1] z = {0,0}, float f = {1}, uint8 "
	 "o = {1}> { y = QLinearMatMul (a, s, z, b, f, o, f, o) }",
	 {2, 1, 1, -1},
	 VALUES(8, 15)},
	{"g () => (float y) <float[1,1,3] x = {1,2,3}, float[1,1,2] w "
	 "= {10,1}, float[1,1,1] p = {5}> { y, z = CausalConvWithState "
	 "(x, w, \"\", p) }",
	 {1, 1, 3, -1},
	 VALUES(51, 12, 23)},
	{"g () => (float y) <float[1,2,1] q = {1,1}, float[1,2,1] k = "
	 "{1,2}, float[1,2,1] v = {3,4}> { y, z = LinearAttention "
	 "<q_num_heads = 1, kv_num_heads = 1, update_rule = "
	 "\"linear\"> (q, k, v) }",
	 {1, 2, 1, -1},
	 VALUES(3, 11)},
};

Test(image, small_cases)
{
	for (size_t i = 0; i < countof(small); i++)
		gives(&small[i]);
}

static const struct sample empty[] = {
	{"g (float[2,0,4] b, float[2,3,0] s) => (int64 y) <int64 n = "
	 "{5}> { y = NonMaxSuppression (b, s, n) }",
	 {0, 3, -1},
	 NULL},
	{"g (float[3,0,0] x) => (float y) { y = Det (x) }",
	 {3, -1},
	 VALUES(1, 1, 1)},
	{"g (float[0,2,3] t) => (float y) <int64[4] s = {0,1,5,5}> { y "
	 "= AffineGrid (t, s) }",
	 {0, 5, 5, 2, -1},
	 NULL},
	{"g (float[0,4,1] x) => (float y) <int64[2] im = {2,2}, "
	 "int64[2] b = {2,2}> { y = Col2Im (x, im, b) }",
	 {0, 1, 2, 2, -1},
	 NULL},
	{"g (float[1,1,3,3] x, float[0,5] r) => (float y) { y = "
	 "MaxRoiPool <pooled_shape = [2,2]> (x, r) }",
	 {0, 1, 2, 2, -1},
	 NULL},
	{"g (float[0,1,3,3] x, float[1,1,2,2] w, float[0,8,2,2] o) => "
	 "(float y) { y = DeformConv (x, w, o) }",
	 {0, 1, 2, 2, -1},
	 NULL},
	{"g (float[2,3] x) => (float y) <int64[2] s = {0,9}> { y = "
	 "CenterCropPad (x, s) }",
	 {0, 9, -1},
	 NULL},
	{"g (float[2,0,3] x, float[2,0,3] u, int64[2] i) => (float y) "
	 "{ y = TensorScatter <mode = \"circular\"> (x, u, i) }",
	 {2, 0, 3, -1},
	 NULL},
	{"g (float[2,0,4] q, float[2,0,2] k, float[2,0,2] v) => (float "
	 "y) { y, z = LinearAttention <q_num_heads = 2, kv_num_heads = 1, "
	 "update_rule = \"linear\"> (q, k, v) }",
	 {2, 0, 4, -1},
	 NULL},
	{"g (float[1,2,0] x, float[2,1,4] w) => (float y, float p) { "
	 "y, p = CausalConvWithState (x, w) }",
	 {1, 2, 0, -1},
	 NULL},
};

Test(image, empty_tensors)
{
	for (size_t i = 0; i < countof(empty); i++)
		gives(&empty[i]);
}

Test(image, what_does_not_fit_is_refused)
{
	static const char *const text[] = {
		"g (float[2,3] x) => (float y) <int64[2] s = {-1,3}> { y = "
		"CenterCropPad (x, s) }",
		"g (float[2,3] x) => (float y) <int64[1] s = {3}> { y = "
		"CenterCropPad (x, s) }",
		"g (float[2,3] x) => (float y) <int64[2] s = "
		"{4611686018427387904,"
		"3}> { y = CenterCropPad (x, s) }",
		"g (float[1,4,1] x, float[1,5,1] u) => (float y) { y = "
		"TensorScatter (x, u) }",
		"g (float[1,4,1] x, float[1,2,1] u) => (float y) <int64[1] i = "
		"{3}> { y = TensorScatter (x, u, i) }",
		"g (float[1,4] x, float[1,2] u) => (float y) { y = "
		"TensorScatter <axis = 0> (x, u) }",
		"g (float x, float u) => (float y) { y = TensorScatter (x, u) "
		"}",
		"g (float[1,1,2,2] x) => (float y) <int64[1,1,2,2] i = "
		"{0,1,2,16}> { y = MaxUnpool <kernel_shape = [2,2], strides = "
		"[2,2]> (x, i) }",
		"g (float[1,1,2,2] x, int64[1,1,2,2] i) => (float y) <int64[4]"
		" s = {1,1,3,4}> { y = MaxUnpool <kernel_shape = [2,2], "
		"strides = [2,2]> (x, i, s) }",
		"g (float[1,4,4] x) => (float y) <int64[2] im = {3,3}, "
		"int64[2] b = {0,2}> { y = Col2Im (x, im, b) }",
		"g (float[1,4,5] x) => (float y) <int64[2] im = {3,3}, "
		"int64[2] b = {2,2}> { y = Col2Im (x, im, b) }",
		"g () => (string y) <string[1,1,1] x = {\"a\"}, int64[1] o = "
		"{1}> { y = "
		"Col2Im (x, o, o) }",
		"g (float[2,3] x) => (float y) { y = Det (x) }",
		"g (float[3] x) => (float y) { y = Det (x) }",
		"g (float[1,2,3] t) => (float y) <int64[4] s = {1,1,-1,2}> { y "
		"= AffineGrid (t, s) }",
		"g (float[1,2,3] t) => (float y) <int64[4] s = {1,1,"
		"4611686018427387904,4}> { y = AffineGrid (t, s) }",
		"g (float[1,2,3] t) => (float y) <int64[5] s = {1,1,1,1,2}> { "
		"y = AffineGrid (t, s) }",
		"g (float[1,3,4] b, float[1,1,2] s) => (int64 y) { y = "
		"NonMaxSuppression (b, s) }",
		"g (float[1,3,4] b, float[1,1,3] s) => (int64 y) <int64 n = "
		"{1}, float f = {1.5}> { y = NonMaxSuppression (b, s, n, f) }",
		"g (float[1,1,4,4] x) => (float y) <float[1,5] r = "
		"{1,0,0,1,1}> { y = MaxRoiPool <pooled_shape = [1,1]> (x, r) "
		"}",
		"g (float[1,1,4,4] x) => (float y) <float[1,5] r = "
		"{0,0,0,1e20,1}> { y = MaxRoiPool <pooled_shape = [1,1]> (x, "
		"r) }",
		"g (float[1,1,4,4] x, float[1,5] r) => (float y) { y = "
		"MaxRoiPool <pooled_shape = [0,1]> (x, r) }",
		"g (float[1,1,3,3] x, float[1,1,2,2] w, float[1,4,2,2] o) => "
		"(float y) { y = DeformConv (x, w, o) }",
		"g (float[1,1,3,3] x, float[1,1,2,2] w, float[1,8,2,2] o) => "
		"(float y) { y = DeformConv <offset_group = 2> (x, w, o) }",
		"g (float[1,1,3] x, float[1,1,2] w, float[1,1,2] p) => (float "
		"y) { y, z = CausalConvWithState (x, w, \"\", p) }",
		"g (float[1,1,3] x, float[1,1,0] w) => (float y) { y = "
		"CausalConvWithState (x, w) }",
		"g (float[1,2,4] q, float[1,2,4] k, float[1,2,4] v) => (float "
		"y) { y, z = LinearAttention <q_num_heads = 3, kv_num_heads = "
		"2, "
		"update_rule = \"linear\"> (q, k, v) }",
		"g (float[1,2,4] q, float[1,2,4] k, float[1,2,4] v) => (float "
		"y) { y, z = LinearAttention <q_num_heads = 1, kv_num_heads = "
		"1> "
		"(q, k, v) }",
		"g (float[1,1,4,4] x, float[1,2,2,3] q) => (float y) { y = "
		"GridSample (x, q) }",
		"g (float[1,1,1,2] q) => (string y) <string[1,1,1,1] x = "
		"{\"a\"}> { y = "
		"GridSample (x, q) }",
		"g (float[1,1,4,4] x) => (float y) <float[4] s = {1.0,1.0,2.0,"
		"2.0}> { y = Resize <coordinate_transformation_mode = "
		"\"tf_half_pixel_for_nn\"> (x, \"\", s) }",
	};
	char t[1024];

	for (size_t i = 0; i < countof(text); i++) {
		snprintf(t, sizeof t, HEAD "%s", text[i]);
		run_refuses(t);
	}
}

static const struct {
	int opset;
	struct sample s;
} old[] = {
	{11,
	 {"g () => (float y) <float[4] x = {1,2,3,4}, float[1] f = "
	  "{0.5}, float[0] roi = {}> { y = Resize "
	  "<coordinate_transformation_mode = \"tf_half_pixel_for_nn\", "
	  "nearest_mode = \"floor\"> (x, roi, f) }",
	  {2, -1},
	  VALUES(2, 4)}},
	{1,
	 {"g () => (float y) <float[2] x = {1,2}, float n = {2}, float "
	  "a = {0}> { y = Tile (x, n, a) }",
	  {4, -1},
	  VALUES(1, 2, 1, 2)}},
	{1,
	 {"g () => (float y, float z) <float[3] x = {1,2,3}, float[2] "
	  "n = {1,2}> { z, y = Split <axis = 0> (x, n) }",
	  {1, -1},
	  NULL}},
	{1,
	 {"g () => (float y) <float[1,1,1,2] x = {1,2}> { y = Upsample "
	  "<height_scale = 1.0, width_scale = 2.0> (x) }",
	  {1, 1, 1, 4, -1},
	  VALUES(1, 1, 2, 2)}},
};

/* Versions that said things otherwise. */
Test(image, old_versions)
{
	for (size_t i = 0; i < countof(old); i++) {
		struct run_result r;
		char t[1024];

		snprintf(t, sizeof t,
			 "<ir_version: 4, opset_import: [\"\" : %d]>\n%s",
			 old[i].opset, old[i].s.text);
		r = run_text(t, EXEC_REFERENCE, CPU_AVX512);
		cr_assert_eq(r.status, OK, "%s", t);
		for (int64_t k = 0; old[i].s.want && k < r.out[0]->n; k++)
			cr_assert_eq(dtype_get(r.out[0]->dt, r.out[0]->data,
					       (size_t)k),
				     old[i].s.want[k], "%s", t);
		run_release(&r);
	}
}
