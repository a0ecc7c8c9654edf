/* SPDX-License-Identifier: MIT */
/*
 * rw_shape.c -- what rules ask and compute about moves of data.
 */
#include <string.h>
#include "passes/params_p.h"
#include "passes/rewrite_p.h"

enum { MAX_RANK = 16 };

/* ---- Slice along few axes with known numbers ---- */

struct cut { /* start and end as they are written; step */
	int64_t axis, start, end, step;
};

/* At most MAX_RANK cuts; 0: not known. */
static size_t cuts_of(const struct node *n, struct cut *c)
{
	const int64_t *s, *e, *a, *st;
	size_t ns, ne, na, nst;

	if (!param_ints(n, "starts", &s, &ns) ||
	    !param_ints(n, "ends", &e, &ne) ||
	    !param_ints(n, "axes", &a, &na) ||
	    !param_ints(n, "steps", &st, &nst) || ns != ne ||
	    (na && na != ns) || (nst && nst != ns) || ns > MAX_RANK)
		return 0;
	for (size_t i = 0; i < ns; i++)
		c[i] = (struct cut){na ? a[i] : (int64_t)i, s[i], e[i],
				    nst ? st[i] : 1};
	return ns;
}

/* Slice from start to the next index along one axis, step 1. */
static bool picked(const struct node *n, struct cut *c)
{
	struct cut all[MAX_RANK];

	if (cuts_of(n, all) != 1 || all[0].step != 1)
		return false;
	*c = all[0];
	if (c->start == -1)
		return c->end == INT64_MAX;
	return c->start < INT64_MAX && c->end == c->start + 1;
}

bool guard_picks_one(struct rewrite *w, const struct rw_val *a)
{
	const struct rw_val x = rw_of_value(node_in(rw_node(a), 0));
	const struct type *t = rw_ranked(&x);
	const int64_t *v;
	int sliced, gone;
	struct cut c;
	size_t n;

	(void)w;
	if (!picked(rw_node(a), &c) ||
	    !param_ints(rw_node(&a[1]), "axes", &v, &n) || n != 1)
		return false;
	if (v[0] == c.axis)
		return true;
	return t && axis_fix(c.axis, t->rank, &sliced) &&
	       axis_fix(v[0], t->rank, &gone) && sliced == gone;
}

bool make_picked_axis(struct rewrite *w, const struct rw_val *a,
		      struct rw_val *out)
{
	struct cut c;
	bool ok = picked(rw_node(a), &c);

	(void)w;
	*out = rw_of_num(ok ? (double)c.axis : 0);
	return ok;
}

/* Before version 11 Gather knew no negative numbers. */
bool make_picked_index(struct rewrite *w, const struct rw_val *a,
		       struct rw_val *out)
{
	const struct op *gather =
		op_latest(OP_Gather, model_opset(w->root->graph, DOM_ONNX));
	const struct tensor *t;
	struct cut c;

	if (!picked(rw_node(a), &c) || !gather ||
	    ((c.start < 0 || c.axis < 0) && gather->since < 11))
		return false;
	t = tensor_i64(w->m, 0, NULL, &c.start);
	*out = rw_of_tensor(t, DT_I64);
	return t != NULL;
}

/*
 * [a,b) then [c,e) of it is [a+c, min(b,a+e)), whatever the size, if no number
 * counts from the end; turned around it is b-1 down to a.
 */
static bool compose(struct cut *c, const struct cut *out)
{
	const struct cut first = *c, *in = &first;
	int64_t last;

	if (in->step != 1 || in->start < 0 || in->end < 0)
		return false;
	if (out->step == 1 && out->start >= 0 && out->end >= 0) {
		if (!add_i64(in->start, out->start, &c->start))
			return false;
		if (!add_i64(in->start, out->end, &last))
			last = INT64_MAX;
		c->end = last < in->end ? last : in->end;
		return true;
	}
	if (out->step != -1 || out->start != -1 || out->end > -INT32_MAX ||
	    in->end == INT64_MAX || in->end <= in->start)
		return false;
	c->step = -1;
	c->start = in->end - 1;
	c->end = in->start ? in->start - 1 : INT64_MIN;
	return true;
}

/* The axes of both nodes by number if they can be compared. */
static bool same_terms(const struct node *inner, struct cut *a, size_t na,
		       struct cut *b, size_t nb)
{
	const struct rw_val x = rw_of_value(node_in(inner, 0));
	const struct type *t = rw_ranked(&x);
	bool low = true;
	int axis;

	for (size_t i = 0; i < na + nb; i++) {
		struct cut *c = i < na ? &a[i] : &b[i - na];

		low &= c->axis >= 0;
		if (t && !axis_fix(c->axis, t->rank, &axis))
			return false;
		if (t)
			c->axis = axis;
	}
	return t || low;
}

static bool joined(const struct node *inner, const struct node *outer,
		   struct cut *c, size_t *n)
{
	struct cut b[MAX_RANK];
	size_t na = cuts_of(inner, c), nb = cuts_of(outer, b);

	if (!na || !nb || !same_terms(inner, c, na, b, nb))
		return false;
	for (size_t i = 0; i < nb; i++) {
		size_t k = 0;

		while (k < na && c[k].axis != b[i].axis)
			k++;
		if (k == MAX_RANK)
			return false;
		if (k == na)
			c[na++] = b[i];
		else if (!compose(&c[k], &b[i]))
			return false;
	}
	*n = na;
	return true;
}

static bool list(struct rewrite *w, const struct rw_val *a, int what,
		 struct rw_val *out)
{
	struct cut c[MAX_RANK];
	int64_t v[MAX_RANK];
	size_t n;

	if (!joined(rw_node(a), rw_node(&a[1]), c, &n))
		return false;
	for (size_t i = 0; i < n; i++)
		v[i] = what == 0   ? c[i].start
		       : what == 1 ? c[i].end
		       : what == 2 ? c[i].axis
				   : c[i].step;
	*out = rw_of_ints(w, v, n);
	for (size_t i = 0; i < n && what == 3; i++)
		if (v[i] != 1)
			return true;
	if (what == 3)
		*out = (struct rw_val){.kind = RV_NONE};
	return true;
}

bool make_joined_starts(struct rewrite *w, const struct rw_val *a,
			struct rw_val *out)
{
	return list(w, a, 0, out);
}

bool make_joined_ends(struct rewrite *w, const struct rw_val *a,
		      struct rw_val *out)
{
	return list(w, a, 1, out);
}

bool make_joined_axes(struct rewrite *w, const struct rw_val *a,
		      struct rw_val *out)
{
	return list(w, a, 2, out);
}

bool make_joined_steps(struct rewrite *w, const struct rw_val *a,
		       struct rw_val *out)
{
	return list(w, a, 3, out);
}

/* ---- dims of one ---- */

static bool is_one(struct dim d)
{
	return dim_known(d) && d.n == 1;
}

/* Which dims of big are ones that small does not have; false: others differ. */
static bool extra_ones(const struct type *big, const struct type *small,
		       int64_t *axis, size_t *n)
{
	int k = 0;

	*n = 0;
	if (!big || !small || big->rank <= small->rank || big->rank > MAX_RANK)
		return false;
	for (int i = 0; i < big->rank; i++) {
		if (k < small->rank && dim_equal(big->dim[i], small->dim[k]))
			k++;
		else if (is_one(big->dim[i]))
			axis[(*n)++] = i;
		else
			return false;
	}
	return k == small->rank;
}

bool make_inserted(struct rewrite *w, const struct rw_val *a,
		   struct rw_val *out)
{
	int64_t axis[MAX_RANK];
	size_t n;

	if (!extra_ones(rw_ranked(a), rw_ranked(&a[1]), axis, &n))
		return false;
	*out = rw_of_ints(w, axis, n);
	return true;
}

/* ---- channels first and last ---- */

static bool channels(struct rewrite *w, const struct rw_val *a, bool back,
		     struct rw_val *out)
{
	const struct type *t = rw_ranked(a);
	int64_t perm[MAX_RANK];

	if (!t || t->rank < 2 || t->rank > MAX_RANK)
		return false;
	perm[0] = 0;
	for (int i = 1; i < t->rank; i++)
		perm[i] = back ? (i == 1 ? t->rank - 1 : i - 1)
			       : (i == t->rank - 1 ? 1 : i + 1);
	*out = rw_of_ints(w, perm, (size_t)t->rank);
	return true;
}

bool make_channels_last(struct rewrite *w, const struct rw_val *a,
			struct rw_val *out)
{
	return channels(w, a, false, out);
}

bool make_channels_back(struct rewrite *w, const struct rw_val *a,
			struct rw_val *out)
{
	return channels(w, a, true, out);
}

bool guard_last_to_second(struct rewrite *w, const struct rw_val *a)
{
	size_t n;
	const int64_t *p = node_attr_ints(rw_node(a), "perm", &n);

	(void)w;
	if (!p || n < 3)
		return false;
	for (size_t i = 0; i < n; i++)
		if (p[i] != (int64_t)(i == 0 ? 0 : i == 1 ? n - 1 : i - 1))
			return false;
	return true;
}

bool make_dtype(struct rewrite *w, const struct rw_val *a, struct rw_val *out)
{
	const struct type *t = a->v->type;

	(void)w;
	*out = rw_of_num(t->dt);
	return t->kind == TY_TENSOR && t->dt != DT_NONE;
}

/* ---- Pad between Unsqueeze and Squeeze ---- */

bool guard_same_list(struct rewrite *w, const struct rw_val *a)
{
	const int64_t *x, *y;
	size_t nx, ny;

	(void)w;
	return param_ints(rw_node(a), a[2].s, &x, &nx) &&
	       param_ints(rw_node(&a[1]), a[2].s, &y, &ny) && nx == ny && nx &&
	       !memcmp(x, y, nx * sizeof *x);
}

/* A Pad's pads without those of an Unsqueeze's axes, which must be 0. */
bool make_pads_without(struct rewrite *w, const struct rw_val *a,
		       struct rw_val *out)
{
	int64_t left[2 * MAX_RANK];
	const int64_t *p, *axes;
	size_t np, na, n = 0, rank;
	uint32_t gone = 0;
	int axis;

	if (node_in(rw_node(a), 3) ||
	    !param_ints(rw_node(a), "pads", &p, &np) || np % 2 ||
	    np > countof(left) ||
	    !param_ints(rw_node(&a[1]), "axes", &axes, &na))
		return false;
	rank = np / 2;
	for (size_t i = 0; i < na; i++) {
		if (!axis_fix(axes[i], (int)rank, &axis) || p[axis] ||
		    p[rank + (size_t)axis])
			return false;
		gone |= 1u << axis;
	}
	for (size_t i = 0; i < np; i++)
		if (!(gone >> i % rank & 1))
			left[n++] = p[i];
	*out = rw_of_ints(w, left, n);
	return n > 0;
}

/* ---- Gather and Unsqueeze ---- */

/* Unsqueeze puts back the axis that a scalar index took. */
bool guard_regains(struct rewrite *w, const struct rw_val *a)
{
	const struct node *u = rw_node(a), *g = rw_node(&a[1]);
	const struct rw_val x = rw_of_value(node_in(g, 0));
	const struct rw_val i = rw_of_value(node_in(g, 1));
	const struct type *t = rw_ranked(&x), *ti = rw_ranked(&i);
	int64_t axis = node_attr_int(g, "axis", 0);
	const int64_t *v;
	int was, now;
	size_t n;

	(void)w;
	if (!ti || ti->rank != 0 || !param_ints(u, "axes", &v, &n) || n != 1)
		return false;
	if (v[0] == axis)
		return true;
	return t && axis_fix(axis, t->rank, &was) &&
	       axis_fix(v[0], t->rank, &now) && was == now;
}

bool make_as_vector(struct rewrite *w, const struct rw_val *a,
		    struct rw_val *out)
{
	const struct tensor *t = rw_tensor(a);
	int64_t one = 1;

	return t && t->n == 1 && rw_view(w, a, 1, &one, out);
}
