/* SPDX-License-Identifier: MIT */
/*
 * signal.c -- Fourier transforms, spectra, text features, and other operators
 * whose output has a rank of its own.
 */
#include "ir/infer/infer.h"

/* One number from integer data that is a size. */
static bool scalar_size(struct node *n, uint32_t i, struct dim *d)
{
	const struct dim *v;
	uint32_t count;
	int64_t x;

	if (!in_data(n, i, &v, &count) || count != 1)
		return false;
	*d = v[0];
	return !dim_number(node_model(n), *d, &x) || x >= 0;
}

/* Whichever axis it is: only its size may change. */
static enum status dft_any_axis(struct node *n, const struct dim *x, int rank,
				bool half, bool inverse)
{
	struct dim *d = dims_copy(n, x, (size_t)rank);

	for (int i = 0; i < rank && (half || in_given(n, 1)); i++)
		d[i] = dim_none();
	d[rank - 1] = dim_of(half && inverse ? 1 : 2);
	return out_shape(n, 0, rank, d);
}

/*
 * [batch, signal..., 1 or 2]; the transformed axis takes dft_length; one-sided
 * it keeps floor(length/2) + 1 bins.
 */
enum status infer_dft(struct node *n)
{
	struct model *m = node_model(n);
	bool inverse = node_attr_int(n, "inverse", 0) != 0;
	bool half = node_attr_int(n, "onesided", 0) != 0;
	bool attr = n->op->since < 20;
	const int64_t *v;
	uint32_t count;
	int64_t at = attr ? node_attr_int(n, "axis", 1) : -2, len;
	int rank, axis;
	const struct dim *x = in_dims(n, 0, &rank);
	struct dim *d;
	enum status st;

	if (!x || rank < 2)
		return OK;
	if (!attr && in_given(n, 2)) {
		if (!in_ints(n, 2, &v, &count) || count != 1)
			return dft_any_axis(n, x, rank, half, inverse);
		at = v[0];
	}
	st = axis_check(n, at, rank, &axis);
	if (st)
		return st;
	d = dims_copy(n, x, (size_t)rank);
	/* half a spectrum stands for 2*(bins - 1) points */
	if (half && inverse)
		d[axis] = dim_mul(m, dim_of(2), dim_sub(m, x[axis], dim_of(1)));
	if (in_given(n, 1) && !scalar_size(n, 1, &d[axis]))
		d[axis] = dim_none();
	if (half && !inverse)
		d[axis] = dim_add(m, dim_floordiv(m, d[axis], dim_of(2)),
				  dim_of(1));
	if (dim_number(m, d[axis], &len) && len < 0)
		d[axis] = dim_none();
	d[rank - 1] = dim_of(half && inverse ? 1 : 2);
	return out_shape(n, 0, rank, d);
}

/* [batch, frames, bins, 2] */
enum status infer_stft(struct node *n)
{
	struct model *m = node_model(n);
	int rank, rw;
	const struct dim *x = in_dims(n, 0, &rank), *w = in_dims(n, 2, &rw);
	struct dim d[4] = {dim_none(), dim_none(), dim_none(), dim_of(2)};
	struct dim step = dim_none(), len = dim_none();

	scalar_size(n, 1, &step);
	if (!in_given(n, 3) || !scalar_size(n, 3, &len))
		len = w && rw == 1 ? w[0] : dim_none();
	if (x && rank >= 2) {
		d[0] = x[0];
		d[1] = dim_floordiv(m, dim_sub(m, x[1], len), step);
		d[1] = dim_add(m, d[1], dim_of(1));
	}
	d[2] = len;
	if (node_attr_int(n, "onesided", 1))
		d[2] = dim_add(m, dim_floordiv(m, len, dim_of(2)), dim_of(1));
	for (int i = 1; i < 3; i++) {
		int64_t v;

		if (dim_number(m, d[i], &v) && v < 0)
			d[i] = dim_none();
	}
	return out_shape(n, 0, 4, d);
}

/* [dft_length/2 + 1, num_mel_bins] */
enum status infer_mel(struct node *n)
{
	struct model *m = node_model(n);
	int64_t to = node_attr_int(n, "output_datatype", DT_F32);
	struct dim d[2] = {dim_none(), dim_none()};
	enum status st = OK;

	if (dtype_valid(to))
		st = out_dtype(n, 0, (enum dtype)to);
	if (scalar_size(n, 1, &d[0]))
		d[0] = dim_add(m, dim_floordiv(m, d[0], dim_of(2)), dim_of(1));
	if (!scalar_size(n, 0, &d[1]))
		d[1] = dim_none();
	return st ? st : out_shape(n, 0, 2, d);
}

/* The last dim counts n-grams: one more than the largest index. */
enum status infer_tfidf(struct node *n)
{
	size_t k;
	const int64_t *ix = node_attr_ints(n, "ngram_indexes", &k);
	int rank;
	const struct dim *x = in_dims(n, 0, &rank);
	struct dim d[2];
	int64_t max = -1;

	if (!x || rank < 1 || rank > 2)
		return OK;
	for (size_t i = 0; i < k; i++)
		max = ix[i] > max ? ix[i] : max;
	d[0] = x[0];
	d[rank - 1] =
		max >= 0 && max < INT64_MAX ? dim_of(max + 1) : dim_none();
	return out_shape(n, 0, rank, d);
}

enum status infer_string_normalizer(struct node *n)
{
	size_t words = 0;
	int rank;
	const struct dim *x = in_dims(n, 0, &rank);
	const struct attr *stop = node_attr(n, "stopwords");
	struct dim *d;

	if (stop && stop->kind == ATTR_STRINGS)
		words = stop->n;
	if (!x || rank < 1)
		return OK;
	d = dims_copy(n, x, (size_t)rank);
	if (words || !dim_known(d[rank - 1]) || d[rank - 1].n == 0)
		d[rank - 1] = dim_none(); /* one empty string if none is left */
	return out_shape(n, 0, rank, d);
}

/* Pieces [..., most], and how many of them count. */
enum status infer_string_split(struct node *n)
{
	int rank;
	const struct dim *x = in_dims(n, 0, &rank);
	struct dim *d;
	enum status st = out_shape_of(n, 1, 0);

	if (!x || st)
		return st;
	d = dims_new(n, (size_t)rank + 1);
	for (int i = 0; i < rank; i++)
		d[i] = x[i];
	d[rank] = dim_none();
	return out_shape(n, 0, rank + 1, d);
}

/* ---- training ---- */

/* R, T, then k tensors each of values, gradients and moments: outputs are
 * the values and the moments. */
static enum status optimizer(struct node *n, uint32_t in_groups)
{
	uint32_t k = n->nin < 2 ? 0 : (n->nin - 2) / in_groups;
	enum status st = OK;

	for (uint32_t i = 0; i < n->nout && !st && k; i++)
		st = out_type(n, i, in_type(n, i < k ? 2 + i : 2 + k + i));
	return st;
}

/* Gradient: of one tensor by each of attribute xs, the first inputs. */
enum status infer_gradient(struct node *n)
{
	enum status st = OK;

	for (uint32_t i = 0; i < n->nout && !st; i++)
		st = out_type(n, i, in_type(n, i));
	return st;
}

enum status infer_two_moments(struct node *n)
{
	return optimizer(n, 4);
}

enum status infer_one_moment(struct node *n)
{
	return optimizer(n, 3);
}
