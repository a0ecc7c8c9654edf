/* SPDX-License-Identifier: MIT */
/*
 * gather.c -- operators that read by index: Gather, GatherElements, GatherND,
 * Compress, ReverseSequence.
 *
 * Every index is checked before it is used.
 */
#include <stdlib.h>
#include <string.h>

#include "runtime/kernels/shared/index_p.h"
#include "runtime/kernels/shared/move_p.h"

enum status index_read(struct kcall *c, uint32_t j, const int64_t **v)
{
	const struct array *a = c->in[j];
	int64_t *copy;

	if (a->dt == DT_I64) {
		*v = a->data;
		return OK;
	}
	if (dtype_kind(a->dt) != 'i' && dtype_kind(a->dt) != 'u')
		return kcall_error(c, E_type, "indices of type %s",
				   dtype_name(a->dt));
	copy = kcall_scratch(c, (size_t)a->n * sizeof *copy);
	if (!copy)
		return LIMIT;
	for (int64_t i = 0; i < a->n; i++)
		copy[i] = dtype_get_int(a->dt, a->data, (size_t)i);
	*v = copy;
	return OK;
}

enum status index_range(struct kcall *c, int64_t v, int64_t len)
{
	return kcall_error(c, E_value, "index %lld is not within %lld",
			   (long long)v, (long long)len);
}

/* ---- Gather ---- */

static enum status gather_dims(struct kcall *c, int axis, int *rank,
			       int64_t *dim)
{
	const struct array *x = c->in[0], *ix = c->in[1];

	*rank = 0;
	if (x->rank + ix->rank - 1 > KERNEL_MAX_RANK)
		return move_rank(c, KERNEL_MAX_RANK + 1);
	for (int i = 0; i < axis; i++)
		dim[(*rank)++] = x->dim[i];
	for (int i = 0; i < ix->rank; i++)
		dim[(*rank)++] = ix->dim[i];
	for (int i = axis + 1; i < x->rank; i++)
		dim[(*rank)++] = x->dim[i];
	return OK;
}

enum status k_gather(struct kcall *c)
{
	const struct array *x = c->in[0], *ix = c->in[1];
	int64_t dim[KERNEL_MAX_RANK], len, at;
	struct elems in, out;
	const int64_t *v;
	struct array *y;
	size_t row;
	int rank, axis;
	enum status st = kcall_axis(c, node_attr_int(c->node, "axis", 0),
				    x->rank, &axis);

	if (!st)
		st = gather_dims(c, axis, &rank, dim);
	if (!st)
		st = index_read(c, 1, &v);
	if (!st)
		st = elems_in(c, x, &in);
	if (st)
		return st;
	len = x->dim[axis];
	for (int64_t i = 0; i < ix->n; i++)
		if (!index_fix(v[i], len, &at))
			return index_range(c, v[i], len);
	st = move_out(c, 0, x->dt, rank, dim, &y, &out);
	if (st || y->n == 0)
		return st;
	row = (size_t)dims_product(x, axis + 1, x->rank) * in.size;
	for (int64_t o = 0; o < dims_product(x, 0, axis); o++)
		for (int64_t i = 0; i < ix->n; i++) {
			index_fix(v[i], len, &at);
			memcpy(out.p + (size_t)(o * ix->n + i) * row,
			       in.p + (size_t)(o * len + at) * row, row);
		}
	elems_done(&out);
	return OK;
}

/* ---- GatherElements ---- */

enum status along_prepare(struct kcall *c, struct along *w, uint32_t data,
			  uint32_t index)
{
	const struct array *x = c->in[data], *ix = c->in[index];
	int64_t s = 1;
	enum status st = kcall_axis(c, node_attr_int(c->node, "axis", 0),
				    x->rank, &w->axis);

	if (!st)
		st = move_rank(c, x->rank);
	if (!st)
		st = index_read(c, index, &w->index);
	if (st)
		return st;
	if (ix->rank != x->rank)
		return kcall_error(c, E_shape, "indices of rank %d for rank %d",
				   ix->rank, x->rank);
	for (int d = x->rank - 1; d >= 0; d--) {
		if (ix->dim[d] > x->dim[d] && d != w->axis)
			return kcall_error(c, E_shape,
					   "indices exceed the data along "
					   "dimension %d",
					   d);
		w->stride[d] = s;
		s *= x->dim[d] ? x->dim[d] : 1;
	}
	w->len = x->dim[w->axis];
	w->ix = ix;
	memset(w->idx, 0, sizeof w->idx);
	w->off = 0;
	for (int64_t i = 0, at; i < ix->n; i++)
		if (!index_fix(w->index[i], w->len, &at))
			return index_range(c, w->index[i], w->len);
	return OK;
}

int64_t along_next(struct along *w, int64_t i)
{
	int64_t at, pos;

	index_fix(w->index[i], w->len, &at);
	pos = w->off + at * w->stride[w->axis];
	for (int d = w->ix->rank - 1; d >= 0; d--) {
		int64_t s = d == w->axis ? 0 : w->stride[d];

		w->off += s;
		if (++w->idx[d] < w->ix->dim[d])
			break;
		w->off -= w->idx[d] * s;
		w->idx[d] = 0;
	}
	return pos;
}

enum status k_gather_elements(struct kcall *c)
{
	const struct array *x = c->in[0];
	struct elems in, out;
	struct along w;
	struct array *y;
	enum status st = along_prepare(c, &w, 0, 1);

	if (!st)
		st = elems_in(c, x, &in);
	if (!st)
		st = move_out(c, 0, x->dt, w.ix->rank, w.ix->dim, &y, &out);
	if (st)
		return st;
	for (int64_t i = 0; i < y->n; i++)
		memcpy(out.p + (size_t)i * in.size,
		       in.p + (size_t)along_next(&w, i) * in.size, in.size);
	elems_done(&out);
	return OK;
}

/* ---- GatherND ---- */

enum status tuple_prepare(struct kcall *c, struct tuples *t, uint32_t data,
			  uint32_t index, int batch)
{
	const struct array *x = c->in[data], *ix = c->in[index];
	int64_t k = ix->rank ? ix->dim[ix->rank - 1] : 0;
	enum status st = index_read(c, index, &t->index);

	if (st)
		return st;
	if (ix->rank < 1 || batch < 0 || batch >= ix->rank || batch > x->rank ||
	    k < 0 || k > x->rank - batch)
		return kcall_error(c, E_shape,
				   "indices of rank %d with %lld entries for "
				   "rank %d",
				   ix->rank, (long long)k, x->rank);
	for (int i = 0; i < batch; i++)
		if (x->dim[i] != ix->dim[i])
			return kcall_error(c, E_shape,
					   "batch dimension %d differs", i);
	t->x = x;
	t->k = (int)k;
	t->batch = batch;
	t->n = dims_product(ix, 0, ix->rank - 1);
	t->slice = dims_product(x, batch + t->k, x->rank);
	t->inner = dims_product(x, batch, x->rank);
	t->per_batch = dims_product(ix, batch, ix->rank - 1);
	return OK;
}

bool tuple_at(const struct tuples *t, int64_t i, int64_t *pos)
{
	const int64_t *v = t->index + i * t->k;
	int64_t off = 0, at;

	for (int d = 0; d < t->k; d++) {
		int64_t len = t->x->dim[t->batch + d];

		if (!index_fix(v[d], len, &at))
			return false;
		off = off * len + at;
	}
	*pos = off * t->slice;
	if (t->batch)
		*pos += i / t->per_batch * t->inner;
	return true;
}

enum status k_gather_nd(struct kcall *c)
{
	const struct array *x = c->in[0], *ix = c->in[1];
	int64_t dim[KERNEL_MAX_RANK], pos;
	int batch = (int)node_attr_int(c->node, "batch_dims", 0), rank = 0;
	struct elems in, out;
	struct tuples t;
	struct array *y;
	enum status st = tuple_prepare(c, &t, 0, 1, batch);

	if (!st)
		st = move_rank(c, x->rank + ix->rank);
	if (!st)
		st = elems_in(c, x, &in);
	if (st)
		return st;
	for (int i = 0; i < ix->rank - 1; i++)
		dim[rank++] = ix->dim[i];
	for (int i = batch + t.k; i < x->rank; i++)
		dim[rank++] = x->dim[i];
	st = move_out(c, 0, x->dt, rank, dim, &y, &out);
	if (st || y->n == 0)
		return st;
	for (int64_t i = 0; i < t.n; i++) {
		if (!tuple_at(&t, i, &pos))
			return kcall_error(c, E_value,
					   "index %lld is out of range",
					   (long long)i);
		memcpy(out.p + (size_t)(i * t.slice) * in.size,
		       in.p + (size_t)pos * in.size, (size_t)t.slice * in.size);
	}
	elems_done(&out);
	return OK;
}

/* ---- Compress ---- */

enum status k_compress(struct kcall *c)
{
	const struct array *x = c->in[0], *cond = c->in[1];
	bool flat = !node_has_attr(c->node, "axis");
	const uint8_t *keep = cond->data;
	int64_t dim[KERNEL_MAX_RANK], len, to = 0;
	int axis = 0, rank = flat ? 1 : x->rank;
	struct elems in, out;
	struct array *y;
	size_t row;
	enum status st = move_rank(c, x->rank);

	if (!st && !flat)
		st = kcall_axis(c, node_attr_int(c->node, "axis", 0), x->rank,
				&axis);
	if (!st && (cond->dt != DT_BOOL || cond->rank != 1))
		st = kcall_error(c, E_type, "the condition is no bool list");
	if (!st)
		st = elems_in(c, x, &in);
	if (st)
		return st;
	len = flat ? x->n : x->dim[axis];
	if (!flat)
		memcpy(dim, x->dim, (size_t)rank * sizeof *dim);
	dim[axis] = 0;
	for (int64_t i = 0; i < len && i < cond->n; i++)
		dim[axis] += keep[i] != 0;
	st = move_out(c, 0, x->dt, rank, dim, &y, &out);
	if (st || y->n == 0)
		return st;
	row = (size_t)(flat ? 1 : dims_product(x, axis + 1, rank)) * in.size;
	for (int64_t o = 0; o < (flat ? 1 : dims_product(x, 0, axis)); o++)
		for (int64_t i = 0; i < len && i < cond->n; i++)
			if (keep[i])
				memcpy(out.p + (size_t)to++ * row,
				       in.p + (size_t)(o * len + i) * row, row);
	elems_done(&out);
	return OK;
}

/* ---- ReverseSequence ---- */

enum status k_reverse_sequence(struct kcall *c)
{
	const struct array *x = c->in[0];
	int64_t time = node_attr_int(c->node, "time_axis", 0);
	int64_t batch = node_attr_int(c->node, "batch_axis", 1);
	struct elems in, out;
	const int64_t *len;
	struct array *y;
	int64_t rows;
	size_t n, row;
	enum status st = kcall_ints(c, 1, &len, &n);

	if (st)
		return st;
	if (x->rank < 2 || time + batch != 1 || time * batch != 0 ||
	    n != (size_t)x->dim[batch])
		return kcall_error(c, E_value, "axes or lengths do not fit");
	for (size_t i = 0; i < n; i++)
		if (len[i] < 0 || len[i] > x->dim[time])
			return index_range(c, len[i], x->dim[time]);
	st = elems_in(c, x, &in);
	if (!st)
		st = move_out(c, 0, x->dt, x->rank, x->dim, &y, &out);
	if (st)
		return st;
	rows = x->dim[0] * x->dim[1];
	row = (size_t)dims_product(x, 2, x->rank) * in.size;
	for (int64_t r = 0; x->n && r < rows; r++) {
		int64_t i = r / x->dim[1], k = r % x->dim[1];
		int64_t t = time == 0 ? i : k, b = time == 0 ? k : i;
		int64_t s = t < len[b] ? len[b] - 1 - t : t;
		int64_t from =
			time == 0 ? s * x->dim[1] + b : b * x->dim[1] + s;

		memcpy(out.p + (size_t)r * row, in.p + (size_t)from * row, row);
	}
	elems_done(&out);
	return OK;
}
