/* SPDX-License-Identifier: MIT */
/*
 * scatter.c -- operators that write by index: Scatter, ScatterElements,
 * ScatterND, TensorScatter, OneHot.
 *
 * Updates are applied in their order, so that repeated indices have one
 * result.
 */
#include <string.h>

#include "runtime/kernels/shared/index_p.h"
#include "runtime/kernels/shared/lanes_p.h"
#include "runtime/kernels/shared/move_p.h"

enum reduction { R_NONE, R_ADD, R_MUL, R_MAX, R_MIN };

static enum status read_reduction(struct kcall *c, enum reduction *r)
{
	static const char *const names[] = {"none", "add", "mul", "max", "min"};
	struct str s = node_attr_str(c->node, "reduction", "none");

	for (size_t i = 0; i < countof(names); i++)
		if (str_is(s, names[i])) {
			*r = (enum reduction)i;
			return OK;
		}
	return kcall_error(c, E_attr, "reduction is not one that ONNX names");
}

static double combine_f(enum reduction r, double a, double b)
{
	switch (r) {
	case R_ADD:
		return a + b;
	case R_MUL:
		return a * b;
	case R_MAX:
		return a > b || a != a ? a : b;
	case R_MIN:
		return a < b || a != a ? a : b;
	default:
		return b;
	}
}

static int64_t combine_i(enum reduction r, int64_t a, int64_t b, bool u64)
{
	bool less = u64 ? (uint64_t)a < (uint64_t)b : a < b;

	switch (r) {
	case R_ADD:
		return (int64_t)((uint64_t)a + (uint64_t)b);
	case R_MUL:
		return (int64_t)((uint64_t)a * (uint64_t)b);
	case R_MAX:
		return less ? b : a;
	case R_MIN:
		return less ? a : b;
	default:
		return b;
	}
}

/* Sums and products of complex numbers, stored as pairs. */
static void combine_c(struct array *y, size_t i, enum reduction r,
		      const struct array *u, size_t k)
{
	enum dtype dt = y->dt == DT_C64 ? DT_F32 : DT_F64;
	double a = dtype_get(dt, y->data, 2 * i);
	double b = dtype_get(dt, y->data, 2 * i + 1);
	double p = dtype_get(dt, u->data, 2 * k);
	double q = dtype_get(dt, u->data, 2 * k + 1);
	bool add = r == R_ADD;

	dtype_set(dt, y->data, 2 * i, add ? a + p : a * p - b * q);
	dtype_set(dt, y->data, 2 * i + 1, add ? b + q : a * q + b * p);
}

static void combine(struct array *y, int64_t at, enum reduction r,
		    const struct array *u, int64_t from)
{
	size_t i = (size_t)at, k = (size_t)from;

	if (dtype_kind(y->dt) == 'c')
		combine_c(y, i, r, u, k);
	else if (dtype_is_float(y->dt))
		dtype_set(y->dt, y->data, i,
			  combine_f(r, dtype_get(y->dt, y->data, i),
				    dtype_get(u->dt, u->data, k)));
	else
		dtype_set_int(y->dt, y->data, i,
			      combine_i(r, dtype_get_int(y->dt, y->data, i),
					dtype_get_int(u->dt, u->data, k),
					y->dt == DT_U64));
}

/* Output 0 for input 0 to be changed: in place, unless another input is the
 * same array, which has to stay as it is. */
static struct array *changed(struct kcall *c)
{
	const struct array *x = c->in[0];

	for (uint32_t j = 1; j < c->nin; j++)
		if (c->in[j] == x)
			return kcall_out(c, 0, x->dt, x->rank, x->dim);
	return kcall_inplace(c, 0, 0);
}

/* Output 0 as a private copy of input 0, and the reduction's demands. */
static enum status start(struct kcall *c, enum reduction *r, struct array **y,
			 uint32_t updates)
{
	const struct array *x = c->in[0];
	enum lane l;
	enum status st = read_reduction(c, r);

	if (!st && c->in[updates]->dt != x->dt)
		st = kcall_error(c, E_type, "updates of another type");
	if (!st && *r != R_NONE && !lane_of(x->dt, &l) &&
	    !(dtype_kind(x->dt) == 'c' && (*r == R_ADD || *r == R_MUL)))
		st = kcall_error(c, E_type, "cannot reduce type %s",
				 dtype_name(x->dt));
	/* Sub-byte elements share bytes: single bits are set by value. */
	if (!st && dtype_bits(x->dt) < 8 && x->dt != DT_STRING &&
	    *r == R_NONE && !lane_of(x->dt, &l))
		st = kcall_error(c, E_type, "elements of type %s",
				 dtype_name(x->dt));
	if (st)
		return st;
	*y = changed(c);
	if (!*y)
		return LIMIT;
	if ((*y)->data != x->data && x->bytes)
		memcpy((*y)->data, x->data, x->bytes);
	return OK;
}

static bool by_bytes(const struct array *a, enum reduction r)
{
	return r == R_NONE && (a->dt == DT_STRING || dtype_bits(a->dt) >= 8);
}

enum status k_scatter_elements(struct kcall *c)
{
	const struct array *u;
	enum reduction r;
	struct along w;
	struct array *y;
	size_t es;
	enum status st = along_prepare(c, &w, 0, 1);

	u = c->in[2];
	if (!st && !array_same_dims(u, c->in[1]))
		st = kcall_error(c, E_shape, "updates and indices differ");
	if (!st)
		st = start(c, &r, &y, 2);
	if (st)
		return st;
	es = elem_size(y->dt);
	for (int64_t i = 0; i < u->n; i++) {
		int64_t at = along_next(&w, i);

		if (by_bytes(y, r))
			memcpy((char *)y->data + (size_t)at * es,
			       (const char *)u->data + (size_t)i * es, es);
		else
			combine(y, at, r, u, i);
	}
	return OK;
}

static enum status nd_shape(struct kcall *c, const struct tuples *t)
{
	const struct array *x = c->in[0], *ix = c->in[1], *u = c->in[2];
	bool ok = u->rank == ix->rank - 1 + x->rank - t->k;

	for (int i = 0; ok && i < ix->rank - 1; i++)
		ok = u->dim[i] == ix->dim[i];
	for (int i = t->k; ok && i < x->rank; i++)
		ok = u->dim[ix->rank - 1 + i - t->k] == x->dim[i];
	return ok ? OK
		  : kcall_error(c, E_shape, "updates do not fit the indices");
}

enum status k_scatter_nd(struct kcall *c)
{
	struct array *y, *u = c->in[2];
	enum reduction r;
	struct tuples t;
	size_t es;
	int64_t pos;
	enum status st = tuple_prepare(c, &t, 0, 1, 0);

	if (!st)
		st = nd_shape(c, &t);
	for (int64_t i = 0; !st && i < t.n; i++)
		if (!tuple_at(&t, i, &pos))
			st = kcall_error(c, E_value,
					 "index %lld is out of range",
					 (long long)i);
	if (!st)
		st = start(c, &r, &y, 2);
	if (st || y->n == 0 || u->n == 0)
		return st;
	es = elem_size(y->dt);
	for (int64_t i = 0; i < t.n; i++) {
		tuple_at(&t, i, &pos);
		if (by_bytes(y, r))
			memcpy((char *)y->data + (size_t)pos * es,
			       (const char *)u->data +
				       (size_t)(i * t.slice) * es,
			       (size_t)t.slice * es);
		else
			for (int64_t k = 0; k < t.slice; k++)
				combine(y, pos + k, r, u, i * t.slice + k);
	}
	return OK;
}

/* ---- TensorScatter ---- */

struct cache {
	int64_t len, more;           /* positions; of the update */
	int64_t batch, outer, inner; /* axes before (batch first) and after */
	const int64_t *at;           /* first position, per batch; or NULL */
	bool circular;
};

/* The first position of each batch, made to lie within the cache. */
static enum status cache_starts(struct kcall *c, struct cache *t)
{
	const int64_t *v;
	int64_t *at;
	size_t n;
	enum status st = kcall_ints(c, 2, &v, &n);

	if (st || !v)
		return st;
	if (n != (size_t)t->batch)
		return kcall_error(c, E_shape, "%zu indices for %lld batches",
				   n, (long long)t->batch);
	at = kcall_scratch(c, n * sizeof *at);
	if (!at)
		return LIMIT;
	for (size_t i = 0; i < n; i++) {
		at[i] = t->circular ? 0 : v[i];
		if (t->circular && t->len > 0)
			at[i] = (v[i] % t->len + t->len) % t->len;
		else if (!t->circular && (v[i] < 0 || v[i] > t->len - t->more))
			return kcall_error(c, E_value,
					   "index %lld of %lld, %lld are "
					   "written",
					   (long long)v[i], (long long)t->len,
					   (long long)t->more);
	}
	t->at = at;
	return OK;
}

static enum status cache_init(struct kcall *c, struct cache *t)
{
	const struct array *x = c->in[0], *u = c->in[1];
	struct str mode = node_attr_str(c->node, "mode", "linear");
	int axis;
	enum status st;

	t->circular = str_is(mode, "circular");
	if (!t->circular && !str_is(mode, "linear"))
		return kcall_error(c, E_value, "attribute mode is '%.*s'",
				   (int)mode.n, mode.p);
	st = kcall_axis(c, node_attr_int(c->node, "axis", -2), x->rank, &axis);
	if (st)
		return st;
	if (axis == 0)
		return kcall_error(c, E_value, "axis 0 is the batch");
	if (u->rank != x->rank)
		return kcall_error(c, E_shape, "an update of rank %d for %d",
				   u->rank, x->rank);
	for (int i = 0; i < x->rank; i++)
		if (i == axis ? u->dim[i] > x->dim[i] : u->dim[i] != x->dim[i])
			return kcall_error(c, E_shape,
					   "the update has %lld along axis %d "
					   "of %lld",
					   (long long)u->dim[i], i,
					   (long long)x->dim[i]);
	t->len = x->dim[axis];
	t->more = u->dim[axis];
	t->batch = x->dim[0];
	t->outer = dims_product(x, 1, axis);
	t->inner = dims_product(x, axis + 1, x->rank);
	return cache_starts(c, t);
}

static void cache_write(const struct cache *t, const struct elems *u,
			const struct elems *y)
{
	size_t part = (size_t)t->inner * y->size;

	for (int64_t o = 0; o < t->batch * t->outer; o++)
		for (int64_t i = 0; i < t->more; i++) {
			int64_t at = t->at ? t->at[o / t->outer] : 0;

			/* Both are at most len. */
			at = at < t->len - i ? at + i : at - (t->len - i);
			memcpy(y->p + (size_t)(o * t->len + at) * part,
			       u->p + (size_t)(o * t->more + i) * part, part);
		}
}

enum status k_tensor_scatter(struct kcall *c)
{
	const struct array *x = c->in[0];
	struct elems in, u, out;
	struct cache t = {0};
	struct array *y;
	enum status st = OK;

	if (c->in[1]->dt != x->dt)
		st = kcall_error(c, E_type, "an update of another type");
	if (!st)
		st = cache_init(c, &t);
	if (!st)
		st = elems_in(c, x, &in);
	if (!st)
		st = elems_in(c, c->in[1], &u);
	if (st)
		return st;
	y = changed(c);
	if (!y)
		return LIMIT;
	st = elems_out(c, y, &out);
	if (st)
		return st;
	if (out.p != in.p && y->n)
		memcpy(out.p, in.p, (size_t)y->n * in.size);
	if (c->in[1]->n)
		cache_write(&t, &u, &out);
	elems_done(&out);
	return OK;
}

/* ---- OneHot ---- */

static enum status one_hot_dims(struct kcall *c, int *axis, int64_t *dim)
{
	const struct array *ix = c->in[0], *d = c->in[1];
	int64_t depth;
	enum status st = move_rank(c, ix->rank + 1);

	if (!st)
		st = kcall_axis(c, node_attr_int(c->node, "axis", -1),
				ix->rank + 1, axis);
	if (st)
		return st;
	if (d->n != 1 || d->dt == DT_STRING || dtype_kind(d->dt) == 'c' ||
	    c->in[2]->n != 2 || ix->dt == DT_STRING ||
	    dtype_kind(ix->dt) == 'c')
		return kcall_error(c, E_type, "depth or values do not fit");
	depth = dtype_is_float(d->dt) ? -1 : dtype_get_int(d->dt, d->data, 0);
	if (dtype_is_float(d->dt)) {
		double v = dtype_get(d->dt, d->data, 0);

		depth = v >= 0 && v < 0x1p53 ? (int64_t)v : -1;
	}
	if (depth < 0)
		return kcall_error(c, E_value, "depth %lld", (long long)depth);
	for (int i = 0, k = 0; i <= ix->rank; i++)
		dim[i] = i == *axis ? depth : ix->dim[k++];
	return OK;
}

static int64_t index_of(const struct array *a, int64_t i)
{
	double v;

	if (!dtype_is_float(a->dt))
		return dtype_get_int(a->dt, a->data, (size_t)i);
	v = dtype_get(a->dt, a->data, (size_t)i);
	return v > -0x1p53 && v < 0x1p53 ? (int64_t)v : INT64_MIN;
}

enum status k_one_hot(struct kcall *c)
{
	const struct array *ix = c->in[0], *val = c->in[2];
	int64_t dim[KERNEL_MAX_RANK], inner, at;
	struct elems v, out;
	struct array *y;
	int axis;
	enum status st = one_hot_dims(c, &axis, dim);

	if (!st)
		st = elems_in(c, val, &v);
	if (!st)
		st = move_out(c, 0, val->dt, ix->rank + 1, dim, &y, &out);
	if (st || y->n == 0)
		return st;
	for (int64_t i = 0; i < y->n; i++)
		memcpy(out.p + (size_t)i * v.size, v.p, v.size);
	inner = dims_product(ix, axis, ix->rank);
	for (int64_t i = 0; i < ix->n; i++) {
		int64_t o = i / inner, k = i % inner;

		/* Out of range: all off. */
		if (!index_fix(index_of(ix, i), dim[axis], &at))
			continue;
		memcpy(out.p + (size_t)((o * dim[axis] + at) * inner + k) *
				       v.size,
		       v.p + v.size, v.size);
	}
	elems_done(&out);
	return OK;
}
