/* SPDX-License-Identifier: MIT */
/*
 * build.c -- tensors put together or made from numbers: Concat, Expand, Tile,
 * Pad, Range, Shape, ConstantOfShape, OneHot, and the like.
 */
#include "ir/infer/infer.h"

/* ---- Concat ---- */

static enum status join_shape(struct node *n, uint32_t i, int axis,
			      const struct dim *x, int rank, struct dim *d)
{
	for (int k = 0; k < rank; k++)
		if (k != axis && !dim_join(d[k], x[k], &d[k]))
			return infer_error(n, E_shape,
					   "input %u has size %lld at axis "
					   "%d, the others have %lld",
					   (unsigned)i, (long long)x[k].n, k,
					   (long long)d[k].n);
	return OK;
}

/* Inputs from `first` on, every `step`-th, joined along the axis. */
static enum status concat(struct node *n, uint32_t first, uint32_t step,
			  int64_t axis_given)
{
	struct model *m = node_model(n);
	struct dim *d = NULL, sum = dim_of(0);
	int rank = -1, r, axis = 0;
	enum status st;

	for (uint32_t i = first; i < n->nin; i += step) {
		const struct dim *x = in_dims(n, i, &r);

		if (!x) {
			sum = dim_none();
			continue;
		}
		if (rank < 0) {
			st = axis_check(n, axis_given, r, &axis);
			if (st)
				return st;
			rank = r;
			d = dims_copy(n, x, (size_t)r);
		}
		if (r != rank)
			return infer_error(n, E_shape,
					   "input %u has rank %d, the first "
					   "has rank %d",
					   (unsigned)i, r, rank);
		st = join_shape(n, i, axis, x, r, d);
		if (st)
			return st;
		sum = dim_add(m, sum, x[axis]);
	}
	if (rank < 0)
		return OK;
	d[axis] = sum;
	return out_shape(n, 0, rank, d);
}

enum status infer_concat(struct node *n)
{
	return concat(n, 0, 1, node_attr_int(n, "axis", 1));
}

enum status infer_qlinear_concat(struct node *n)
{
	if (in_dtype(n, 1)) {
		enum status st = out_dtype(n, 0, in_dtype(n, 1));

		if (st)
			return st;
	}
	return concat(n, 2, 3, node_attr_int(n, "axis", 1));
}

/* ---- sizes from data ---- */

/* Elements that are sizes; E-shape for a negative number. */
static enum status sizes(struct node *n, const struct dim *v, uint32_t count,
			 struct dim **out)
{
	struct dim *d = dims_copy(n, v, count);

	for (uint32_t i = 0; i < count; i++) {
		int64_t x;

		if (dim_number(node_model(n), v[i], &x) && x < 0)
			return infer_error(n, E_shape, "size %lld at axis %u",
					   (long long)x, (unsigned)i);
	}
	*out = d;
	return OK;
}

enum status infer_constant_of_shape(struct node *n)
{
	const struct tensor *t = node_attr_tensor(n, "value");
	const struct dim *v;
	struct dim *d;
	uint32_t count;
	enum status st = out_dtype(n, 0, t ? t->dt : DT_F32);

	if (st)
		return st;
	if (!in_data(n, 0, &v, &count)) {
		if (in_length(n, 0, &count) && count <= INFER_MAX_RANK)
			return out_rank(n, 0, (int)count);
		return OK;
	}
	if (count > INFER_MAX_RANK)
		return infer_error(n, E_shape, "rank %u is too large",
				   (unsigned)count);
	st = sizes(n, v, count, &d);
	return st ? st : out_shape(n, 0, (int)count, d);
}

/* The shape to expand to may name sizes of 1 for dims to keep. */
enum status infer_expand(struct node *n)
{
	const struct dim *v, *x;
	struct dim *d, *s;
	uint32_t count;
	int rank, r;
	enum status st;

	x = in_dims(n, 0, &rank);
	if (!x)
		return OK;
	if (!in_data(n, 1, &v, &count)) {
		if (!in_length(n, 1, &count) || count > INFER_MAX_RANK)
			return OK;
		r = (int)count > rank ? (int)count : rank;
		s = dims_new(n, (size_t)r);
		for (int i = 0; i < r; i++) {
			int k = i - (r - rank);
			bool stays = i < r - (int)count ||
				     (dim_known(x[k >= 0 ? k : 0]) &&
				      x[k >= 0 ? k : 0].n != 1);

			s[i] = k >= 0 && stays ? x[k] : dim_none();
		}
		return out_shape(n, 0, r, s);
	}
	if (count > INFER_MAX_RANK)
		return OK;
	st = sizes(n, v, count, &s);
	if (!st)
		st = infer_broadcast_dims(n, x, rank, s, (int)count, &r, &d);
	return st ? st : out_shape(n, 0, r, d);
}

static struct dim times(struct model *m, struct dim size, struct dim k)
{
	int64_t v;

	if (dim_number(m, k, &v) && v < 0)
		return dim_none();
	return dim_mul(m, size, k);
}

enum status infer_tile(struct node *n)
{
	struct model *m = node_model(n);
	const struct dim *v;
	struct dim *d;
	uint32_t count;
	int rank;
	const struct dim *x = in_dims(n, 0, &rank);

	if (!x)
		return OK;
	if (!in_data(n, 1, &v, &count))
		return out_rank(n, 0, rank);
	if (count != (uint32_t)rank)
		return infer_error(n, E_shape, "%u repeats for rank %d",
				   (unsigned)count, rank);
	d = dims_new(n, (size_t)rank);
	for (int i = 0; i < rank; i++)
		d[i] = times(m, x[i], v[i]);
	return out_shape(n, 0, rank, d);
}

/* Version 1: input 1 is the count, input 2 the axis. */
enum status infer_tile_old(struct node *n)
{
	const struct dim *k;
	const int64_t *axis;
	uint32_t count, naxis;
	int rank, a;
	const struct dim *x = in_dims(n, 0, &rank);
	struct dim *d;
	enum status st;

	if (!x)
		return OK;
	if (!in_data(n, 1, &k, &count) || !in_ints(n, 2, &axis, &naxis) ||
	    count != 1 || naxis != 1)
		return out_rank(n, 0, rank);
	st = axis_check(n, axis[0], rank, &a);
	if (st)
		return st;
	d = dims_copy(n, x, (size_t)rank);
	d[a] = times(node_model(n), x[a], k[0]);
	return out_shape(n, 0, rank, d);
}

/* ---- Pad ---- */

static enum status pad(struct node *n, const struct dim *x, int rank,
		       const struct dim *pads, uint32_t count, const int *axes,
		       size_t naxes)
{
	struct model *m = node_model(n);
	struct dim *d = dims_copy(n, x, (size_t)rank);

	if (count != 2 * naxes)
		return infer_error(n, E_shape, "%u pads for %zu axes",
				   (unsigned)count, naxes);
	for (size_t i = 0; i < naxes; i++) {
		struct dim both = dim_add(m, pads[i], pads[i + naxes]);
		int64_t v;
		int k = axes[i];

		d[k] = dim_add(m, x[k], both);
		if (dim_number(m, d[k], &v) && v < 0)
			return infer_error(n, E_shape,
					   "pads leave size %lld at axis %d",
					   (long long)v, k);
	}
	return out_shape(n, 0, rank, d);
}

static const int *all_axes(struct node *n, int rank)
{
	int *axes = scratch(n, (size_t)rank + 1, sizeof(*axes));

	for (int i = 0; i < rank; i++)
		axes[i] = i;
	return axes;
}

enum status infer_pad(struct node *n)
{
	const struct dim *pads;
	const int *axes;
	size_t naxes;
	uint32_t count;
	bool known = true;
	int rank;
	const struct dim *x = in_dims(n, 0, &rank);

	if (!x)
		return OK;
	if (!in_data(n, 1, &pads, &count))
		return out_rank(n, 0, rank);
	if (in_given(n, 3)) {
		enum status st = axes_of(n, "", 3, rank, &known, &axes, &naxes);

		if (st)
			return st;
	} else {
		axes = all_axes(n, rank);
		naxes = (size_t)rank;
	}
	if (!known)
		return out_rank(n, 0, rank);
	return pad(n, x, rank, pads, count, axes, naxes);
}

enum status infer_pad_old(struct node *n)
{
	size_t count;
	const int64_t *v = node_attr_ints(
		n, n->op->since < 2 ? "paddings" : "pads", &count);
	int rank;
	const struct dim *x = in_dims(n, 0, &rank);
	struct dim *d = dims_new(n, count);

	if (!x || !v)
		return OK;
	for (size_t i = 0; i < count; i++)
		d[i] = dim_num(node_model(n), v[i]);
	return pad(n, x, rank, d, (uint32_t)count, all_axes(n, rank),
		   (size_t)rank);
}

/* ---- numbers from nothing ---- */

static bool float_input(struct node *n, uint32_t i, double *v)
{
	const struct tensor *t = in_const(n, i);

	if (!t || t->n != 1 || !dtype_is_float(t->dt) ||
	    !tensor_data(node_model(n), t))
		return false;
	*v = tensor_float(node_model(n), t, 0);
	return true;
}

enum status infer_range(struct node *n)
{
	struct model *m = node_model(n);
	const struct dim *v[3];
	struct dim d = dim_none();
	double f[3];
	uint32_t count;
	bool ints = true, floats = true, reals = true;

	for (uint32_t i = 0; i < 3; i++) {
		ints = ints && in_data(n, i, &v[i], &count) && count == 1;
		floats = floats && float_input(n, i, &f[i]);
	}
	for (uint32_t i = 0; i < 3 && !ints && !floats; i++)
		reals = reals && in_real(n, i, &v[i], &count) && count == 1;
	if (ints || (!floats && reals)) {
		d = dim_ceildiv(m, dim_sub(m, v[1][0], v[0][0]), v[2][0]);
		d = dim_max(m, dim_of(0), d);
	} else if (floats && f[2] != 0) {
		double k = (f[1] - f[0]) / f[2];

		if (k > -1e18 && k < 1e18) {
			int64_t c = (int64_t)k;

			c += (double)c < k;
			d = dim_of(c > 0 ? c : 0);
		}
	}
	return out_shape(n, 0, 1, &d);
}

/* start and end of Shape for a rank; clamped as the operator says. */
static void shape_range(const struct node *n, int rank, int64_t *from,
			int64_t *to)
{
	*from = node_attr_int(n, "start", 0);
	*to = node_attr_int(n, "end", rank);
	*from += *from < 0 ? rank : 0;
	*to += *to < 0 ? rank : 0;
	*from = *from < 0 ? 0 : *from > rank ? rank : *from;
	*to = *to < *from ? *from : *to > rank ? rank : *to;
}

enum status infer_shape(struct node *n)
{
	int rank;
	const struct dim *x = in_dims(n, 0, &rank);
	struct dim d = dim_none();
	int64_t from, to;

	if (x) {
		shape_range(n, rank, &from, &to);
		d = dim_of(to - from);
		out_data(n, 0, dims_copy(n, x + from, (size_t)(to - from)),
			 (uint32_t)(to - from));
	}
	return out_shape(n, 0, 1, &d);
}

enum status infer_size(struct node *n)
{
	int rank;
	const struct dim *x = in_dims(n, 0, &rank);

	if (x) {
		struct dim *d = dims_new(n, 1);

		*d = infer_product(node_model(n), x, 0, (size_t)rank);
		out_data(n, 0, d, 1);
	}
	return out_shape(n, 0, 0, NULL);
}

enum status infer_onehot(struct node *n)
{
	const struct dim *depth, *x;
	struct dim *d, k = dim_none();
	uint32_t count;
	int rank, axis, j = 0;
	int64_t v;
	double f;
	enum status st;

	x = in_dims(n, 0, &rank);
	if (!x)
		return OK;
	st = axis_attr(n, "axis", -1, rank + 1, &axis);
	if (st)
		return st;
	if (in_data(n, 1, &depth, &count) && count == 1 &&
	    !(dim_number(node_model(n), depth[0], &v) && v < 0))
		k = depth[0];
	else if (float_input(n, 1, &f) && f >= 0 && f < 9e15)
		k = dim_of((int64_t)f);
	d = dims_new(n, (size_t)rank + 1);
	for (int i = 0; i <= rank; i++)
		d[i] = i == axis ? k : x[j++];
	return out_shape(n, 0, rank + 1, d);
}
