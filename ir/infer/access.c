/* SPDX-License-Identifier: MIT */
/*
 * access.c -- what shape functions read their inputs and attributes with.
 *
 * Every accessor takes any index: an input that is left out or has another
 * kind of type is unknown.
 */
#include <string.h>

#include "ir/infer/infer.h"

struct model *node_model(const struct node *n)
{
	return n->graph->model;
}

struct dim dim_none(void)
{
	return (struct dim){.n = DIM_UNKNOWN};
}

void *scratch(const struct node *n, size_t count, size_t size)
{
	struct model *m = node_model(n);

	return arena_array(m->infer ? &m->infer->scratch : &m->arena,
			   count ? count : 1, size);
}

bool data_budget(const struct model *m, int64_t count)
{
	struct infer *s = m->infer;

	if (!s)
		return true;
	if (s->ndata > INFER_DATA_BUDGET - (uint64_t)count)
		return false;
	s->ndata += (uint64_t)count;
	return true;
}

static struct value *input(const struct node *n, uint32_t i)
{
	return i < n->nin ? n->in[i].v : NULL;
}

bool in_given(const struct node *n, uint32_t i)
{
	return input(n, i) != NULL;
}

const struct type *in_type(const struct node *n, uint32_t i)
{
	const struct value *v = input(n, i);

	return v ? v->type : type_unknown();
}

const struct dim *in_dims(const struct node *n, uint32_t i, int *rank)
{
	static const struct dim none;
	const struct type *t = in_type(n, i);

	if (t->kind != TY_TENSOR || t->rank < 0 || t->rank > INFER_MAX_RANK)
		return NULL;
	*rank = t->rank;
	return t->rank ? t->dim : &none;
}

bool in_rank(const struct node *n, uint32_t i, int *rank)
{
	return in_dims(n, i, rank) != NULL;
}

enum dtype in_dtype(const struct node *n, uint32_t i)
{
	const struct type *t = in_type(n, i);

	return t->kind == TY_TENSOR ? t->dt : DT_NONE;
}

const struct tensor *in_const(const struct node *n, uint32_t i)
{
	const struct value *v = input(n, i);

	return v ? v->konst : NULL;
}

static bool integral(enum dtype dt)
{
	char k = dt ? dtype_kind(dt) : 's';

	return k == 'i' || k == 'u' || k == 'b';
}

/* The elements of a constant, kept on the value. */
static void note_const(struct model *m, struct value *v)
{
	const struct tensor *t = v->konst;
	struct dim *d;

	if (t->n > INFER_MAX_DATA || !data_budget(m, t->n) ||
	    !integral(t->dt) || t->sparse_indices ||
	    (t->n && !tensor_data(m, t)))
		return;
	d = arena_array(&m->arena, t->n ? (size_t)t->n : 1, sizeof(*d));
	for (int64_t i = 0; i < t->n; i++)
		d[i] = dim_num(m, tensor_int(m, t, i));
	v->data = d;
	v->ndata = (uint32_t)t->n;
}

bool in_data(const struct node *n, uint32_t i, const struct dim **d,
	     uint32_t *count)
{
	struct value *v = input(n, i);

	if (v && !v->data && v->konst)
		note_const(node_model(n), v);
	if (!v || !v->data)
		return false;
	*d = v->data;
	*count = v->ndata;
	return true;
}

static struct dim real_dim(struct model *m, double v)
{
	v *= INFER_UNIT;
	if (!(v > -9e15 && v < 9e15) || v != (double)(int64_t)v)
		return dim_none();
	return dim_num(m, (int64_t)v);
}

static void note_reals(struct model *m, struct value *v)
{
	const struct tensor *t = v->konst;
	struct dim *d;

	if (t->n > INFER_MAX_REALS || (t->dt != DT_F32 && t->dt != DT_F64) ||
	    !data_budget(m, t->n) || t->sparse_indices ||
	    (t->n && !tensor_data(m, t)))
		return;
	d = arena_array(&m->arena, t->n ? (size_t)t->n : 1, sizeof(*d));
	for (int64_t i = 0; i < t->n; i++)
		d[i] = real_dim(m, tensor_float(m, t, i));
	v->real = d;
	v->nreal = (uint32_t)t->n;
}

bool in_real(const struct node *n, uint32_t i, const struct dim **d,
	     uint32_t *count)
{
	struct value *v = input(n, i);

	if (v && !v->real && v->konst)
		note_reals(node_model(n), v);
	if (!v || !v->real)
		return false;
	*d = v->real;
	*count = v->nreal;
	return true;
}

bool in_ints(const struct node *n, uint32_t i, const int64_t **v,
	     uint32_t *count)
{
	struct model *m = node_model(n);
	const struct dim *d;
	int64_t *r;

	if (!in_data(n, i, &d, count))
		return false;
	r = scratch(n, *count ? *count : 1, sizeof(*r));
	for (uint32_t k = 0; k < *count; k++)
		if (!dim_number(m, d[k], &r[k]))
			return false;
	*v = r;
	return true;
}

bool in_length(const struct node *n, uint32_t i, uint32_t *count)
{
	const struct type *t = in_type(n, i);
	int64_t c;

	if (t->rank > 1 || !type_count(t, &c) || c > INFER_MAX_DATA)
		return false;
	*count = (uint32_t)c;
	return true;
}

/* ---- dims ---- */

struct dim *dims_new(const struct node *n, size_t rank)
{
	return scratch(n, rank ? rank : 1, sizeof(struct dim));
}

struct dim *dims_copy(const struct node *n, const struct dim *d, size_t rank)
{
	struct dim *r = dims_new(n, rank);

	for (size_t i = 0; i < rank; i++)
		r[i] = d[i];
	return r;
}

struct dim infer_product(struct model *m, const struct dim *d, size_t from,
			 size_t to)
{
	struct dim r = dim_of(1);

	for (size_t i = from; i < to; i++)
		if (dim_known(d[i]) && d[i].n == 0)
			return dim_of(0);
	for (size_t i = from; i < to; i++)
		r = dim_mul(m, r, d[i]);
	return r;
}

bool dim_join(struct dim a, struct dim b, struct dim *r)
{
	if (dim_known(a) && dim_known(b) && a.n != b.n)
		return false;
	*r = dim_unknown(a) || (dim_known(b) && !dim_known(a)) ? b : a;
	return true;
}

/* ---- axes ---- */

enum status axis_check(const struct node *n, int64_t axis, int rank, int *out)
{
	if (axis < -(int64_t)rank || axis >= rank)
		return infer_error(n, E_shape,
				   "axis %lld is out of range for rank %d",
				   (long long)axis, rank);
	*out = (int)(axis < 0 ? axis + rank : axis);
	return OK;
}

enum status axis_attr(const struct node *n, const char *name, int64_t dflt,
		      int rank, int *axis)
{
	return axis_check(n, node_attr_int(n, name, dflt), rank, axis);
}

enum status axes_of(const struct node *n, const char *name, uint32_t in,
		    int rank, bool *known, const int **axes, size_t *count)
{
	const int64_t *v = node_attr_ints(n, name, count);
	uint32_t k = 0;
	int *r;

	*known = true;
	if (!v && in != ARITY_ANY && in_given(n, in)) {
		*known = in_ints(n, in, &v, &k);
		*count = k;
		if (!*known)
			return OK;
	}
	if (!v)
		*count = 0;
	r = scratch(n, *count ? *count : 1, sizeof(*r));
	for (size_t i = 0; i < *count; i++) {
		enum status st = axis_check(n, v[i], rank, &r[i]);

		if (st)
			return st;
	}
	*axes = r;
	return OK;
}
