/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>
#include "runtime/runtime.h"

static struct diag diag;

static struct array *floats(int rank, const int64_t *dim, const float *v)
{
	struct array *a = array_create(&diag, DT_F32, rank, dim);

	memcpy(a->data, v, a->bytes);
	return a;
}

static struct array *row(size_t n, const float *v)
{
	const int64_t dim = (int64_t)n;

	return floats(1, &dim, v);
}

static struct array *longs(size_t n, const int64_t *v)
{
	const int64_t dim = (int64_t)n;
	struct array *a = array_create(&diag, DT_I64, 1, &dim);

	memcpy(a->data, v, a->bytes);
	return a;
}

static bool near(double a, double b)
{
	return fabs(a - b) <= 1e-12 * fabs(b);
}

Test(compare, floats)
{
	static const float w[] = {1, -2, 0, 4}, g[] = {1, -2.5, 0.25, 4};
	struct array *want = row(4, w), *got = row(4, g);
	struct compare c = {0};

	compare_add(&c, want, want);
	cr_assert(c.max_abs == 0 && c.max_rel == 0 && c.count == 4);
	cr_assert(isinf(compare_sqnr(&c)) && compare_sqnr(&c) > 0);
	cr_assert(compare_agreement(&c) == 1 && c.rows == 1);
	compare_add(&c, got, want);
	cr_assert_eq(c.max_abs, 0.5);
	cr_assert(near(c.max_rel, 0.25 / 4e-6));
	cr_assert(near(compare_mean(&c), 0.75 / 8));
	cr_assert(near(compare_sqnr(&c), 10 * log10(42 / 0.3125)));
	array_unref(want);
	array_unref(got);
}

Test(compare, special_values)
{
	static const float w[] = {NAN, INFINITY, -INFINITY, 1};
	static const float g[] = {NAN, INFINITY, INFINITY, NAN};
	struct array *want = row(4, w), *got = row(4, g);
	struct compare c = {0};

	compare_add(&c, want, want);
	cr_assert(c.max_abs == 0 && c.mismatched == 0);
	cr_assert(isinf(compare_sqnr(&c)) && compare_sqnr(&c) > 0);
	compare_add(&c, got, want);
	cr_assert(isinf(c.max_abs));
	cr_assert_eq(c.mismatched, 1);
	cr_assert(isinf(compare_sqnr(&c)) && compare_sqnr(&c) < 0);
	cr_assert(arrays_close(want, want, 0, 0, NULL));
	cr_assert(!arrays_close(got, want, 1e30, 1e30, NULL));
	array_unref(want);
	array_unref(got);
}

Test(compare, agreement)
{
	static const int64_t dim[] = {4, 3};
	static const float w[] = {1, 2, 3, 5, 5, 1, 0, 0, 9, 1, 2, 3};
	static const float g[] = {1, 2, 3, 4, 5, 1, 9, 0, 1, 1, 2, NAN};
	struct array *want = floats(2, dim, w), *got = floats(2, dim, g);
	struct compare c = {0};

	compare_add(&c, got, want);
	cr_assert(c.rows == 4 && c.agree == 2, "%d", (int)c.agree);
	cr_assert_eq(compare_agreement(&c), 0.5);
	array_unref(want);
	array_unref(got);
}

Test(compare, integers_and_forms)
{
	static const int64_t w[] = {1, 2, 3}, g[] = {1, 9, 3};
	static const float f[] = {1, 2};
	struct array *want = longs(3, w), *got = longs(3, g), *r = row(2, f);
	struct compare c = {0};
	struct buf why = {0};

	compare_add(&c, got, want);
	cr_assert(c.mismatched == 1 && c.count == 3 && !c.shape_differs);
	compare_add(&c, r, want);
	cr_assert(c.shape_differs);
	cr_assert_str_eq(c.why, "float[2], expected int64[3]");
	cr_assert(!arrays_close(got, want, 1e9, 1e9, &why));
	cr_assert_str_eq(why.p,
			 "1 of 3 elements differ, first at [1]: 9, expected 2");
	buf_release(&why);
	array_unref(want);
	array_unref(got);
	array_unref(r);
}

Test(compare, sequences)
{
	static const float f[] = {1, 2}, h[] = {1, 2.5};
	struct array *a = array_seq(2), *b = array_seq(2), *s = array_seq(1);
	struct compare c = {0};
	struct buf why = {0};

	a->item[0] = row(2, f);
	a->item[1] = row(2, f);
	b->item[0] = row(2, f);
	b->item[1] = row(2, h);
	s->item[0] = row(2, f);
	compare_add(&c, b, a);
	cr_assert(c.max_abs == 0.5 && c.count == 4);
	cr_assert(arrays_close(b, a, 0, 0.5, NULL));
	cr_assert(!arrays_close(b, a, 0, 0.4, &why));
	cr_assert_str_eq(why.p, "1 of 2 elements differ, most at [1]: 2.5, "
				"expected 2 (in element 1)");
	why.n = 0;
	cr_assert(!arrays_close(s, a, 0, 0, &why));
	cr_assert_str_eq(why.p, "1 elements, expected 2");
	buf_release(&why);
	array_unref(a);
	array_unref(b);
	array_unref(s);
}
