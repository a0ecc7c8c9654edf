/* SPDX-License-Identifier: MIT */
/*
 * rw_range.c -- between which numbers all elements of a value lie, NaN aside.
 *
 * Intervals follow from the operators above a value; what is not known is
 * (-inf, inf).  Bounds of computed numbers are those of exact arithmetic: the
 * operators round monotonically, so a bound that the type holds is kept.
 * Sums and products of integers may wrap and are not followed.
 */
#include <math.h>
#include <string.h>
#include "passes/params_p.h"
#include "passes/rewrite_p.h"

enum { DEPTH = 6 };

struct range {
	double lo, hi;
};

static const struct range anything = {-INFINITY, INFINITY};

/* What an operator gives whatever its input is. */
static const struct {
	enum op_id op;
	struct range r;
} fixed[] = {
	{OP_Sigmoid, {0, 1}},
	{OP_HardSigmoid, {0, 1}},
	{OP_Softmax, {0, 1}},
	{OP_Hardmax, {0, 1}},
	{OP_Tanh, {-1, 1}},
	{OP_Erf, {-1, 1}},
	{OP_Sin, {-1, 1}},
	{OP_Cos, {-1, 1}},
	{OP_Sign, {-1, 1}},
	{OP_Softsign, {-1, 1}},
	{OP_Exp, {0, INFINITY}},
	{OP_Sqrt, {0, INFINITY}},
	{OP_Softplus, {0, INFINITY}},
	{OP_Relu, {0, INFINITY}},
	{OP_LogSoftmax, {-INFINITY, 0}},
	{OP_Shape, {0, INFINITY}},
	{OP_Size, {0, INFINITY}},
	{OP_NonZero, {0, INFINITY}},
	{OP_ArgMax, {0, INFINITY}},
	{OP_ArgMin, {0, INFINITY}},
	{OP_ReduceL1, {0, INFINITY}},
	{OP_ReduceL2, {0, INFINITY}},
};

/* Elements of the result are elements of input 0. */
static bool picks(const struct node *n)
{
	switch (n->op->id) {
	case OP_Reshape:
	case OP_Flatten:
	case OP_Squeeze:
	case OP_Unsqueeze:
	case OP_Transpose:
	case OP_Identity:
	case OP_Slice:
	case OP_Split:
	case OP_Gather:
	case OP_GatherElements:
	case OP_GatherND:
	case OP_Expand:
	case OP_Tile:
	case OP_DepthToSpace:
	case OP_SpaceToDepth:
	case OP_MaxPool:
	case OP_GlobalMaxPool:
		return true;
	default:
		return false;
	}
}

static bool is_float(const struct value *v)
{
	return v->type->kind == TY_TENSOR && dtype_is_float(v->type->dt);
}

/* Of a bounded number of elements, so that a guard stays cheap. */
static struct range of_constant(const struct model *m, const struct tensor *t)
{
	struct range r = {INFINITY, -INFINITY};
	double x;

	if (!strchr("fiub", dtype_kind(t->dt)) || t->n > 4096 || !t->n)
		return anything;
	if (tensor_uniform(m, t, &x))
		return isnan(x) ? anything : (struct range){x, x};
	for (int64_t i = 0; i < t->n; i++) {
		x = tensor_float(m, t, i);
		if (isnan(x))
			return anything;
		r.lo = fmin(r.lo, x);
		r.hi = fmax(r.hi, x);
	}
	return r;
}

static struct range hull(struct range a, struct range b)
{
	return (struct range){fmin(a.lo, b.lo), fmax(a.hi, b.hi)};
}

static struct range range_of(struct rewrite *w, const struct value *v,
			     int depth);

/* Nonnegative stays so; other products have no known sign here. */
static struct range times(const struct node *n, struct range a, struct range b)
{
	if (node_in(n, 0) == node_in(n, 1) || (a.lo >= 0 && b.lo >= 0))
		return (struct range){0, INFINITY};
	return anything;
}

/* NOLINTNEXTLINE(misc-no-recursion): depth <= DEPTH */
static struct range of_two(struct rewrite *w, const struct node *n, int depth)
{
	struct range a = range_of(w, node_in(n, 0), depth + 1);
	struct range b = range_of(w, node_in(n, 1), depth + 1);

	switch (n->op->id) {
	case OP_Add:
		return (struct range){a.lo + b.lo, a.hi + b.hi};
	case OP_Mul:
		return times(n, a, b);
	case OP_Div:
		return a.lo >= 0 && b.lo >= 0 ? (struct range){0, INFINITY}
					      : anything;
	case OP_Max:
		return (struct range){fmax(a.lo, b.lo), fmax(a.hi, b.hi)};
	case OP_Min:
		return (struct range){fmin(a.lo, b.lo), fmin(a.hi, b.hi)};
	default:
		return anything;
	}
}

/* NOLINTNEXTLINE(misc-no-recursion): depth <= DEPTH */
static struct range of_clip(struct rewrite *w, const struct node *n, int depth)
{
	struct range r = range_of(w, node_in(n, 0), depth + 1);
	double lo, hi;
	bool min_known = param_num(n, "min", -INFINITY, &lo);
	bool max_known = param_num(n, "max", INFINITY, &hi);

	hi = max_known ? hi : INFINITY;
	r.lo = max_known ? fmin(min_known ? fmax(r.lo, lo) : r.lo, hi)
			 : -INFINITY;
	r.hi = fmin(min_known ? fmax(r.hi, lo) : INFINITY, hi);
	return r;
}

/* NOLINTNEXTLINE(misc-no-recursion): depth <= DEPTH */
static struct range of_node(struct rewrite *w, const struct node *n, int depth)
{
	struct range r;

	switch (n->op->id) {
	case OP_Clip:
		return of_clip(w, n, depth);
	case OP_Abs: /* of the lowest integer it is negative */
		return is_float(n->out[0]) ? (struct range){0, INFINITY}
					   : anything;
	case OP_ReduceSumSquare:
		return is_float(n->out[0]) ? (struct range){0, INFINITY}
					   : anything;
	case OP_Where:
		return n->nin == 3 ? hull(range_of(w, node_in(n, 1), depth + 1),
					  range_of(w, node_in(n, 2), depth + 1))
				   : anything;
	case OP_Concat:
		if (n->nin < 1 || n->nin > 4)
			return anything;
		r = range_of(w, node_in(n, 0), depth + 1);
		for (uint32_t i = 1; i < n->nin; i++)
			r = hull(r, range_of(w, node_in(n, i), depth + 1));
		return r;
	case OP_Add:
	case OP_Mul:
	case OP_Div:
		return is_float(n->out[0]) && n->nin == 2 ? of_two(w, n, depth)
							  : anything;
	case OP_Max:
	case OP_Min:
		return n->nin == 2 ? of_two(w, n, depth) : anything;
	default:
		return anything;
	}
}

/* NOLINTNEXTLINE(misc-no-recursion): depth <= DEPTH */
static struct range range_of(struct rewrite *w, const struct value *v,
			     int depth)
{
	const struct node *n = v ? v->def : NULL;

	if (!v || depth > DEPTH)
		return anything;
	if (v->konst)
		return of_constant(w->m, v->konst);
	if (!n || v->slot != 0)
		return anything;
	for (size_t i = 0; i < countof(fixed); i++)
		if (node_is(n, fixed[i].op))
			return fixed[i].r;
	return picks(n) ? range_of(w, node_in(n, 0), depth + 1)
			: of_node(w, n, depth);
}

bool guard_in_range(struct rewrite *w, const struct rw_val *a)
{
	struct range r;

	if (a->kind != RV_VALUE || a[1].kind != RV_NUM || a[2].kind != RV_NUM)
		return false;
	r = range_of(w, a->v, 0);
	return r.lo >= a[1].num && r.hi <= a[2].num;
}

bool guard_scalars(struct rewrite *w, const struct rw_val *a)
{
	const struct type *t = a->v->type;
	int rank = t->kind == TY_TENSOR && t->rank > 0 ? t->rank : 0;

	for (uint32_t i = 0; i < w->nmatched; i++) {
		const struct node *n = w->matched[i];

		if (node_has_attr(n, "broadcast") || node_has_attr(n, "axis"))
			return false;
		for (uint32_t k = 0; k < n->nin; k++) {
			const struct value *v = n->in[k].v;

			if (v && v->konst && v->konst->dt == t->dt &&
			    (v->konst->n != 1 || v->konst->rank > rank))
				return false;
		}
	}
	return true;
}
