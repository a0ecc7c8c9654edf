/* SPDX-License-Identifier: MIT */
/*
 * rw_attention.c -- what rules ask and compute about attention and rotary
 * embeddings.
 */
#include <string.h>
#include "passes/params_p.h"
#include "passes/rewrite_p.h"

static bool dims_equal(const struct type *a, const struct type *b, int i)
{
	return dim_equal(a->dim[i], b->dim[i]);
}

/* q [B,H,S,D], the transposed k [B,H,D,T] and v [B,H,T,E], or without H. */
bool guard_attends(struct rewrite *w, const struct rw_val *a)
{
	const struct type *q = rw_ranked(a), *k = rw_ranked(&a[1]);
	const struct type *v = rw_ranked(&a[2]);

	(void)w;
	if (!q || !k || !v || q->rank < 3 || q->rank > 4 ||
	    q->rank != k->rank || q->rank != v->rank || q->dt != v->dt)
		return false;
	for (int i = 0; i < q->rank - 2; i++)
		if (!dims_equal(q, k, i) || !dims_equal(q, v, i))
			return false;
	return true;
}

/* A bias of the scores that may be left out: all keys, no new dims. */
bool guard_mask_fits(struct rewrite *w, const struct rw_val *a)
{
	const struct type *m = rw_ranked(a), *s = rw_ranked(&a[1]);

	if (a->kind == RV_NONE)
		return true;
	return m && s && m->rank >= 2 && s->rank == 4 &&
	       dim_equal(m->dim[m->rank - 1], s->dim[3]) && guard_into(w, a);
}

bool guard_last_axis(struct rewrite *w, const struct rw_val *a)
{
	const struct node *n = rw_node(a);
	const struct type *t = rw_ranked(a);
	int axis;

	(void)w;
	return t && t->rank >= 1 &&
	       axis_fix(node_attr_int(n, "axis", n->op->since >= 13 ? -1 : 1),
			t->rank, &axis) &&
	       axis == t->rank - 1;
}

/* The number that a Mul or Div node applies; 1 if there is no such node. */
bool make_factor(struct rewrite *w, const struct rw_val *a, struct rw_val *out)
{
	const struct node *n = a->kind == RV_VALUE ? a->v->def : NULL;
	double x = 1;

	*out = rw_of_num(1);
	if (!n)
		return true;
	for (uint32_t i = 0; i < 2; i++) {
		const struct value *v = node_in(n, i);

		if (!v || !v->konst)
			continue;
		if (v->konst->n != 1 || !tensor_uniform(w->m, v->konst, &x) ||
		    (node_is(n, OP_Div) && (i != 1 || x == 0)))
			return false;
		*out = rw_of_num(node_is(n, OP_Div) ? 1 / x : x);
		return true;
	}
	return false;
}

bool make_swap_last(struct rewrite *w, const struct rw_val *a,
		    struct rw_val *out)
{
	size_t n;
	const int64_t *p = node_attr_ints(rw_node(a), "perm", &n);
	int64_t perm[8];

	if (!p || n < 2 || n > countof(perm))
		return false;
	memcpy(perm, p, n * sizeof *p);
	perm[n - 2] = p[n - 1];
	perm[n - 1] = p[n - 2];
	*out = rw_of_ints(w, perm, n);
	return true;
}

/* Transpose [B,S,H,D] to [B,H,S,D] or back. */
bool guard_moves_heads(struct rewrite *w, const struct rw_val *a)
{
	static const int64_t want[] = {0, 2, 1, 3};
	size_t n;
	const int64_t *p = node_attr_ints(rw_node(a), "perm", &n);

	(void)w;
	return p && n == 4 && !memcmp(p, want, sizeof want);
}

/* x is [B,S,H*D] and r [B,S,H,D]; H and D are known. */
bool guard_splits_heads(struct rewrite *w, const struct rw_val *a)
{
	const struct type *r = rw_ranked(a), *x = rw_ranked(&a[1]);
	int64_t size;

	(void)w;
	return r && x && r->rank == 4 && x->rank == 3 && dims_equal(r, x, 0) &&
	       dims_equal(r, x, 1) && dim_known(r->dim[2]) &&
	       dim_known(r->dim[3]) && dim_known(x->dim[2]) &&
	       mul_i64(r->dim[2].n, r->dim[3].n, &size) &&
	       size == x->dim[2].n && r->dim[2].n > 0;
}

/* Slice of the lower (k 0) or upper (k 1) half of x's last axis. */
bool guard_half(struct rewrite *w, const struct rw_val *a)
{
	const struct node *n = rw_node(a);
	const struct type *x = rw_ranked(&a[1]);
	const int64_t *s, *e, *ax, *st;
	size_t ns, ne, na, nst;
	int64_t d, lo, hi;
	int axis;

	(void)w;
	if (!x || x->rank < 1 || !dim_known(x->dim[x->rank - 1]) ||
	    !param_ints(n, "starts", &s, &ns) ||
	    !param_ints(n, "ends", &e, &ne) ||
	    !param_ints(n, "axes", &ax, &na) ||
	    !param_ints(n, "steps", &st, &nst) || ns != 1 || ne != 1 ||
	    na != 1 || (nst && st[0] != 1) || !axis_fix(ax[0], x->rank, &axis))
		return false;
	d = x->dim[x->rank - 1].n;
	lo = s[0] < 0 ? s[0] + d : s[0];
	hi = e[0] < 0 ? e[0] + d : e[0] < d ? e[0] : d;
	return axis == x->rank - 1 && d % 2 == 0 &&
	       (a[2].num == 0 ? lo == 0 && hi == d / 2
			      : lo == d / 2 && hi == d);
}

/* cos [B,S,D/2] serves x [B,H,S,D], once unsqueezed at axis 1. */
bool guard_rotates(struct rewrite *w, const struct rw_val *a)
{
	const struct type *x = rw_ranked(a), *c = rw_ranked(&a[1]);

	(void)w;
	return x && c && x->rank == 4 && c->rank == 3 && x->dt == c->dt &&
	       dim_equal(c->dim[0], x->dim[0]) &&
	       dim_equal(c->dim[1], x->dim[2]) && dim_known(c->dim[2]) &&
	       dim_known(x->dim[3]) && x->dim[3].n == 2 * c->dim[2].n;
}

/* The one axis of an Unsqueeze. */
bool guard_unsqueezes(struct rewrite *w, const struct rw_val *a)
{
	const int64_t *v;
	size_t n;

	(void)w;
	return param_ints(rw_node(a), "axes", &v, &n) && n == 1 &&
	       (double)v[0] == a[1].num;
}
