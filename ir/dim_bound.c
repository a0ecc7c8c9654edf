/* SPDX-License-Identifier: MIT */
/*
 * dim_bound.c -- order of symbolic integers: bounds, min, max, substitution.
 *
 * Bounds follow from names being sizes (>= 0).  Text of an expression has at
 * most DIM_MAX_TEXT bytes, so that trees are small and shallow.
 */
#include <string.h>

#include "ir/dim_p.h"

enum { MAX_SPLITS = 2 }; /* extrema taken apart to compare */

static bool bound(struct model *m, struct dim d, bool upper, int depth,
		  int64_t *v);

static int64_t floor_i64(int64_t a, int64_t k)
{
	return a / k - (a % k < 0);
}

/* max needs any lower bound and every upper one, min the reverse. */
static bool bound_args(struct model *m, const struct expr *e, bool upper,
		       int depth, int64_t *v)
{
	bool is_max = e->kind == ATOM_MAX, any = false;
	int64_t x;

	for (uint32_t i = 0; i < e->narg; i++) {
		if (!bound(m, e->arg[i], upper, depth, &x)) {
			if (is_max == upper)
				return false;
			continue;
		}
		if (!any || (is_max ? x > *v : x < *v))
			*v = x;
		any = true;
	}
	return any;
}

static bool bound_atom(struct model *m, sym s, bool upper, int depth,
		       int64_t *v)
{
	const struct expr *e = expr_of(m, s);
	int64_t k;

	if (depth <= 0)
		return false;
	switch (e->kind) {
	case ATOM_NAME:
		*v = 0;
		return !upper;
	case ATOM_FLOOR:
		if (!dim_number(m, e->arg[1], &k)) {
			/* x/y >= 0 for x >= 0 and y >= 1 */
			if (upper || !bound(m, e->arg[0], false, depth, v) ||
			    *v < 0 || !bound(m, e->arg[1], false, depth, v) ||
			    *v < 0)
				return false;
			*v = 0;
			return true;
		}
		if (!bound(m, e->arg[0], upper, depth, v))
			return false;
		*v = floor_i64(*v, k);
		return true;
	default:
		return bound_args(m, e, upper, depth, v);
	}
}

/* A bound of t / t.c; only products of factors >= 0 have one. */
static bool bound_factors(struct model *m, const struct term *t, bool upper,
			  int depth, int64_t *v)
{
	int64_t x;

	if (t->n == 1)
		return bound_atom(m, t->f[0], upper, depth, v);
	*v = 1;
	for (uint32_t i = 0; i < t->n; i++) {
		if (!bound_atom(m, t->f[i], false, depth, &x) || x < 0)
			return false;
		if (upper && !bound_atom(m, t->f[i], true, depth, &x))
			return false;
		if (!mul_i64(*v, x, v))
			return false;
	}
	return true;
}

static bool bound(struct model *m, struct dim d, bool upper, int depth,
		  int64_t *v)
{
	struct poly p;

	if (dim_unknown(d) || depth <= 0)
		return false;
	poly_of(m, d, &p);
	*v = 0;
	for (uint32_t i = 0; i < p.n; i++) {
		const struct term *t = &p.t[i];
		bool up = (t->c > 0) == upper;
		int64_t x;

		if (!bound_factors(m, t, up, depth - 1, &x) ||
		    !mul_i64(x, t->c, &x) || !add_i64(*v, x, v))
			return false;
	}
	return true;
}

bool dim_lower(struct model *m, struct dim d, int64_t *v)
{
	return bound(m, d, false, DIM_MAX_DEPTH, v);
}

static bool le(struct model *m, struct dim a, struct dim b, int splits);

/* One argument of an extremum against another dim; any or all must hold. */
static bool le_args(struct model *m, const struct expr *e, bool left, bool any,
		    struct dim other, int splits)
{
	for (uint32_t i = 0; i < e->narg; i++)
		if (le(m, left ? e->arg[i] : other, left ? other : e->arg[i],
		       splits) == any)
			return any;
	return !any;
}

/* min(...) <= b if one argument is, max(...) <= b if all are; so for b. */
static bool le(struct model *m, struct dim a, struct dim b, int splits)
{
	const struct expr *ea = a.s ? expr_of(m, a.s) : NULL;
	const struct expr *eb = b.s ? expr_of(m, b.s) : NULL;
	int64_t v;

	if (dim_lower(m, dim_sub(m, b, a), &v) && v >= 0)
		return true;
	if (splits <= 0)
		return false;
	if (eb && (eb->kind == ATOM_MIN || eb->kind == ATOM_MAX) &&
	    le_args(m, eb, false, eb->kind == ATOM_MAX, a, splits - 1))
		return true;
	return ea && (ea->kind == ATOM_MIN || ea->kind == ATOM_MAX) &&
	       le_args(m, ea, true, ea->kind == ATOM_MIN, b, splits - 1);
}

bool dim_le(struct model *m, struct dim a, struct dim b)
{
	return !dim_unknown(a) && !dim_unknown(b) && le(m, a, b, MAX_SPLITS);
}

/* ---- min and max ---- */

struct args {
	enum atom_kind kind;
	uint32_t n;
	struct dim d[DIM_MAX_ARGS];
};

/* Numbers first and ascending, then by text. */
static int arg_cmp(struct model *m, struct dim a, struct dim b)
{
	int64_t x, y;
	bool na = dim_number(m, a, &x), nb = dim_number(m, b, &y);

	if (na && nb)
		return x < y ? -1 : x > y;
	if (na != nb)
		return na ? -1 : 1;
	return str_cmp(sym_str(m, a.s), sym_str(m, b.s));
}

/* Adds d unless an argument makes it redundant; false if there are many. */
static bool args_add(struct model *m, struct args *a, struct dim d)
{
	bool is_max = a->kind == ATOM_MAX;
	uint32_t i, k = 0;

	for (i = 0; i < a->n; i++)
		if (is_max ? dim_le(m, d, a->d[i]) : dim_le(m, a->d[i], d))
			return true;
	for (i = 0; i < a->n; i++)
		if (is_max ? !dim_le(m, a->d[i], d) : !dim_le(m, d, a->d[i]))
			a->d[k++] = a->d[i];
	if (k == DIM_MAX_ARGS)
		return false;
	for (i = k; i > 0 && arg_cmp(m, a->d[i - 1], d) > 0; i--)
		a->d[i] = a->d[i - 1];
	a->d[i] = d;
	a->n = k + 1;
	return true;
}

static bool args_flatten(struct model *m, struct args *a, struct dim d)
{
	d.denotation = 0;
	if (d.s) {
		const struct expr *e = expr_of(m, d.s);

		if (e->kind == a->kind) {
			for (uint32_t i = 0; i < e->narg; i++)
				if (!args_add(m, a, e->arg[i]))
					return false;
			return true;
		}
	}
	return args_add(m, a, d);
}

static struct dim extremum(struct model *m, enum atom_kind kind, struct dim x,
			   struct dim y)
{
	struct args a = {.kind = kind};

	if (dim_unknown(x) || dim_unknown(y) || !args_flatten(m, &a, x) ||
	    !args_flatten(m, &a, y))
		return (struct dim){.n = DIM_UNKNOWN};
	return a.n == 1 ? a.d[0] : atom_dim(m, kind, a.d, a.n);
}

struct dim dim_max(struct model *m, struct dim a, struct dim b)
{
	return extremum(m, ATOM_MAX, a, b);
}

struct dim dim_min(struct model *m, struct dim a, struct dim b)
{
	return extremum(m, ATOM_MIN, a, b);
}

/* ---- names ---- */

static bool mentions(struct model *m, struct dim d,
		     bool (*is)(const void *ctx, sym s), const void *ctx,
		     int depth)
{
	const struct expr *e = d.s ? expr_of(m, d.s) : NULL;

	if (!e)
		return false;
	if (depth <= 0)
		return true;
	for (uint32_t i = 0; i < e->nterm; i++)
		for (uint32_t j = 0; j < e->term[i].n; j++) {
			sym s = e->term[i].f[j];

			if (s != d.s ? mentions(m, (struct dim){.s = s}, is,
						ctx, depth - 1)
				     : e->kind == ATOM_NAME && is(ctx, s))
				return true;
		}
	for (uint32_t i = 0; i < e->narg; i++)
		if (mentions(m, e->arg[i], is, ctx, depth - 1))
			return true;
	return false;
}

bool dim_mentions(struct model *m, struct dim d,
		  bool (*is)(const void *ctx, sym s), const void *ctx)
{
	return mentions(m, d, is, ctx, DIM_MAX_DEPTH);
}

/* ---- substitution ---- */

static struct dim bind_dim(struct model *m, struct dim d,
			   const struct map *bind, int depth);

static struct dim bind_atom(struct model *m, sym s, const struct map *bind,
			    int depth)
{
	const struct expr *e = expr_of(m, s);
	const uint64_t *to = map_get(bind, s);
	struct dim r;

	if (to)
		return dim_num(m, (int64_t)*to);
	if (depth <= 0)
		return (struct dim){.n = DIM_UNKNOWN};
	if (e->kind == ATOM_NAME)
		return (struct dim){.n = DIM_UNKNOWN, .s = s};
	r = bind_dim(m, e->arg[0], bind, depth);
	for (uint32_t i = 1; i < e->narg; i++) {
		struct dim x = bind_dim(m, e->arg[i], bind, depth);

		if (e->kind == ATOM_FLOOR)
			r = dim_floordiv(m, r, x);
		else
			r = extremum(m, e->kind, r, x);
	}
	return r;
}

static struct dim bind_dim(struct model *m, struct dim d,
			   const struct map *bind, int depth)
{
	struct dim sum = dim_of(0);
	const struct expr *e;

	if (d.s == 0 || depth <= 0)
		return d.s ? (struct dim){.n = DIM_UNKNOWN} : d;
	e = expr_of(m, d.s);
	for (uint32_t i = 0; i < e->nterm; i++) {
		const struct term *t = &e->term[i];
		struct dim r = dim_num(m, t->c);

		for (uint32_t j = 0; j < t->n; j++)
			r = dim_mul(m, r,
				    bind_atom(m, t->f[j], bind, depth - 1));
		sum = dim_add(m, sum, r);
	}
	return sum;
}

struct dim dim_bind(struct model *m, struct dim d, const struct map *bind)
{
	struct dim r = bind_dim(m, d, bind, DIM_MAX_DEPTH);

	r.denotation = d.denotation;
	return r;
}
