/* SPDX-License-Identifier: MIT */
/*
 * norm.c -- normalizations and recurrent layers.
 */
#include "ir/infer/infer.h"

/* Statistics of the channels: one per x[1], or as long as the scale. */
static struct dim channels(struct node *n)
{
	int rank, rs;
	const struct dim *x = in_dims(n, 0, &rank), *s = in_dims(n, 1, &rs);
	struct dim c = x && rank > 1 ? x[1] : dim_none();

	if (s && rs == 1)
		dim_join(c, s[0], &c);
	return c;
}

static enum status check_param(struct node *n, uint32_t i, struct dim c)
{
	int rank;
	const struct dim *p = in_dims(n, i, &rank);

	if (!p || (rank == 1 && dim_join(p[0], c, &c)))
		return OK;
	if (rank != 1)
		return infer_error(n, E_shape,
				   "input %u has rank %d, expected 1",
				   (unsigned)i, rank);
	return infer_error(n, E_shape,
			   "input %u has %lld elements for %lld channels",
			   (unsigned)i, (long long)p[0].n, (long long)c.n);
}

/* Y and, in training, statistics per channel. */
enum status infer_batch_norm(struct node *n)
{
	struct dim c = channels(n);
	enum status st = out_shape_of(n, 0, 0);
	bool spatial = node_attr_int(n, "spatial", 1) != 0;

	if (n->op->since >= 14 && n->nout > 1 &&
	    !node_attr_int(n, "training_mode", 0))
		return infer_error(n, E_arity,
				   "%u outputs, but only training has more "
				   "than one",
				   (unsigned)n->nout);

	for (uint32_t i = 1; i < 5 && !st && spatial; i++)
		st = check_param(n, i, c);
	for (uint32_t i = 1; i < 5 && !st && spatial; i++)
		st = out_shape(n, i, 1, &c);
	return st;
}

enum status infer_instance_norm(struct node *n)
{
	struct dim c = channels(n);
	enum status st = out_shape_of(n, 0, 0);

	if (!st)
		st = check_param(n, 1, c);
	return st ? st : check_param(n, 2, c);
}

/* The element type of stash_type; float unless given. */
static enum dtype stash(const struct node *n)
{
	int64_t t = node_attr_int(n, "stash_type", DT_F32);

	return dtype_valid(t) ? (enum dtype)t : DT_NONE;
}

/* Mean and deviation keep the axes before `axis`, the others become 1. */
enum status infer_layer_norm(struct node *n)
{
	int rank, axis;
	const struct dim *x = in_dims(n, 0, &rank);
	struct dim *d;
	enum status st = out_shape_of(n, 0, 0);

	for (uint32_t i = 1; i < 3 && !st; i++)
		st = out_dtype(n, i, stash(n));
	if (st || !x || rank == 0)
		return st;
	st = axis_attr(n, "axis", -1, rank, &axis);
	if (st)
		return st;
	d = dims_copy(n, x, (size_t)rank);
	for (int i = axis; i < rank; i++)
		d[i] = dim_of(1);
	st = out_shape(n, 1, rank, d);
	return st ? st : out_shape(n, 2, rank, d);
}

/* Softmax and the like: the axis must exist. */
enum status infer_along_axis(struct node *n)
{
	int64_t dflt = n->op->since >= 13 ? -1 : 1;
	int rank, axis;
	enum status st = OK;

	if (in_rank(n, 0, &rank) && rank > 0 && n->op->since >= 11)
		st = axis_attr(n, "axis", dflt, rank, &axis);
	return st ? st : out_shape_of(n, 0, 0);
}

/* input, skip, gamma, ...: output, mean, deviation, sum */
enum status infer_skip_norm(struct node *n)
{
	int rank;
	const struct dim *x = in_dims(n, 0, &rank);
	struct dim *d;
	enum status st = out_shape_of(n, 0, 0);

	if (!st)
		st = out_shape_of(n, 3, 0);
	if (st || !x || rank < 1)
		return st;
	d = dims_copy(n, x, (size_t)rank);
	d[rank - 1] = dim_of(1);
	st = out_shape(n, 1, rank, d);
	return st ? st : out_shape(n, 2, rank, d);
}

/* The result, and the sum that it comes from. */
enum status infer_skip_group_norm(struct node *n)
{
	enum status st = out_shape_of(n, 0, 0);

	return st ? st : out_shape_of(n, 1, 0);
}

/* ---- LSTM, GRU, RNN ---- */

struct rnn {
	struct dim seq, batch, hidden, dirs;
};

static enum status rnn_sizes(struct node *n, bool batch_first, struct rnn *r)
{
	int64_t h = node_attr_int(n, "hidden_size", -1);
	struct str dir = node_attr_str(n, "direction", "forward");
	int rank, rr;
	const struct dim *x = in_dims(n, 0, &rank), *w = in_dims(n, 2, &rr);
	bool transposed;

	if ((x && rank != 3) || (w && rr != 3))
		return infer_error(
			n, E_shape, "input %d has rank %d, expected 3",
			x && rank != 3 ? 0 : 2, x && rank != 3 ? rank : rr);
	r->seq = x ? x[batch_first] : dim_none();
	r->batch = x ? x[!batch_first] : dim_none();
	/* DynamicQuantizeLSTM stores its weights the other way round. */
	transposed = node_is(n, OP_ms_DynamicQuantizeLSTM);
	r->hidden = w ? w[transposed ? 1 : 2] : dim_none();
	if (h >= 0 && !dim_join(dim_of(h), r->hidden, &r->hidden))
		return infer_error(n, E_shape,
				   "hidden_size is %lld, but the recurrence "
				   "weight has %lld",
				   (long long)h, (long long)r->hidden.n);
	r->dirs = dim_of(str_is(dir, "bidirectional") ? 2 : 1);
	return OK;
}

enum status infer_rnn(struct node *n)
{
	bool first = node_attr_int(n, "layout", 0) != 0;
	struct rnn r;
	enum status st = rnn_sizes(n, first, &r);

	if (st)
		return st;
	struct dim y[2][4] = {{r.seq, r.dirs, r.batch, r.hidden},
			      {r.batch, r.seq, r.dirs, r.hidden}};
	struct dim h[2][3] = {{r.dirs, r.batch, r.hidden},
			      {r.batch, r.dirs, r.hidden}};

	st = out_shape(n, 0, 4, y[first]);
	for (uint32_t i = 1; i < 3 && !st; i++)
		st = out_shape(n, i, 3, h[first]);
	return st;
}
