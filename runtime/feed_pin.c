/* SPDX-License-Identifier: MIT */
/*
 * feed_pin.c -- dims that a node's rules make equal.
 *
 * Each rule names two dims of a node's inputs that must agree: the columns of
 * one matrix and the rows of the next, channels and filters, dims of an
 * elementwise operation.  Shape inference carries the symbols to them.
 */
#include "runtime/feed_p.h"

static const struct type *tensor_in(const struct node *n, uint32_t i)
{
	const struct value *v = node_in(n, i);

	return v && v->type->kind == TY_TENSOR && v->type->rank >= 0 ? v->type
								     : NULL;
}

/* Dim `axis` of input i, from the end if negative. */
static struct dim dim_at(const struct node *n, uint32_t i, int axis)
{
	const struct type *t = tensor_in(n, i);

	if (t && axis < 0)
		axis += t->rank;
	if (!t || axis < 0 || axis >= t->rank)
		return (struct dim){.n = DIM_UNKNOWN};
	return t->dim[axis];
}

static bool pin(struct feed_plan *p, const struct node *n, uint32_t i, int axis,
		uint32_t k, int other)
{
	return feed_pin(p, dim_at(n, i, axis), dim_at(n, k, other));
}

static bool pin_matmul(struct feed_plan *p, const struct node *n, uint32_t a,
		       uint32_t b)
{
	const struct type *tb = tensor_in(n, b);

	return tb && pin(p, n, a, -1, b, tb->rank > 1 ? -2 : 0);
}

static bool pin_gemm(struct feed_plan *p, const struct node *n)
{
	int ta = node_attr_int(n, "transA", 0) != 0;
	int tb = node_attr_int(n, "transB", 0) != 0;

	return pin(p, n, 0, ta ? 0 : 1, 1, tb ? 1 : 0);
}

/* Channels: W[1] * group, or W[0] when transposed. */
static bool pin_conv(struct feed_plan *p, const struct node *n, uint32_t w)
{
	struct dim c = dim_at(n, w, 1);

	if (node_is(n, OP_ConvTranspose))
		return pin(p, n, 0, 1, w, 0);
	if (dim_unknown(c))
		return false;
	c = dim_mul(n->graph->model, c, dim_of(node_attr_int(n, "group", 1)));
	return feed_pin(p, dim_at(n, 0, 1), c);
}

/* [seq, batch, in] with W [dirs, gates * hidden, in], states [dirs, batch,
 * hidden]. */
static bool pin_rnn(struct feed_plan *p, const struct node *n)
{
	bool any = pin(p, n, 0, 2, 1, 2);
	uint32_t i;

	for (i = 5; i <= 6; i++) {
		any |= pin(p, n, i, 0, 1, 0);
		any |= pin(p, n, i, 2, 2, 2);
		if (!node_attr_int(n, "layout", 0))
			any |= pin(p, n, i, 1, 0, 1);
	}
	return any;
}

static bool pin_concat(struct feed_plan *p, const struct node *n)
{
	const struct type *t = tensor_in(n, 0);
	bool any = false;
	int axis, k;
	uint32_t i;

	if (!t || !axis_fix(node_attr_int(n, "axis", 0), t->rank, &axis))
		return false;
	for (i = 1; i < n->nin; i++)
		for (k = 0; k < t->rank; k++)
			if (k != axis)
				any |= pin(p, n, 0, k, i, k);
	return any;
}

/* Broadcasting: a size of 1 fits as well, but equal dims are meant. */
static bool pin_pair(struct feed_plan *p, const struct node *n, uint32_t i,
		     uint32_t j)
{
	const struct type *a = tensor_in(n, i), *b = tensor_in(n, j);
	int k, rank = a && b ? (a->rank < b->rank ? a->rank : b->rank) : 0;
	struct dim x, y;
	bool any = false;

	for (k = 1; k <= rank; k++) {
		x = dim_at(n, i, -k);
		y = dim_at(n, j, -k);
		if (!(dim_known(x) && x.n == 1) && !(dim_known(y) && y.n == 1))
			any |= feed_pin(p, x, y);
	}
	return any;
}

static bool pin_broadcast(struct feed_plan *p, const struct node *n)
{
	bool any = false;
	uint32_t i;

	for (i = 1; i < n->nin; i++)
		any |= pin_pair(p, n, 0, i);
	if (n->nin == 3)
		any |= pin_pair(p, n, 1, 2);
	return any;
}

/* A fixed target shape fixes the number of elements. */
static bool pin_reshape(struct feed_plan *p, const struct node *n)
{
	struct model *m = n->graph->model;
	const struct value *shape = node_in(n, 1);
	const struct type *t = tensor_in(n, 0);
	struct dim total = dim_of(1), want = dim_of(1);
	int64_t x;
	uint32_t i;
	int k;

	if (!shape || !t || !shape->data)
		return false;
	for (i = 0; i < shape->ndata; i++) {
		if (!dim_number(m, shape->data[i], &x) || x <= 0)
			return false;
		want = dim_mul(m, want, dim_of(x));
	}
	for (k = 0; k < t->rank; k++)
		total = dim_mul(m, total, t->dim[k]);
	return feed_pin(p, total, want);
}

static bool pin_node(struct feed_plan *p, const struct node *n)
{
	switch (n->op->id) {
	case OP_MatMul:
	case OP_MatMulInteger:
		return pin_matmul(p, n, 0, 1);
	case OP_QLinearMatMul:
		return pin_matmul(p, n, 0, 3);
	case OP_Gemm:
		return pin_gemm(p, n);
	case OP_Conv:
	case OP_ConvInteger:
	case OP_ConvTranspose:
		return pin_conv(p, n, 1);
	case OP_QLinearConv:
		return pin_conv(p, n, 3);
	case OP_BatchNormalization:
	case OP_InstanceNormalization:
		return pin(p, n, 0, 1, 1, 0);
	case OP_LayerNormalization:
	case OP_ort_LayerNormalization:
	case OP_RMSNormalization:
	case OP_ort_SimplifiedLayerNormalization:
		return pin_pair(p, n, 0, 1);
	case OP_LSTM:
	case OP_GRU:
	case OP_RNN:
		return pin_rnn(p, n);
	case OP_Concat:
		return pin_concat(p, n);
	case OP_Reshape:
		return pin_reshape(p, n);
	default:
		return (n->op->flags & OPF_ELEMENTWISE) && n->nin >= 2 &&
		       pin_broadcast(p, n);
	}
}

bool feed_pin_all(struct feed_plan *p, const struct model *m)
{
	graph_vec graphs = {0};
	struct node *n;
	bool any = false;
	size_t i;

	model_graphs(m, &graphs);
	for (i = 0; i < graphs.n; i++)
		graph_foreach (n, graphs.p[i])
			any |= pin_node(p, n);
	vec_release(&graphs);
	return any;
}
