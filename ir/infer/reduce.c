/* SPDX-License-Identifier: MIT */
/*
 * reduce.c -- fewer elements along axes: Reduce*, ArgMax, and losses.
 */
#include "ir/infer/infer.h"

static enum status reduce(struct node *n, const struct dim *x, int rank,
			  const int *axes, size_t count, bool keep)
{
	struct dim *d = dims_new(n, (size_t)rank);
	bool *gone = scratch(n, (size_t)rank + 1, 1);
	int r = 0;

	for (size_t i = 0; i < count; i++)
		gone[axes[i]] = true;
	for (int i = 0; i < rank; i++) {
		if (!gone[i])
			d[r++] = x[i];
		else if (keep)
			d[r++] = dim_of(1);
	}
	return out_shape(n, 0, r, d);
}

static enum status reduce_all(struct node *n, const struct dim *x, int rank,
			      bool keep)
{
	int *all = scratch(n, (size_t)rank + 1, sizeof(*all));

	for (int i = 0; i < rank; i++)
		all[i] = i;
	return reduce(n, x, rank, all, (size_t)rank, keep);
}

enum status infer_reduce(struct node *n)
{
	bool keep = node_attr_int(n, "keepdims", 1) == 1, known;
	int rank;
	const struct dim *x = in_dims(n, 0, &rank);
	const int *axes;
	size_t count;
	uint32_t len;
	enum status st;

	if (!x)
		return OK;
	/* Input 1 of the quantized form is a scale. */
	st = axes_of(n, "axes",
		     node_is(n, OP_ms_QLinearReduceMean) ? ARITY_ANY : 1, rank,
		     &known, &axes, &count);
	if (st)
		return st;
	if (known && count)
		return reduce(n, x, rank, axes, count, keep);
	if (known)
		return node_attr_int(n, "noop_with_empty_axes", 0)
			       ? out_shape(n, 0, rank, x)
			       : reduce_all(n, x, rank, keep);
	if (keep)
		return out_rank(n, 0, rank);
	if (in_length(n, 1, &len) && len && (int64_t)len <= rank)
		return out_rank(n, 0, rank - (int)len);
	return OK;
}

enum status infer_argmax(struct node *n)
{
	bool keep = node_attr_int(n, "keepdims", 1) == 1;
	int rank, axis;
	const struct dim *x = in_dims(n, 0, &rank);
	enum status st;

	if (!x)
		return OK;
	st = axis_attr(n, "axis", 0, rank, &axis);
	return st ? st : reduce(n, x, rank, &axis, 1, keep);
}

/* A loss over [N, C, d...] and [N, d...]: a scalar unless not reduced. */
static enum status loss(struct node *n)
{
	struct str r = node_attr_str(n, "reduction", "mean");

	if (str_is(r, "none"))
		return out_shape_of(n, 0, 1);
	return out_shape(n, 0, 0, NULL);
}

enum status infer_nll_loss(struct node *n)
{
	return loss(n);
}

/* The log probabilities have the shape of the scores. */
enum status infer_softmax_loss(struct node *n)
{
	enum status st = loss(n);

	return st ? st : out_shape_of(n, 1, 0);
}

enum status infer_det(struct node *n)
{
	int rank;
	const struct dim *x = in_dims(n, 0, &rank);
	struct dim same;

	if (!x)
		return OK;
	if (rank < 2 || !dim_join(x[rank - 2], x[rank - 1], &same))
		return infer_error(n, E_shape,
				   "the input is no stack of square matrices");
	return out_shape(n, 0, rank - 2, x);
}
