/* SPDX-License-Identifier: MIT */
/*
 * rw_norm.c -- what rules ask and compute about reductions, normalizations
 * and attention; guards.def says what each does.
 *
 * Axes are bit masks over the axes of the reduced value.
 */
#include <string.h>
#include "passes/params_p.h"
#include "passes/rewrite_p.h"

enum { MAX_RANK = 16 };

/* Which axes of x a reduction (or Squeeze, Unsqueeze) names; empty: all. */
static bool axes_mask(const struct node *n, int rank, uint32_t *mask)
{
	const int64_t *v;
	size_t count;
	int axis;

	*mask = 0;
	if (rank > MAX_RANK || !param_ints(n, "axes", &v, &count))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!axis_fix(v[i], rank, &axis))
			return false;
		*mask |= 1u << axis;
	}
	if (!count && node_attr_int(n, "noop_with_empty_axes", 0))
		return false;
	if (!count)
		*mask = (1u << rank) - 1;
	return true;
}

static const struct type *input_type(const struct node *n)
{
	struct rw_val a = rw_of_value(node_in(n, 0));

	return rw_ranked(&a);
}

/* How many trailing axes of t the node reduces and keeps, or normalizes; 0:
 * other ones. */
static int tail(const struct node *n, const struct type *t)
{
	uint32_t mask;
	int at;

	if (t && (node_is(n, OP_LayerNormalization) ||
		  node_is(n, OP_RMSNormalization)))
		return axis_fix(node_attr_int(n, "axis", -1), t->rank, &at)
			       ? t->rank - at
			       : 0;
	if (!t || node_attr_int(n, "keepdims", 1) != 1 ||
	    !axes_mask(n, t->rank, &mask))
		return 0;
	for (int k = 1; k <= t->rank; k++)
		if (mask == ((1u << k) - 1) << (t->rank - k))
			return k;
	return 0;
}

bool guard_reduces_tail(struct rewrite *w, const struct rw_val *a)
{
	(void)w;
	return tail(rw_node(a), rw_ranked(&a[1])) > 0;
}

bool guard_reduces_spatial(struct rewrite *w, const struct rw_val *a)
{
	const struct type *t = rw_ranked(&a[1]);

	(void)w;
	return t && t->rank >= 3 && tail(rw_node(a), t) == t->rank - 2;
}

bool guard_reduces_same(struct rewrite *w, const struct rw_val *a)
{
	const struct node *x = rw_node(a), *y = rw_node(&a[1]);
	const struct type *tx = input_type(x), *ty = input_type(y);
	uint32_t mx, my;

	(void)w;
	return tx && ty && tx->rank == ty->rank &&
	       axes_mask(x, tx->rank, &mx) && axes_mask(y, ty->rank, &my) &&
	       mx == my && node_attr_int(x, "keepdims", 1) == 1 &&
	       node_attr_int(y, "keepdims", 1) == 1;
}

/* Both count from the same rank, so equal lists need not know it. */
bool guard_restores_axes(struct rewrite *w, const struct rw_val *a)
{
	const struct node *u = rw_node(a), *m = rw_node(&a[1]);
	const struct type *t = input_type(m);
	const int64_t *vu, *vm;
	uint32_t mu, mm;
	size_t nu, nm;

	(void)w;
	if (node_attr_int(m, "keepdims", 1) != 0 ||
	    !param_ints(u, "axes", &vu, &nu) ||
	    !param_ints(m, "axes", &vm, &nm) || !nm)
		return false;
	if (nu == nm && !memcmp(vu, vm, nu * sizeof *vu))
		return true;
	return t && axes_mask(u, t->rank, &mu) && axes_mask(m, t->rank, &mm) &&
	       mu == mm;
}

bool guard_single(struct rewrite *w, const struct rw_val *a)
{
	const struct type *t = a->kind == RV_VALUE ? a->v->type : NULL;

	(void)w;
	return t && t->kind == TY_TENSOR &&
	       (t->dt == DT_F32 || t->dt == DT_F16 || t->dt == DT_BF16);
}

/* The axis that a node reduces and keeps, if it is one; else -1. */
static int one_axis(const struct node *n, const struct type *t)
{
	uint32_t mask;

	if (!t || node_attr_int(n, "keepdims", 1) != 1 ||
	    !axes_mask(n, t->rank, &mask))
		return -1;
	for (int k = 0; k < t->rank; k++)
		if (mask == 1u << k)
			return k;
	return -1;
}

bool guard_reduces_channels(struct rewrite *w, const struct rw_val *a)
{
	(void)w;
	return one_axis(rw_node(a), rw_ranked(&a[1])) == 1;
}

bool guard_one_axis(struct rewrite *w, const struct rw_val *a)
{
	(void)w;
	return one_axis(rw_node(a), rw_ranked(&a[1])) >= 0;
}

/* Before version 13 Softmax took all axes from the given one on as one. */
bool guard_softmax_axis(struct rewrite *w, const struct rw_val *a)
{
	const struct op *op =
		op_latest(OP_Softmax, model_opset(w->root->graph, DOM_ONNX));
	const struct type *t = rw_ranked(&a[1]);
	int axis = one_axis(rw_node(a), t);

	return op && axis >= 0 && (op->since >= 13 || axis == t->rank - 1);
}

bool guard_reduces_ones(struct rewrite *w, const struct rw_val *a)
{
	const struct type *t = rw_ranked(&a[1]);
	uint32_t mask;

	(void)w;
	if (!t || node_attr_int(rw_node(a), "keepdims", 1) != 0 ||
	    !axes_mask(rw_node(a), t->rank, &mask) || !mask)
		return false;
	for (int i = 0; i < t->rank; i++)
		if (mask >> i & 1 &&
		    !(dim_known(t->dim[i]) && t->dim[i].n == 1))
			return false;
	return true;
}

/* The axis of a Softmax or ArgMax of t; -1: several, or not known. */
static int axis_of(const struct node *n, const struct type *t)
{
	bool arg = node_is(n, OP_ArgMax) || node_is(n, OP_ArgMin);
	bool each = arg || n->op->since >= 13;
	int axis;

	if (!t || !axis_fix(node_attr_int(n, "axis",
					  arg    ? 0
					  : each ? -1
						 : 1),
			    t->rank, &axis))
		return -1;
	return each || axis == t->rank - 1 ? axis : -1;
}

bool guard_axis_of_one(struct rewrite *w, const struct rw_val *a)
{
	const struct type *t = rw_ranked(&a[1]);
	int axis = axis_of(rw_node(a), t);

	(void)w;
	return axis >= 0 && dim_known(t->dim[axis]) && t->dim[axis].n == 1;
}

bool guard_axes_agree(struct rewrite *w, const struct rw_val *a)
{
	const struct type *t = rw_ranked(&a[2]);
	int axis = axis_of(rw_node(a), t);

	(void)w;
	return axis >= 0 && axis == axis_of(rw_node(&a[1]), t);
}

bool guard_same_axis(struct rewrite *w, const struct rw_val *a)
{
	const struct type *t = rw_ranked(&a[2]);
	int axis = one_axis(rw_node(&a[1]), t);

	(void)w;
	return axis >= 0 && axis == axis_of(rw_node(a), t);
}

bool make_the_axis(struct rewrite *w, const struct rw_val *a,
		   struct rw_val *out)
{
	int axis = one_axis(rw_node(a), rw_ranked(&a[1]));

	(void)w;
	*out = rw_of_num(axis);
	return axis >= 0;
}

bool make_axes(struct rewrite *w, const struct rw_val *a, struct rw_val *out)
{
	const int64_t *v;
	size_t n;

	if (!param_ints(rw_node(a), "axes", &v, &n))
		return false;
	*out = n ? rw_of_ints(w, v, n) : (struct rw_val){.kind = RV_NONE};
	return n || !node_attr_int(rw_node(a), "noop_with_empty_axes", 0);
}

bool make_tail_axis(struct rewrite *w, const struct rw_val *a,
		    struct rw_val *out)
{
	int k = tail(rw_node(a), rw_ranked(&a[1]));

	(void)w;
	*out = rw_of_num(-k);
	return k > 0;
}

/* ---- operands of normalizations ---- */

/* The last k dims of t if they are known and none is 0. */
static bool tail_dims(const struct type *t, int k, int64_t *dim)
{
	if (k < 1 || k > t->rank || k > MAX_RANK)
		return false;
	for (int i = 0; i < k; i++) {
		struct dim d = t->dim[t->rank - k + i];

		if (!dim_known(d) || d.n < 1)
			return false;
		dim[i] = d.n;
	}
	return true;
}

static bool fill(struct rewrite *w, const struct type *t, double x, int rank,
		 const int64_t *dim, struct rw_val *out)
{
	const struct tensor *c = const_splat(w->m, t->dt, rank, dim, x);

	if (c)
		*out = rw_of_tensor(c, c->dt);
	return c != NULL;
}

bool make_tail_fill(struct rewrite *w, const struct rw_val *a,
		    struct rw_val *out)
{
	const struct type *t = rw_ranked(&a[2]);
	int64_t dim[MAX_RANK];
	int k = tail(rw_node(&a[1]), t);

	return a->kind == RV_NUM && k > 0 && tail_dims(t, k, dim) &&
	       fill(w, t, a->num, k, dim, out);
}

bool make_channel_fill(struct rewrite *w, const struct rw_val *a,
		       struct rw_val *out)
{
	const struct type *t = rw_ranked(&a[1]);

	return a->kind == RV_NUM && t && t->rank >= 2 && dim_known(t->dim[1]) &&
	       t->dim[1].n > 0 && fill(w, t, a->num, 1, &t->dim[1].n, out);
}

/* Are the constant's dims those of dim, but for ones in front? */
static bool same_tail(const struct tensor *c, int k, const int64_t *dim)
{
	for (int i = 0; i < c->rank; i++) {
		int at = i - (c->rank - k);

		if (c->dim[i] != (at < 0 ? 1 : dim[at]))
			return false;
	}
	return c->rank >= k;
}

bool make_tail_of(struct rewrite *w, const struct rw_val *a, struct rw_val *out)
{
	const struct type *s = rw_ranked(a), *t = rw_ranked(&a[2]);
	const struct tensor *c = rw_tensor(a);
	int k = tail(rw_node(&a[1]), t);
	int64_t dim[MAX_RANK];
	double x;

	if (!s || !t || s->dt != t->dt || k < 1)
		return false;
	*out = *a;
	if (!c) {
		bool same = s->rank == k;

		for (int i = 0; same && i < k; i++)
			same = dim_equal(s->dim[i], t->dim[t->rank - k + i]);
		return same;
	}
	if (!tail_dims(t, k, dim) || s->rank > t->rank)
		return false;
	if (same_tail(c, k, dim))
		return c->rank == k || rw_view(w, a, k, dim, out);
	return c->n == 1 && tensor_uniform(w->m, c, &x) &&
	       fill(w, t, x, k, dim, out);
}

bool make_row_dims(struct rewrite *w, const struct rw_val *a,
		   struct rw_val *out)
{
	const struct type *t = rw_ranked(&a[1]);
	int64_t dim[MAX_RANK + 2] = {1, 1};
	int k = tail(rw_node(a), t);

	if (k < 1 || !tail_dims(t, k, &dim[2]))
		return false;
	for (int i = 0; i < t->rank - k && dim[0] > 0; i++)
		if (!dim_known(t->dim[i]) || t->dim[i].n < 1 ||
		    !mul_i64(dim[0], t->dim[i].n, &dim[0]))
			dim[0] = -1;
	*out = rw_of_ints(w, dim, (size_t)k + 2);
	return true;
}

bool make_full(struct rewrite *w, const struct rw_val *a, struct rw_val *out)
{
	const struct type *t = rw_ranked(&a[1]);
	int64_t dim[MAX_RANK];

	for (int i = 0; t && i < t->rank; i++) {
		if (t->rank > MAX_RANK || !dim_known(t->dim[i]))
			return false;
		dim[i] = t->dim[i].n;
	}
	return a->kind == RV_NUM && t && fill(w, t, a->num, t->rank, dim, out);
}

bool make_vector(struct rewrite *w, const struct rw_val *a, struct rw_val *out)
{
	const struct type *t = rw_ranked(&a[1]);
	int64_t one = 1;

	return a->kind == RV_NUM && t && fill(w, t, a->num, 1, &one, out);
}

bool make_unsqueezed_axes(struct rewrite *w, const struct rw_val *a,
			  struct rw_val *out)
{
	const struct node *m = rw_node(a), *s = rw_node(&a[1]);
	const struct type *t = input_type(s);
	uint32_t gone, mask;
	int64_t axis[MAX_RANK];
	size_t n = 0;
	int at = 0;

	if (!t || !param_given(s, "axes") || !axes_mask(s, t->rank, &gone) ||
	    !axes_mask(m, t->rank - __builtin_popcount(gone), &mask))
		return false;
	for (int i = 0; i < t->rank; i++)
		if (!(gone >> i & 1) && mask >> at++ & 1)
			axis[n++] = i;
	*out = rw_of_ints(w, axis, n);
	return n > 0;
}

/* x in groups of channels: [N, G, ...], N that of x. */
bool guard_groups(struct rewrite *w, const struct rw_val *a)
{
	const struct type *g = rw_ranked(a), *t = rw_ranked(&a[1]);

	(void)w;
	return g && t && g->rank >= 3 && t->rank >= 3 &&
	       dim_equal(g->dim[0], t->dim[0]) && dim_known(g->dim[1]) &&
	       dim_known(t->dim[1]) && g->dim[1].n > 0 &&
	       t->dim[1].n % g->dim[1].n == 0;
}

bool make_dim(struct rewrite *w, const struct rw_val *a, struct rw_val *out)
{
	const struct type *t = rw_ranked(a);
	int axis;

	(void)w;
	if (!t || !axis_fix((int64_t)a[1].num, t->rank, &axis) ||
	    !dim_known(t->dim[axis]))
		return false;
	*out = rw_of_num((double)t->dim[axis].n);
	return true;
}
