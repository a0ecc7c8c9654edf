/* SPDX-License-Identifier: MIT */
/*
 * select.c -- parts of tensors: Slice, Gather, Split, Compress, TopK, and the
 * like.
 */
#include "ir/infer/infer.h"

/* ---- Slice ---- */

/* A bound that counts from the end if negative; false if the sign is open. */
static bool from_end(struct model *m, struct dim v, struct dim size,
		     struct dim *r)
{
	int64_t lower;

	if (dim_lower(m, v, &lower) && lower >= 0)
		*r = v;
	else if (dim_le(m, v, dim_num(m, -1)))
		*r = dim_add(m, v, size);
	else
		return false;
	return !dim_unknown(*r);
}

/* Elements of s, s + step, ... before e for step > 0, neither clamped yet. */
static struct dim forward_len(struct model *m, struct dim size, struct dim s,
			      struct dim e, int64_t step)
{
	struct dim zero = dim_of(0), back;
	int64_t v;

	/* the last v of a dim that may have fewer */
	back = dim_sub(m, size, s);
	if (step == 1 && dim_equal(e, size) && dim_number(m, back, &v) && v > 0)
		return dim_min(m, back, size);
	if (!dim_le(m, zero, s))
		s = dim_max(m, zero, s);
	if (!dim_le(m, e, size))
		e = dim_min(m, e, size);
	return dim_max(m, zero, dim_ceildiv(m, dim_sub(m, e, s), dim_of(step)));
}

/* The same downwards; step > 0 is the distance. */
static struct dim backward_len(struct model *m, struct dim size, struct dim s,
			       struct dim e, int64_t step)
{
	struct dim zero = dim_of(0), last = dim_sub(m, size, dim_of(1));

	if (!dim_equal(s, last))
		s = dim_min(m, last, dim_max(m, zero, s));
	e = dim_max(m, dim_num(m, -1), dim_min(m, e, last));
	return dim_max(m, zero, dim_ceildiv(m, dim_sub(m, s, e), dim_of(step)));
}

/*
 * Elements of start:end:step on a dim; unknown where a sign is open.  The
 * format's documentation gives INT_MAX and the like for "to the end", so that
 * such a bound is not compared with a symbolic size.
 */
static struct dim slice_len(struct model *m, struct dim size, struct dim start,
			    struct dim end, int64_t step)
{
	struct dim s, e;
	int64_t v;

	/* PyTorch writes this for "from the start"; adding to it is safe then.
	 */
	if (dim_number(m, start, &v) && v == INT64_MIN)
		start = dim_num(m, INT64_MIN + 1);
	if (dim_unknown(size) || !from_end(m, start, size, &s))
		return dim_none();
	if (dim_number(m, end, &v) && v >= INT32_MAX - 1 && size.s)
		e = size;
	else if (dim_number(m, end, &v) && v < -(int64_t)INT32_MAX && size.s)
		e = dim_num(m, -1);
	else if (!from_end(m, end, size, &e))
		return dim_none();
	if (step > 0)
		return forward_len(m, size, s, e, step);
	if (dim_number(m, s, &v) && v >= INT32_MAX - 1)
		s = dim_sub(m, size, dim_of(1));
	return backward_len(m, size, s, e, -step);
}

struct slice_args {
	const struct dim *start, *end, *axes, *step;
	uint32_t n, nend, naxes, nstep;
};

static enum status slice_axes(struct node *n, const struct slice_args *a,
			      const struct dim *x, int rank)
{
	struct model *m = node_model(n);
	struct dim *d = dims_copy(n, x, (size_t)rank);

	for (uint32_t i = 0; i < a->n; i++) {
		int64_t axis = i, step = 1;
		enum status st;
		int k;

		if (a->axes && !dim_number(m, a->axes[i], &axis))
			return out_rank(n, 0, rank);
		st = axis_check(n, axis, rank, &k);
		if (st)
			return st;
		if (a->step && !dim_number(m, a->step[i], &step)) {
			d[k] = dim_none();
			continue;
		}
		if (step == 0)
			return infer_error(n, E_value, "slice step is 0");
		if (step == INT64_MIN)
			step++;
		d[k] = slice_len(m, x[k], a->start[i], a->end[i], step);
	}
	return out_shape(n, 0, rank, d);
}

enum status infer_slice(struct node *n)
{
	struct slice_args a = {0};
	bool ok =
		in_data(n, 1, &a.start, &a.n) && in_data(n, 2, &a.end, &a.nend);
	int rank;
	const struct dim *x = in_dims(n, 0, &rank);

	if (!x)
		return OK;
	if (in_given(n, 3))
		ok &= in_data(n, 3, &a.axes, &a.naxes);
	if (in_given(n, 4) && !in_data(n, 4, &a.step, &a.nstep))
		ok = false;
	if (!ok)
		return out_rank(n, 0, rank);
	if (a.n != a.nend || (a.axes && a.naxes != a.n) ||
	    (a.step && a.nstep != a.n) || (!a.axes && a.n > (uint32_t)rank))
		return infer_error(n, E_shape,
				   "starts, ends, axes and steps differ in "
				   "length");
	return slice_axes(n, &a, x, rank);
}

static const struct dim *attr_dims(struct node *n, const char *name,
				   uint32_t *count)
{
	size_t k;
	const int64_t *v = node_attr_ints(n, name, &k);
	struct dim *d;

	*count = (uint32_t)k;
	if (!v)
		return NULL;
	d = dims_new(n, k);
	for (size_t i = 0; i < k; i++)
		d[i] = dim_num(node_model(n), v[i]);
	return d;
}

enum status infer_slice_old(struct node *n)
{
	struct slice_args a = {0};
	int rank;
	const struct dim *x = in_dims(n, 0, &rank);

	a.start = attr_dims(n, "starts", &a.n);
	a.end = attr_dims(n, "ends", &a.nend);
	a.axes = attr_dims(n, "axes", &a.naxes);
	if (!x || !a.start || !a.end)
		return OK;
	if (a.n != a.nend || (a.axes && a.naxes != a.n) ||
	    (!a.axes && a.n > (uint32_t)rank))
		return infer_error(n, E_shape,
				   "starts, ends and axes differ in length");
	return slice_axes(n, &a, x, rank);
}

/* ---- Gather ---- */

enum status infer_gather(struct node *n)
{
	int rx, ri, axis, k = 0;
	const struct dim *x = in_dims(n, 0, &rx), *ix = in_dims(n, 1, &ri);
	struct dim *d;
	enum status st;

	if (!x || !ix)
		return OK;
	st = axis_attr(n, "axis", 0, rx, &axis);
	if (st)
		return st;
	d = dims_new(n, (size_t)rx + (size_t)ri);
	for (int i = 0; i < rx; i++) {
		if (i != axis)
			d[k++] = x[i];
		for (int j = 0; i == axis && j < ri; j++)
			d[k++] = ix[j];
	}
	return out_shape(n, 0, k, d);
}

/* data and indices of one rank; the output has the shape of the indices. */
enum status infer_gather_elements(struct node *n)
{
	int rx, ri;

	if (in_rank(n, 0, &rx) && in_rank(n, 1, &ri) && rx != ri)
		return infer_error(n, E_shape,
				   "indices have rank %d, data has rank %d", ri,
				   rx);
	return out_shape_of(n, 0, 1);
}

enum status infer_gather_nd(struct node *n)
{
	int64_t batch = node_attr_int(n, "batch_dims", 0);
	int rx, ri, k = 0;
	const struct dim *x = in_dims(n, 0, &rx), *ix = in_dims(n, 1, &ri);
	struct dim last, *d;

	if (!x || !ix)
		return OK;
	if (ri < 1 || rx < 1 || batch < 0 || batch >= ri || batch >= rx)
		return infer_error(n, E_shape,
				   "ranks %d and %d are too small for %lld "
				   "batch dims",
				   rx, ri, (long long)batch);
	last = ix[ri - 1];
	if (!dim_known(last))
		return OK;
	if (last.n > rx - batch)
		return infer_error(n, E_shape,
				   "indices of %lld axes into rank %d",
				   (long long)last.n, rx);
	d = dims_new(n, (size_t)rx + (size_t)ri);
	for (int i = 0; i < ri - 1; i++)
		d[k++] = ix[i];
	for (int64_t i = batch + last.n; i < rx; i++)
		d[k++] = x[i];
	return out_shape(n, 0, k, d);
}

enum status infer_compress(struct node *n)
{
	int rank, axis;
	const struct dim *x = in_dims(n, 0, &rank);
	struct dim *d;
	enum status st;

	if (!node_has_attr(n, "axis"))
		return out_rank(n, 0, 1);
	if (!x)
		return OK;
	st = axis_attr(n, "axis", 0, rank, &axis);
	if (st)
		return st;
	d = dims_copy(n, x, (size_t)rank);
	d[axis] = dim_none();
	return out_shape(n, 0, rank, d);
}

enum status infer_nonzero(struct node *n)
{
	struct dim d[2] = {dim_none(), dim_none()};
	const struct dim *v;
	uint32_t count;
	int64_t found = 0;
	int rank;
	bool is = true, known = in_data(n, 0, &v, &count);

	if (in_rank(n, 0, &rank))
		d[0] = dim_of(rank);
	for (uint32_t i = 0; known && i < count; i++) {
		known = infer_nonzero_element(node_model(n), v[i], &is);
		found += is;
	}
	if (known)
		d[1] = dim_of(found);
	return out_shape(n, 0, 2, d);
}

enum status infer_unique(struct node *n)
{
	int rank, axis;
	const struct dim *x = in_dims(n, 0, &rank);
	struct dim *d;
	enum status st = OK;

	for (uint32_t i = 1; i < 4 && !st; i++)
		st = out_rank(n, i, 1);
	if (st)
		return st;
	if (!node_has_attr(n, "axis"))
		return out_rank(n, 0, 1);
	if (!x)
		return OK;
	st = axis_attr(n, "axis", 0, rank, &axis);
	if (st)
		return st;
	d = dims_copy(n, x, (size_t)rank);
	d[axis] = dim_none();
	return out_shape(n, 0, rank, d);
}

static enum status topk(struct node *n, struct dim k)
{
	int rank, axis;
	const struct dim *x = in_dims(n, 0, &rank);
	struct dim *d;
	enum status st;

	if (!x)
		return OK;
	st = axis_attr(n, "axis", -1, rank, &axis);
	if (st)
		return st;
	if (dim_known(k) && dim_known(x[axis]) && k.n > x[axis].n)
		return infer_error(n, E_shape,
				   "k is %lld, but axis %d has size %lld",
				   (long long)k.n, axis, (long long)x[axis].n);
	d = dims_copy(n, x, (size_t)rank);
	d[axis] = k;
	st = out_shape(n, 0, rank, d);
	return st ? st : out_shape(n, 1, rank, d);
}

/* A size read from integer data: negative numbers are refused elsewhere. */
static struct dim size_of(struct model *m, struct dim d)
{
	int64_t v;

	return dim_number(m, d, &v) && v < 0 ? dim_none() : d;
}

enum status infer_topk(struct node *n)
{
	const struct dim *k;
	uint32_t count;

	if (n->nin < 2) {
		int64_t v = node_attr_int(n, "k", -1);

		return topk(n, v >= 0 ? dim_of(v) : dim_none());
	}
	if (!in_data(n, 1, &k, &count) || count != 1)
		return topk(n, dim_none());
	return topk(n, size_of(node_model(n), k[0]));
}

/* ---- Split ---- */

/* Sizes that are given one by one. */
static enum status split_given(struct node *n, const struct dim *x, int rank,
			       int axis, const struct dim *size, uint32_t count)
{
	struct model *m = node_model(n);
	struct dim *d = dims_copy(n, x, (size_t)rank), sum = dim_of(0);

	if (count != n->nout)
		return infer_error(n, E_shape, "%u sizes for %u outputs",
				   (unsigned)count, (unsigned)n->nout);
	for (uint32_t i = 0; i < count; i++) {
		enum status st;

		d[axis] = size_of(m, size[i]);
		sum = dim_add(m, sum, d[axis]);
		st = out_shape(n, i, rank, d);
		if (st)
			return st;
	}
	if (dim_known(sum) && dim_known(x[axis]) && sum.n != x[axis].n)
		return infer_error(
			n, E_shape, "sizes add up to %lld, axis %d has %lld",
			(long long)sum.n, axis, (long long)x[axis].n);
	return OK;
}

/* Equal parts; with num_outputs the last one may be smaller. */
static enum status split_equal(struct node *n, const struct dim *x, int rank,
			       int axis, bool uneven)
{
	struct model *m = node_model(n);
	struct dim k = dim_of(n->nout), *d = dims_copy(n, x, (size_t)rank);
	struct dim part = uneven ? dim_ceildiv(m, x[axis], k)
				 : dim_floordiv(m, x[axis], k);
	struct dim last =
		uneven ? dim_sub(m, x[axis],
				 dim_mul(m, part, dim_of(n->nout - 1)))
		       : part;

	if (!uneven && dim_known(x[axis]) && x[axis].n % n->nout != 0)
		return infer_error(n, E_shape,
				   "size %lld of axis %d cannot be split into "
				   "%u equal parts",
				   (long long)x[axis].n, axis,
				   (unsigned)n->nout);
	for (uint32_t i = 0; i < n->nout; i++) {
		enum status st;

		d[axis] = i + 1 < n->nout ? part : size_of(m, last);
		st = out_shape(n, i, rank, d);
		if (st)
			return st;
	}
	return OK;
}

enum status infer_split(struct node *n)
{
	int rank, axis;
	const struct dim *x = in_dims(n, 0, &rank), *size;
	uint32_t count;
	enum status st;

	if (!x || n->nout == 0)
		return OK;
	st = axis_attr(n, "axis", 0, rank, &axis);
	if (st)
		return st;
	size = attr_dims(n, "split", &count);
	if (!size && in_given(n, 1) && !in_data(n, 1, &size, &count)) {
		struct dim *d = dims_copy(n, x, (size_t)rank);

		d[axis] = dim_none();
		for (uint32_t i = 0; i < n->nout && !st; i++)
			st = out_shape(n, i, rank, d);
		return st;
	}
	if (size)
		return split_given(n, x, rank, axis, size, count);
	return split_equal(n, x, rank, axis, n->op->since >= 18);
}
