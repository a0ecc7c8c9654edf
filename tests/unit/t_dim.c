/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "base/rng.h"
#include "ir/ir.h"

enum { NAMES = 4, BINDINGS = 6 };

/* A random expression and its value under several bindings. */
struct sample {
	struct dim d;
	int64_t v[BINDINGS];
	bool defined[BINDINGS];
};

static const char *const names[NAMES] = {"N", "H", "batch size", "a'b\\c"};

static int64_t floor_i64(int64_t a, int64_t b)
{
	return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

static int64_t apply(unsigned op, int64_t a, int64_t b, bool *ok)
{
	int64_t r = 0;

	switch (op) {
	case 0:
		*ok &= add_i64(a, b, &r);
		return r;
	case 1:
		*ok &= sub_i64(a, b, &r);
		return r;
	case 2:
		*ok &= mul_i64(a, b, &r);
		return r;
	case 3:
		return a > b ? a : b;
	case 4:
		return a < b ? a : b;
	default:
		*ok &= b != 0 && b != INT64_MIN && a != INT64_MIN;
		if (!*ok)
			return 0;
		if (op == 5)
			return floor_i64(a, b);
		return op == 6 ? -floor_i64(-a, b) : a - b * floor_i64(a, b);
	}
}

static struct dim apply_dim(struct model *m, unsigned op, struct dim a,
			    struct dim b)
{
	switch (op) {
	case 0:
		return dim_add(m, a, b);
	case 1:
		return dim_sub(m, a, b);
	case 2:
		return dim_mul(m, a, b);
	case 3:
		return dim_max(m, a, b);
	case 4:
		return dim_min(m, a, b);
	case 5:
		return dim_floordiv(m, a, b);
	case 6:
		return dim_ceildiv(m, a, b);
	default:
		return dim_mod(m, a, b);
	}
}

static struct sample leaf(struct model *m, struct rng *r, int64_t bind[][NAMES])
{
	struct sample s;
	unsigned k = (unsigned)rng_below(r, NAMES + 3);

	for (int i = 0; i < BINDINGS; i++)
		s.defined[i] = true;
	if (k < NAMES) {
		s.d = dim_sym(m, model_sym(m, names[k]));
		for (int i = 0; i < BINDINGS; i++)
			s.v[i] = bind[i][k];
		return s;
	}
	int64_t v = (int64_t)rng_below(r, 12) - 4;

	s.d = dim_num(m, v);
	for (int i = 0; i < BINDINGS; i++)
		s.v[i] = v;
	return s;
}

static void check(struct model *m, const struct sample *s,
		  int64_t bind[][NAMES])
{
	for (int i = 0; i < BINDINGS && !dim_unknown(s->d); i++) {
		struct map b = {0};
		int64_t v = 0;

		for (int k = 0; k < NAMES; k++)
			map_put(&b, model_sym(m, names[k]),
				(uint64_t)bind[i][k]);
		struct dim d = dim_bind(m, s->d, &b);

		map_release(&b);
		if (!s->defined[i] || dim_unknown(d))
			continue;
		cr_assert(dim_number(m, d, &v));
		struct str t = sym_str(m, s->d.s);

		cr_assert_eq(v, s->v[i], "%.*s: %lld, expected %lld", (int)t.n,
			     t.p, (long long)v, (long long)s->v[i]);
		if (dim_lower(m, s->d, &v))
			cr_assert_leq(v, s->v[i], "bound of %.*s", (int)t.n,
				      t.p);
	}
}

/* The text of every result reads back as the same symbol in a new model. */
static void check_text(struct model *m, struct diag *diag, struct dim d)
{
	struct model *fresh;
	struct str s = sym_str(m, d.s);
	struct dim back;

	if (!d.s)
		return;
	fresh = model_create(diag);
	back = dim_sym(fresh, intern_str(fresh->syms, s));
	back = dim_mul(fresh, back, dim_of(1));
	cr_assert(str_eq(sym_str(fresh, back.s), s) ||
			  (dim_known(back) && s.n == 0),
		  "'%.*s' reads as '%s'", (int)s.n, s.p,
		  sym_text(fresh, back.s));
	model_free(fresh);
}

Test(dim, random_expressions_agree_with_numbers)
{
	struct rng r = rng_make(1, 2);
	struct diag diag = {0};
	unsigned known = 0, symbolic = 0;

	for (int round = 0; round < 300; round++) {
		struct model *m = model_create(&diag);
		int64_t bind[BINDINGS][NAMES];
		struct sample pool[24];

		for (int i = 0; i < BINDINGS; i++)
			for (int k = 0; k < NAMES; k++)
				bind[i][k] = (int64_t)rng_below(&r, 20);
		for (size_t n = 0; n < countof(pool); n++) {
			struct sample s = leaf(m, &r, bind);

			if (n >= 6) {
				struct sample a = pool[rng_below(&r, n)];
				struct sample b = pool[rng_below(&r, n)];
				unsigned op = (unsigned)rng_below(&r, 8);

				s.d = apply_dim(m, op, a.d, b.d);
				for (int i = 0; i < BINDINGS; i++) {
					s.defined[i] =
						a.defined[i] && b.defined[i];
					s.v[i] = apply(op, a.v[i], b.v[i],
						       &s.defined[i]);
				}
			}
			pool[n] = s;
			check(m, &s, bind);
			check_text(m, &diag, s.d);
			known += dim_known(s.d);
			symbolic += s.d.s != 0;
		}
		model_free(m);
	}
	cr_assert_gt(symbolic, 2000u);
	cr_assert_gt(known, 500u);
}

static void expect(struct model *m, struct dim d, const char *text)
{
	struct buf b = {0};

	dim_print(m, &b, d);
	cr_assert_str_eq(b.p, text);
	buf_release(&b);
}

Test(dim, text_is_canonical)
{
	struct diag diag = {0};
	struct model *m = model_create(&diag);
	struct dim N = dim_sym(m, model_sym(m, "N"));
	struct dim H = dim_sym(m, model_sym(m, "H"));
	struct dim x = dim_add(m, N, dim_of(1));

	expect(m, dim_mul(m, N, dim_of(2)), "2*N");
	expect(m, dim_sub(m, x, dim_of(1)), "N");
	expect(m, dim_sub(m, x, N), "1");
	expect(m, dim_mul(m, H, x), "H*N + H");
	expect(m, dim_floordiv(m, dim_add(m, H, dim_of(3)), dim_of(2)),
	       "floor((H + 1)/2) + 1");
	expect(m, dim_floordiv(m, dim_mul(m, dim_of(6), x), dim_of(4)),
	       "N + floor((N + 1)/2) + 1");
	/* two halvings are one division by four */
	expect(m, dim_floordiv(m, dim_floordiv(m, H, dim_of(2)), dim_of(2)),
	       "floor(H/4)");
	expect(m, dim_max(m, dim_of(0), N), "N");
	expect(m, dim_max(m, x, N), "N + 1");
	expect(m, dim_min(m, H, N), "min(H, N)");
	expect(m, dim_max(m, dim_of(4), dim_sub(m, N, dim_of(1))),
	       "max(4, N - 1)");
	expect(m, dim_divexact(m, dim_mul(m, dim_mul(m, N, x), H), x), "H*N");
	expect(m, dim_divexact(m, x, dim_of(2)), "?");
	expect(m, dim_mod(m, N, dim_of(2)), "N - 2*floor(N/2)");
	expect(m, dim_num(m, -3), "(-3)");
	expect(m, dim_floordiv(m, H, N), "floor(H/N)");
	expect(m, dim_floordiv(m, H, dim_of(0)), "?");
	model_free(m);
}

Test(dim, names_may_be_any_bytes)
{
	static const char *const odd[] = {
		"",
		"a b",
		"N + N",
		"1",
		"-1",
		"floor(N/0)",
		"2*2*N",
		"N + 0",
		"'q'",
		"max(",
		"floor(N/2",
		"((((",
		"N  + 1",
		"--N",
		"9999999999999999999*N",
		"'",
		"'\\",
		"\\'",
		"é",
		"unk__1",
		"N+1",
		"(N + 1)",
		"(-0)",
		"(-1 )",
		"floor(floor(N/2)/2)",
	};
	struct diag diag = {0};
	struct model *m = model_create(&diag);

	for (size_t i = 0; i < countof(odd); i++) {
		sym s = model_sym(m, odd[i]);
		struct dim d = dim_sym(m, s), e;

		cr_assert_eq(d.s, s);
		/* an opaque name: only itself cancels */
		e = dim_sub(m, dim_mul(m, d, dim_of(3)), d);
		e = dim_sub(m, e, d);
		cr_assert(dim_equal(e, d), "%s", odd[i]);
		check_text(m, &diag, dim_add(m, d, dim_of(1)));
	}
	model_free(m);
}

Test(dim, limits_give_unknown)
{
	struct diag diag = {0};
	struct model *m = model_create(&diag);
	struct dim big = dim_of(INT64_MAX), sum = dim_of(0), p = dim_of(1);
	char name[8];

	cr_assert(dim_unknown(dim_add(m, big, dim_of(1))));
	cr_assert(dim_unknown(dim_mul(m, big, dim_of(2))));
	cr_assert(dim_known(
		dim_mul(m, dim_of(0), (struct dim){.n = DIM_UNKNOWN})));
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		struct dim d = dim_sym(m, model_sym(m, name));

		sum = dim_add(m, sum, d);
		p = dim_mul(m, p, d);
		cr_assert(i > 60 || !dim_unknown(d));
	}
	cr_assert(dim_unknown(sum));
	cr_assert(dim_unknown(p));
	model_free(m);
}
