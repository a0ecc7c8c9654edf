/* SPDX-License-Identifier: MIT */
/*
 * output.c -- what shape functions write their outputs with: computed types
 * meet declared ones here.
 */
#include <stdlib.h>
#include <string.h>

#include "ir/infer/infer.h"

/* The levels where two types differ, as a diagnostic code. */
static enum diag_code conflict(const struct type *a, const struct type *b)
{
	for (; a && b; a = a->elem, b = b->elem)
		if (a->kind != b->kind || a->dt != b->dt)
			return a->dt && b->dt ? E_type : E_shape;
	return E_shape;
}

static enum status contradiction(const struct node *n, const struct value *v,
				 const struct type *t)
{
	struct model *m = node_model(n);
	struct str name = sym_str(m, v->name);
	struct buf a = {0}, b = {0}, c = {0};
	enum status st;

	/* a shape alone: the element type is not in question */
	if (t->kind == TY_TENSOR && t->dt == DT_NONE &&
	    v->type->kind == TY_TENSOR)
		t = type_tensor(m, v->type->dt, t->rank, t->dim);
	type_print(m, &a, t);
	type_print(m, &b, v->type);
	buf_escaped(&c, name);
	st = infer_error(n, conflict(t, v->type),
			 "output '%s' has the type '%s', but is declared "
			 "as '%s'",
			 c.n ? c.p : "", a.p, b.p);
	buf_release(&a);
	buf_release(&b);
	buf_release(&c);
	return st;
}

static bool is_derived(const void *ctx, sym s)
{
	return map_get(ctx, s) == NULL;
}

static bool follows_inputs(struct model *m, struct dim d)
{
	return d.s && !dim_mentions(m, d, is_derived, &m->infer->inputs);
}

/* Did merging put a number where t has what follows from the inputs? */
static bool lost_symbol(struct model *m, const struct type *both,
			const struct type *t, int i)
{
	return dim_known(both->dim[i]) && follows_inputs(m, t->dim[i]);
}

const struct type *infer_meet(struct model *m, const struct type *t,
			      const struct type *decl)
{
	const struct type *both = type_merge(m, t, decl);
	struct type *p = NULL;

	if (!m->infer || !both || both->kind != TY_TENSOR ||
	    t->kind != TY_TENSOR || t->rank <= 0)
		return both;
	for (int i = 0; i < both->rank; i++) {
		size_t size = sizeof *p + (size_t)both->rank * sizeof p->dim[0];

		if (!lost_symbol(m, both, t, i))
			continue;
		if (!p)
			p = memcpy(xmalloc(size), both, size);
		p->dim[i] = t->dim[i];
	}
	if (p)
		both = type_intern(m, p);
	free(p);
	return both;
}

enum status out_type(struct node *n, uint32_t i, const struct type *t)
{
	struct value *v = i < n->nout ? n->out[i] : NULL;
	const struct type *merged;

	if (!v)
		return OK;
	merged = infer_meet(node_model(n), t, v->type);
	if (!merged)
		return contradiction(n, v, t);
	v->type = merged;
	return OK;
}

enum status out_tensor(struct node *n, uint32_t i, enum dtype dt, int rank,
		       const struct dim *dim)
{
	return out_type(n, i, type_tensor(node_model(n), dt, rank, dim));
}

enum status out_same(struct node *n, uint32_t i, const struct type *t)
{
	return out_type(n, i, t);
}

enum status out_shape(struct node *n, uint32_t i, int rank,
		      const struct dim *dim)
{
	return out_tensor(n, i, DT_NONE, rank, dim);
}

enum status out_rank(struct node *n, uint32_t i, int rank)
{
	struct dim *d = dims_new(n, (size_t)rank);

	for (int k = 0; k < rank; k++)
		d[k] = dim_none();
	return out_shape(n, i, rank, d);
}

enum status out_dtype(struct node *n, uint32_t i, enum dtype dt)
{
	return out_tensor(n, i, dt, -1, NULL);
}

enum status out_shape_of(struct node *n, uint32_t i, uint32_t k)
{
	int rank;
	const struct dim *d = in_dims(n, k, &rank);

	return d ? out_shape(n, i, rank, d) : OK;
}

void out_data(struct node *n, uint32_t i, const struct dim *d, uint32_t count)
{
	struct value *v = i < n->nout ? n->out[i] : NULL;
	struct model *m = node_model(n);
	bool any = count == 0;

	for (uint32_t k = 0; k < count && !any; k++)
		any = !dim_unknown(d[k]);
	if (!v || !any || count > INFER_MAX_DATA || !data_budget(m, count))
		return;
	/* d may live as long as this node's inference only */
	d = count ? arena_dup(&m->arena, d, count * sizeof(*d))
		  : arena_array(&m->arena, 1, sizeof(*d));
	if (v->type->kind == TY_TENSOR && dtype_is_float(v->type->dt)) {
		v->real = d;
		v->nreal = count;
		return;
	}
	v->data = d;
	v->ndata = count;
}

/* ---- broadcasting ---- */

/*
 * Is a the result whichever of them is 1?  With b <= a that needs b = 1 where
 * a = 1: as for a size and the same size clipped.
 */
static bool covers(struct model *m, struct dim a, struct dim b)
{
	return dim_le(m, b, a) && dim_le(m, dim_min(m, dim_of(1), a), b);
}

/* One output dim; false if neither can be repeated to fit the other. */
static bool broadcast_dim(struct model *m, struct dim a, struct dim b,
			  struct dim *r)
{
	if (dim_known(a) && a.n == 1)
		*r = b;
	else if ((dim_known(b) && b.n == 1) || dim_equal(a, b))
		*r = a;
	else if (dim_known(a) && dim_known(b))
		return false;
	else if (dim_known(a)) /* b is 1 or the same */
		*r = a;
	else if (dim_known(b))
		*r = b;
	else if (covers(m, a, b))
		*r = a;
	else if (covers(m, b, a))
		*r = b;
	else
		*r = dim_none();
	r->denotation = 0;
	return true;
}

enum status infer_broadcast_dims(struct node *n, const struct dim *a, int ra,
				 const struct dim *b, int rb, int *rank,
				 struct dim **dim)
{
	int r = ra > rb ? ra : rb;
	struct dim *d = dims_new(n, (size_t)r);

	for (int i = 0; i < r; i++) {
		struct dim x = i < r - ra ? dim_of(1) : a[i - (r - ra)];
		struct dim y = i < r - rb ? dim_of(1) : b[i - (r - rb)];

		if (!broadcast_dim(node_model(n), x, y, &d[i]))
			return infer_error(n, E_shape,
					   "sizes %lld and %lld do not "
					   "broadcast at axis %d of %d",
					   (long long)x.n, (long long)y.n, i,
					   r);
	}
	*rank = r;
	*dim = d;
	return OK;
}

enum status broadcast_types(struct node *n, const uint32_t *in, size_t nin,
			    int *rank, struct dim **dim)
{
	enum status st = OK;
	int r = 0, rx;

	*rank = 0;
	*dim = dims_new(n, 0);
	for (size_t i = 0; i < nin && !st; i++) {
		const struct dim *x = in_dims(n, in[i], &rx);

		if (!x) {
			*rank = -1;
			return OK;
		}
		st = infer_broadcast_dims(n, *dim, r, x, rx, &r, dim);
	}
	*rank = r;
	return st;
}

/* ---- joining ---- */

/* One level; elem is the joined element type. */
static const struct type *join_level(struct model *m, const struct type *a,
				     const struct type *b)
{
	struct dim *d;
	enum dtype dt = a->dt == b->dt ? a->dt : DT_NONE;

	if (a->rank != b->rank || a->rank < 0)
		return type_tensor(m, dt, -1, NULL);
	d = arena_array(&m->arena, a->rank ? (size_t)a->rank : 1, sizeof(*d));
	for (int i = 0; i < a->rank; i++)
		d[i] = dim_equal(a->dim[i], b->dim[i]) ? a->dim[i] : dim_none();
	return type_tensor(m, dt, a->rank, d);
}

const struct type *type_join(struct model *m, const struct type *a,
			     const struct type *b)
{
	const struct type *ea = a, *eb = b, *r;
	VEC(const struct type *) outer = {0};

	if (a == b)
		return a;
	while (ea->elem && eb->elem && ea->kind == eb->kind &&
	       ea->dt == eb->dt) {
		vec_push(&outer, ea);
		ea = ea->elem;
		eb = eb->elem;
	}
	if (ea == eb)
		r = ea;
	else if (ea->kind == TY_TENSOR && eb->kind == TY_TENSOR)
		r = join_level(m, ea, eb);
	else
		r = type_unknown();
	while (outer.n) {
		const struct type *o = vec_pop(&outer);

		r = type_of_elem(m, o->kind, o->dt, r);
	}
	vec_release(&outer);
	return r;
}
