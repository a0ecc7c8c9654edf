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
}

TestSuite(type, .init = setup, .fini = teardown);

/* "f 2 N ?": element type (f, i, -: unknown), then dims; "*": any rank */
static const struct type *mk(const char *s)
{
	enum dtype dt = *s == 'f' ? DT_F32 : *s == 'i' ? DT_I64 : DT_NONE;
	struct dim dim[8];
	int rank = 0;

	for (s++; *s; s++) {
		if (*s == ' ')
			continue;
		if (*s == '*')
			return type_tensor(m, dt, -1, NULL);
		dim[rank] = dim_of(DIM_UNKNOWN);
		if (*s >= '0' && *s <= '9')
			dim[rank] = dim_of(*s - '0');
		else if (*s != '?')
			dim[rank] = dim_sym(
				m, intern_str(m->syms, (struct str){s, 1}));
		rank++;
	}
	return type_tensor(m, dt, rank, dim);
}

static void check_print(const struct type *t, const char *want)
{
	struct buf b = {0};

	type_print(m, &b, t);
	cr_assert_str_eq(b.p, want);
	buf_release(&b);
}

Test(type, printing)
{
	const struct type *t = mk("f N 3 ?");

	check_print(t, "float[N,3,?]");
	check_print(mk("f"), "float");
	check_print(mk("f *"), "float[]");
	check_print(mk("i 0"), "int64[0]");
	check_print(type_of_elem(m, TY_SEQ, DT_NONE, t), "seq(float[N,3,?])");
	check_print(type_of_elem(m, TY_OPTIONAL, DT_NONE,
				 type_of_elem(m, TY_SEQ, DT_NONE, mk("f *"))),
		    "optional(seq(float[]))");
	check_print(type_of_elem(m, TY_MAP, DT_STRING, mk("i *")),
		    "map(string, int64[])");
}

Test(type, interning)
{
	const struct type *deep[2] = {type_unknown(), type_unknown()};

	cr_assert_eq(mk("f N 3"), mk("f N 3"));
	cr_assert_neq(mk("f N 3"), mk("f N 4"));
	cr_assert_neq(mk("f"), mk("f *"));
	for (int i = 0; i < 2; i++)
		for (int k = 0; k < 50000; k++)
			deep[i] = type_of_elem(m, TY_SEQ, DT_NONE, deep[i]);
	cr_assert_eq(deep[0], deep[1]);
	for (int k = 0; k < 20000; k++) {
		struct dim dim = dim_of(k);

		cr_assert_eq(type_tensor(m, DT_F32, 1, &dim),
			     type_tensor(m, DT_F32, 1, &dim));
	}
}

Test(type, merging)
{
	static const struct {
		const char *a, *b, *r; /* r NULL: conflict */
	} t[] = {
		{"f 2 3", "f 2 3", "f 2 3"}, {"f 2 3", "f 2 4", NULL},
		{"f 2 3", "f 2", NULL},      {"f 2", "i 2", NULL},
		{"f *", "f 2 3", "f 2 3"},   {"- 2 ?", "f *", "f 2 ?"},
		{"f N ?", "f 2 M", "f 2 M"}, {"f N", "f M", "f N"},
		{"f ?", "f M", "f M"},       {"f", "f *", "f"},
		{"f", "f 1", NULL},
	};

	for (size_t i = 0; i < countof(t); i++) {
		const struct type *a = mk(t[i].a), *b = mk(t[i].b);
		const struct type *r = t[i].r ? mk(t[i].r) : NULL;
		const struct type *sa = type_of_elem(m, TY_SEQ, DT_NONE, a);
		const struct type *sb = type_of_elem(m, TY_SEQ, DT_NONE, b);

		cr_assert_eq(type_merge(m, a, b), r, "row %zu", i);
		cr_assert_eq(type_compatible(a, b), r != NULL, "row %zu", i);
		cr_assert_eq(type_compatible(b, a), r != NULL, "row %zu", i);
		if (r)
			r = type_of_elem(m, TY_SEQ, DT_NONE, r);
		cr_assert_eq(type_merge(m, sa, sb), r, "row %zu", i);
		cr_assert_eq(type_merge(m, a, type_unknown()), a);
		cr_assert_eq(type_merge(m, type_unknown(), a), a);
		cr_assert_null(type_merge(m, a, sa));
	}
}

Test(type, counting)
{
	struct dim big[4] = {dim_of(1LL << 31), dim_of(1LL << 31), dim_of(4),
			     dim_of(0)};
	int64_t n = 0;

	cr_assert(type_count(mk("f 2 3 4"), &n) && n == 24);
	cr_assert(type_count(mk("f"), &n) && n == 1);
	cr_assert_not(type_count(mk("f N"), &n));
	cr_assert_not(type_count(mk("f *"), &n));
	cr_assert_not(type_count(type_unknown(), &n));
	cr_assert_not(type_count(type_tensor(m, DT_F32, 3, big), &n));
	cr_assert(type_count(type_tensor(m, DT_F32, 4, big), &n) && n == 0);
	cr_assert(type_static(mk("f 2 3")));
	cr_assert_not(type_static(mk("f 2 ?")));
	cr_assert_not(type_static(type_unknown()));
}
