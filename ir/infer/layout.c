/* SPDX-License-Identifier: MIT */
/*
 * layout.c -- the same elements in another shape or order.
 */
#include "ir/infer/infer.h"

/* ---- Reshape ---- */

/* Removes pairs of equal dims from both lists. */
static void cancel(struct dim *a, int *na, struct dim *b, int *nb)
{
	for (int i = 0; i < *na; i++) {
		int j = 0;

		while (j < *nb && !dim_equal(a[i], b[j]))
			j++;
		if (j == *nb)
			continue;
		a[i--] = a[--*na];
		b[j] = b[--*nb];
	}
}

/* The size that makes both products equal; unknown if undecided. */
static struct dim missing_dim(struct node *n, const struct dim *x, int rx,
			      const struct dim *y, int ry, int at)
{
	struct model *m = node_model(n);
	struct dim *a = dims_copy(n, x, (size_t)rx);
	struct dim *b = dims_new(n, (size_t)ry);
	struct dim p, q;
	int na = rx, nb = 0;

	for (int i = 0; i < ry; i++) {
		if (i == at)
			continue;
		/* nothing can be divided by an empty product */
		if (dim_known(y[i]) && y[i].n == 0)
			return dim_none();
		b[nb++] = y[i];
	}
	cancel(a, &na, b, &nb);
	p = infer_product(m, a, 0, (size_t)na);
	q = infer_product(m, b, 0, (size_t)nb);
	/* a valid model divides without remainder */
	return dim_floordiv(m, p, q);
}

static enum status check_count(struct node *n, const struct dim *x, int rx,
			       const struct dim *y, int ry, int at)
{
	struct model *m = node_model(n);
	struct dim p = infer_product(m, x, 0, (size_t)rx);
	struct dim q = dim_of(1);

	for (int i = 0; i < ry; i++)
		if (i != at)
			q = dim_mul(m, q, y[i]);
	if (!dim_known(p) || !dim_known(q))
		return OK;
	if (at < 0 ? p.n == q.n : q.n != 0 ? p.n % q.n == 0 : p.n == 0)
		return OK;
	return infer_error(
		n, E_shape, "%lld elements do not fit a shape with %s%lld",
		(long long)p.n, at < 0 ? "" : "a multiple of ", (long long)q.n);
}

static enum status reshape_to(struct node *n, const struct dim *s,
			      uint32_t count, bool allowzero)
{
	struct model *m = node_model(n);
	struct dim *y = dims_new(n, count);
	int rx, at = -1;
	const struct dim *x = in_dims(n, 0, &rx);
	enum status st;

	for (uint32_t i = 0; i < count; i++) {
		int64_t v;

		y[i] = s[i];
		if (!dim_number(m, s[i], &v))
			continue;
		if (v < -1 || (v == -1 && at >= 0))
			return infer_error(n, E_shape, "bad target size %lld",
					   (long long)v);
		if (v == -1) {
			at = (int)i;
			y[i] = dim_none();
		} else if (v == 0 && !allowzero) {
			if (x && (int)i >= rx)
				return infer_error(n, E_shape,
						   "size 0 at axis %u, but the "
						   "input has rank %d",
						   (unsigned)i, rx);
			y[i] = x ? x[i] : dim_none();
		}
	}
	if (x) {
		st = check_count(n, x, rx, y, (int)count, at);
		if (st)
			return st;
		if (at >= 0)
			y[at] = missing_dim(n, x, rx, y, (int)count, at);
	}
	return out_shape(n, 0, (int)count, y);
}

enum status infer_reshape(struct node *n)
{
	bool allowzero = node_attr_int(n, "allowzero", 0) != 0;
	const struct dim *s;
	uint32_t count;

	if (in_data(n, 1, &s, &count))
		return reshape_to(n, s, count, allowzero);
	if (in_length(n, 1, &count) && count <= INFER_MAX_RANK)
		return out_rank(n, 0, (int)count);
	return OK;
}

enum status infer_reshape_old(struct node *n)
{
	struct model *m = node_model(n);
	size_t count;
	const int64_t *v = node_attr_ints(n, "shape", &count);
	struct dim *s = dims_new(n, count);

	if (!v)
		return OK;
	for (size_t i = 0; i < count; i++)
		s[i] = dim_num(m, v[i]);
	return reshape_to(n, s, (uint32_t)count, false);
}

enum status infer_flatten(struct node *n)
{
	int64_t axis = node_attr_int(n, "axis", 1);
	struct model *m = node_model(n);
	struct dim d[2] = {dim_none(), dim_none()};
	int rank;
	const struct dim *x = in_dims(n, 0, &rank);

	if (x) {
		if (axis < -(int64_t)rank || axis > rank)
			return infer_error(n, E_shape,
					   "axis %lld is out of range for "
					   "rank %d",
					   (long long)axis, rank);
		axis += axis < 0 ? rank : 0;
		d[0] = infer_product(m, x, 0, (size_t)axis);
		d[1] = infer_product(m, x, (size_t)axis, (size_t)rank);
	}
	return out_shape(n, 0, 2, d);
}

/* ---- axes in and out ---- */

static bool listed(const int *axes, size_t count, int i)
{
	for (size_t k = 0; k < count; k++)
		if (axes[k] == i)
			return true;
	return false;
}

static enum status squeeze_axes(struct node *n, const struct dim *x, int rank,
				const int *axes, size_t count)
{
	struct dim *d = dims_new(n, (size_t)rank);
	bool *gone = scratch(n, (size_t)rank, sizeof(*gone));
	int r = 0;

	for (size_t i = 0; i < count; i++)
		gone[axes[i]] = true;
	for (int i = 0; i < rank; i++) {
		bool one = dim_known(x[i]) && x[i].n == 1;

		/* without axes, a dim that is not known decides the rank */
		if (count == 0 && !dim_known(x[i]))
			return OK;
		if (count ? !gone[i] : !one)
			d[r++] = x[i];
		else if (dim_known(x[i]) && !one)
			return infer_error(n, E_shape,
					   "cannot squeeze axis %d of size "
					   "%lld",
					   i, (long long)x[i].n);
	}
	return out_shape(n, 0, r, d);
}

enum status infer_squeeze(struct node *n)
{
	const int *axes;
	size_t count;
	bool known;
	int rank;
	const struct dim *x = in_dims(n, 0, &rank);
	enum status st;

	if (!x)
		return OK;
	st = axes_of(n, "axes", 1, rank, &known, &axes, &count);
	if (st || !known)
		return st;
	return squeeze_axes(n, x, rank, axes, count);
}

enum status infer_unsqueeze(struct node *n)
{
	const int *axes;
	size_t count, k = 0;
	const int64_t *v = node_attr_ints(n, "axes", &count);
	uint32_t len = (uint32_t)count;
	int rank, r;
	const struct dim *x = in_dims(n, 0, &rank);
	struct dim *d;
	bool known;
	enum status st;

	if (!x || (!v && !in_length(n, 1, &len)))
		return OK;
	if (len > INFER_MAX_RANK)
		return OK;
	r = rank + (int)len;
	st = axes_of(n, "axes", 1, r, &known, &axes, &count);
	if (st)
		return st;
	if (!known)
		return out_rank(n, 0, r);
	d = dims_new(n, (size_t)r);
	for (size_t i = 0; i < count; i++)
		if (listed(axes, i, axes[i]))
			return infer_error(n, E_shape, "axis %d is repeated",
					   axes[i]);
	for (int i = 0; i < r; i++)
		d[i] = listed(axes, count, i) ? dim_of(1) : x[k++];
	return out_shape(n, 0, r, d);
}

enum status infer_transpose(struct node *n)
{
	size_t count;
	const int64_t *perm = node_attr_ints(n, "perm", &count);
	int rank;
	const struct dim *x = in_dims(n, 0, &rank);
	struct dim *d;
	bool *seen;

	if (!x)
		return perm ? out_rank(n, 0, (int)count) : OK;
	if (perm && count != (size_t)rank)
		return infer_error(n, E_shape,
				   "perm has %zu entries for rank %d", count,
				   rank);
	d = dims_new(n, (size_t)rank);
	seen = scratch(n, (size_t)rank + 1, 1);
	for (int i = 0; i < rank; i++) {
		int64_t p = perm ? perm[i] : rank - 1 - i;

		if (p < 0 || p >= rank || seen[p])
			return infer_error(n, E_shape,
					   "perm is no permutation of %d axes",
					   rank);
		seen[p] = true;
		d[i] = x[p];
	}
	return out_shape(n, 0, rank, d);
}

/* ---- blocks of space and channels ---- */

static enum status block_args(struct node *n, const struct dim **x, int64_t *b)
{
	int rank;

	*b = node_attr_int(n, "blocksize", 0);
	*x = in_dims(n, 0, &rank);
	if (*b <= 0 || *b > INT32_MAX)
		return infer_error(n, E_shape, "blocksize is %lld",
				   (long long)*b);
	if (*x && rank != 4)
		return infer_error(n, E_shape, "input has rank %d, expected 4",
				   rank);
	return OK;
}

static bool divides(struct dim d, int64_t k)
{
	return !dim_known(d) || d.n % k == 0;
}

enum status infer_depth_to_space(struct node *n)
{
	struct model *m = node_model(n);
	const struct dim *x;
	int64_t b;
	enum status st = block_args(n, &x, &b);

	if (st)
		return st;
	if (!x)
		return out_rank(n, 0, 4);
	if (!divides(x[1], b * b))
		return infer_error(n, E_shape,
				   "blocksize %lld does not divide %lld "
				   "channels",
				   (long long)b, (long long)x[1].n);
	return out_shape(n, 0, 4,
			 (struct dim[]){
				 x[0],
				 dim_floordiv(m, x[1], dim_of(b * b)),
				 dim_mul(m, x[2], dim_of(b)),
				 dim_mul(m, x[3], dim_of(b)),
			 });
}

enum status infer_space_to_depth(struct node *n)
{
	struct model *m = node_model(n);
	const struct dim *x;
	int64_t b;
	enum status st = block_args(n, &x, &b);

	if (st)
		return st;
	if (!x)
		return out_rank(n, 0, 4);
	if (!divides(x[2], b) || !divides(x[3], b))
		return infer_error(n, E_shape,
				   "blocksize %lld does not divide the image",
				   (long long)b);
	return out_shape(n, 0, 4,
			 (struct dim[]){
				 x[0],
				 dim_mul(m, x[1], dim_of(b * b)),
				 dim_floordiv(m, x[2], dim_of(b)),
				 dim_floordiv(m, x[3], dim_of(b)),
			 });
}
