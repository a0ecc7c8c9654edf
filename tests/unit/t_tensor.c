/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "ir/ir.h"

static struct model *m;
static struct diag d;

static void setup(void)
{
	m = model_create(&d);
}

static void teardown(void)
{
	model_free(m);
	limit_set(0, 0);
	cr_assert_eq(limit_memory_used(), 0);
}

TestSuite(tensor, .init = setup, .fini = teardown);

static struct tensor *splat(enum dtype dt, double v, int64_t n)
{
	uint8_t e[16] = {0};
	unsigned bits = dtype_bits(dt);
	struct blob *b;
	struct tensor *t;
	size_t bytes;

	cr_assert(dtype_bytes(dt, n, &bytes));
	for (unsigned i = 0; i < (bits < 8 ? 8 / bits : 1); i++)
		dtype_set(dt, e, i, v);
	b = blob_splat(e, bits < 8 ? 1 : bits / 8, bytes);
	t = tensor_of_blob(m, dt, 1, &n, b, 0);
	blob_unref(b);
	return t;
}

static struct tensor *flat(enum dtype dt, double v, int64_t n)
{
	struct tensor *t = tensor_create(m, dt, 1, &n);

	for (int64_t i = 0; i < n; i++)
		dtype_set(dt, tensor_data_mut(t), (size_t)i, v);
	return t;
}

Test(tensor, splats_equal_flat_tensors)
{
	static const int64_t sizes[] = {1, 2, 8, 1000, 4096, 5000};

	for (int dt = DT_F32; dt < DT_COUNT; dt++) {
		double v, want;

		if (dt == DT_STRING || dtype_kind((enum dtype)dt) == 'c')
			continue;
		for (size_t i = 0; i < countof(sizes); i++) {
			int64_t n = sizes[i] * 8;
			struct tensor *a = splat((enum dtype)dt, 1, n);
			struct tensor *b = flat((enum dtype)dt, 1, n);
			struct tensor *c = flat((enum dtype)dt, 1, n);

			dtype_set((enum dtype)dt, tensor_data_mut(c),
				  (size_t)n - 1, 0);
			want = tensor_float(m, b, 0);
			cr_assert(tensor_equal(m, a, b));
			cr_assert(tensor_equal(m, b, a));
			cr_assert(tensor_equal(m, a, a));
			cr_assert_eq(tensor_hash(m, a), tensor_hash(m, b));
			cr_assert(tensor_uniform(m, a, &v) && v == want);
			cr_assert(tensor_uniform(m, b, &v) && v == want);
			cr_assert_eq(tensor_float(m, a, n - 1), want);
			if (tensor_float(m, c, n - 1) != want) {
				cr_assert_not(tensor_equal(m, a, c));
				cr_assert_not(tensor_equal(m, c, b));
				cr_assert_not(tensor_uniform(m, c, &v));
				cr_assert_neq(tensor_hash(m, a),
					      tensor_hash(m, c));
			}
			cr_assert_null(a->blob->flat); /* not yet */
			cr_assert_eq(memcmp(tensor_data(m, a),
					    tensor_data(m, b), a->len),
				     0);
		}
	}
}

Test(tensor, shape_and_type_count)
{
	int64_t dim[2] = {2, 3}, other[2] = {3, 2}, v[6] = {1, 2, 3};
	const struct tensor *a = tensor_i64(m, 2, dim, v);
	const struct tensor *b = tensor_i64(m, 2, other, v);
	const struct tensor *c = tensor_i64(m, 2, dim, v);

	cr_assert_not(tensor_equal(m, a, b));
	cr_assert(tensor_equal(m, a, c));
	cr_assert_neq(tensor_hash(m, a), tensor_hash(m, b));
	cr_assert_eq(tensor_hash(m, a), tensor_hash(m, c));
	cr_assert_eq(tensor_int(m, a, 2), 3);
	cr_assert_eq(tensor_type(m, a)->dim[1].n, 3);
	cr_assert_eq(tensor_float(m, tensor_scalar(m, DT_F16, 1.5), 0), 1.5);
}

Test(tensor, impossible_ones_are_refused)
{
	int64_t huge[3] = {INT64_MAX, 3, 2}, neg = -1, big = 1 << 20;
	int64_t zero[3] = {INT64_MAX, INT64_MAX, 0};
	struct blob *b = blob_alloc(&d, 16);
	struct tensor *t;

	cr_assert_null(tensor_create(m, DT_F32, 3, huge));
	cr_assert_eq(d.first, E_dims);
	cr_assert_null(tensor_create(m, DT_U8, 1, &neg));
	cr_assert_null(tensor_create(m, DT_F64, 1, &huge[0]));
	t = tensor_create(m, DT_F32, 3, zero);
	cr_assert(t && t->n == 0 && t->len == 0);
	cr_assert_not_null(tensor_data(m, t));
	cr_assert_null(tensor_of_blob(m, DT_F32, 1, &big, b, 0));
	big = 4;
	cr_assert_null(tensor_of_blob(m, DT_F32, 1, &big, b, 1));
	cr_assert_null(tensor_of_blob(m, DT_F32, 1, &big, b, SIZE_MAX));
	cr_assert_not_null(tensor_of_blob(m, DT_F32, 1, &big, b, 0));
	blob_unref(b);
	limit_set(1 << 20, 0);
	big = 1 << 20;
	cr_assert_null(tensor_create(m, DT_F32, 1, &big));
	cr_assert_eq(tensor_create(m, DT_STRING, 0, NULL)->n, 1);
}

Test(tensor, strings)
{
	int64_t n = 2;
	struct tensor *a = tensor_create(m, DT_STRING, 1, &n);
	struct tensor *b = tensor_create(m, DT_STRING, 1, &n);

	cr_assert(tensor_equal(m, a, b));
	a->strings[1] = (struct str){"x\0y", 3};
	cr_assert_not(tensor_equal(m, a, b));
	b->strings[1] = (struct str){"x\0y", 3};
	cr_assert(tensor_equal(m, a, b));
	cr_assert_eq(tensor_hash(m, a), tensor_hash(m, b));
	b->strings[1].n = 1;
	cr_assert_neq(tensor_hash(m, a), tensor_hash(m, b));
}
