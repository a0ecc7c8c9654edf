/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "base/rng.h"
#include "quant/quant_p.h"

static struct model *m;
static struct diag d;

static void setup(void)
{
	m = model_create(&d);
}

static void teardown(void)
{
	model_free(m);
}

TestSuite(quant, .init = setup, .fini = teardown);

Test(quant, ranges)
{
	static const struct {
		double lo, hi;
		float scale;
		uint8_t zero;
	} cases[] = {
		{0, 255, 1, 0},
		{0, 2.55, (float)(2.55 / 255), 0},
		{-1, 3, (float)(4.0 / 255), 64},
		{-128, 127, 1, 128},
		{-3, -1, (float)(3.0 / 255), 255}, /* widened to hold 0 */
		{2, 4, (float)(4.0 / 255), 0},
		{-255, 0, 1, 255},
		{0, 0, 1, 0},
		{0, 1e-45, 1, 0},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct qparams p = qparams_of_range(cases[i].lo, cases[i].hi);

		cr_assert_eq(p.scale, cases[i].scale, "case %zu", i);
		cr_assert_eq(p.zero, cases[i].zero, "case %zu: %u", i, p.zero);
	}
}

static struct tensor *weight(int rank, const int64_t *dim)
{
	struct tensor *t = tensor_create(m, DT_F32, rank, dim);
	struct rng r = rng_make(1, 0);
	float *p = tensor_data_mut(t);

	for (int64_t i = 0; i < t->n; i++)
		p[i] = (float)rng_normal(&r);
	return t;
}

/* Each weight is the nearest code of its channel, ties to even; the largest of
 * a channel is 127. */
static void nearest(const struct tensor *w, int axis, int64_t inner)
{
	struct qweight_opts o = {.channel = axis, .contraction = -1};
	const int8_t *q;
	const float *x, *s;
	struct qweight out;

	cr_assert_eq(quantize_weight(m, w, &o, &out), OK);
	q = tensor_data(m, out.q);
	x = tensor_data(m, w);
	s = tensor_data(m, out.scale);
	cr_assert_eq(out.scale->n, axis < 0 ? 1 : w->dim[axis]);
	for (int64_t i = 0; i < w->n; i++) {
		int64_t c = axis < 0 ? 0 : i / inner % out.scale->n;

		cr_assert_eq(q[i], rint((double)x[i] / (double)s[c]));
		cr_assert_leq(fabs((double)x[i]), 127.0001 * (double)s[c]);
	}
	for (int64_t c = 0; c < out.scale->n; c++) {
		bool full = false;

		for (int64_t i = 0; i < w->n; i++)
			full |= (axis < 0 || i / inner % out.scale->n == c) &&
				abs(q[i]) == 127;
		cr_assert(full);
	}
}

Test(quant, weights)
{
	static const int64_t dim[] = {4, 3, 2, 5};
	const struct tensor *w = weight(4, dim);

	nearest(w, -1, 1);
	nearest(w, 0, 30);
	nearest(w, 1, 10);
	nearest(w, 3, 1);
}

/* 255 (a + b) of neighbours along the contraction fits in 16 bits. */
Test(quant, guard)
{
	static const int64_t dim[] = {3, 8};
	struct tensor *w = tensor_create(m, DT_F32, 2, dim);
	struct qweight_opts o = {.channel = 0, .contraction = 1, .guard = true};
	float *p = tensor_data_mut(w);
	struct qweight out;
	const int8_t *q;

	for (int64_t i = 0; i < w->n; i++)
		p[i] = i < 8 ? 1.0f : i < 16 ? -0.01f * (float)i : 0.5f;
	cr_assert_eq(quantize_weight(m, w, &o, &out), OK);
	cr_assert_gt(out.guarded, 0);
	q = tensor_data(m, out.q);
	for (int64_t i = 0; i + 1 < w->n; i++)
		if (i % 8 != 7)
			cr_assert(abs(q[i] + q[i + 1]) <= 128);
}

Test(quant, biases)
{
	static const int64_t dim[] = {2, 3};
	struct qweight_opts o = {.channel = 0, .contraction = -1};
	struct tensor *w = tensor_create(m, DT_F32, 2, dim), *b;
	const struct tensor *q, *scale;
	struct qweight out;

	for (int i = 0; i < 6; i++)
		((float *)tensor_data_mut(w))[i] = i < 3 ? 127.0f : 254.0f;
	b = tensor_create(m, DT_F32, 1, dim);
	((float *)tensor_data_mut(b))[0] = 1.25f;
	((float *)tensor_data_mut(b))[1] = -7;
	cr_assert_eq(quantize_weight(m, w, &o, &out), OK);
	cr_assert_eq(quantize_bias(m, b, 0.5f, &out, &q, &scale), OK);
	cr_assert_eq(tensor_int(m, q, 0), 2);  /* 2.5 to even, scale 0.5 */
	cr_assert_eq(tensor_int(m, q, 1), -7); /* scale 1 */
	cr_assert_float_eq(tensor_float(m, scale, 0), 0.5, 0);
	cr_assert_float_eq(tensor_float(m, scale, 1), 1, 0);
}
