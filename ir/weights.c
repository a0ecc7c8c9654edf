/* SPDX-License-Identifier: MIT */
/*
 * weights.c -- the weight axes of every operator that has weights.
 *
 * Layouts are those of the ONNX operator specification.  ConvTranspose with
 * groups stores [C_in, C_out/group, k...]: one index of axis 1 stands for one
 * output channel of each group.
 */
#include "ir/weights.h"

struct axes {
	int channel, contraction;
};

static struct axes conv_axes(const struct node *n, uint32_t input, int rank)
{
	(void)n, (void)input, (void)rank;
	return (struct axes){0, 1};
}

static struct axes deconv_axes(const struct node *n, uint32_t input, int rank)
{
	(void)n, (void)input, (void)rank;
	return (struct axes){1, 0};
}

static struct axes gemm_axes(const struct node *n, uint32_t input, int rank)
{
	bool trans = node_attr_int(n, input ? "transB" : "transA", 0) != 0;
	bool rows_out = input ? trans : !trans;

	(void)rank;
	return rows_out ? (struct axes){0, 1} : (struct axes){1, 0};
}

static struct axes matmul_axes(const struct node *n, uint32_t input, int rank)
{
	(void)n;
	if (rank == 1)
		return (struct axes){-1, 0};
	return input ? (struct axes){rank - 1, rank - 2}
		     : (struct axes){rank - 2, rank - 1};
}

/* [directions, gates * hidden, inputs] */
static struct axes rnn_axes(const struct node *n, uint32_t input, int rank)
{
	(void)n, (void)input, (void)rank;
	return (struct axes){1, 2};
}

/* A table of rows: each looked-up index is a channel of its own. */
static struct axes gather_axes(const struct node *n, uint32_t input, int rank)
{
	int axis;

	(void)input;
	if (!axis_fix(node_attr_int(n, "axis", 0), rank, &axis))
		axis = -1;
	return (struct axes){axis, -1};
}

static const struct row {
	enum op_id op;
	uint32_t first, last; /* inputs that may be weights */
	int min_rank;
	struct axes (*axes)(const struct node *n, uint32_t input, int rank);
} table[] = {
	{OP_Conv, 1, 1, 3, conv_axes}, {OP_ConvTranspose, 1, 1, 3, deconv_axes},
	{OP_Gemm, 0, 1, 2, gemm_axes}, {OP_MatMul, 0, 1, 1, matmul_axes},
	{OP_LSTM, 1, 2, 3, rnn_axes},  {OP_GRU, 1, 2, 3, rnn_axes},
	{OP_RNN, 1, 2, 3, rnn_axes},   {OP_Gather, 0, 0, 2, gather_axes},
};

static const struct row *find_row(const struct node *n)
{
	for (size_t i = 0; i < countof(table); i++)
		if (node_is(n, table[i].op))
			return &table[i];
	return NULL;
}

bool node_has_weights(const struct node *n)
{
	return find_row(n) != NULL;
}

size_t node_weights(const struct node *n, struct weight *w)
{
	const struct row *r = find_row(n);
	size_t count = 0;

	for (uint32_t i = r ? r->first : 1; r && i <= r->last; i++) {
		struct value *v = node_in(n, i);
		struct axes a;

		if (!v || !v->konst || v->konst->rank < r->min_rank ||
		    !dtype_is_float(v->konst->dt) || v->konst->n == 0 ||
		    v->konst->sparse_indices)
			continue;
		a = r->axes(n, i, v->konst->rank);
		w[count++] = (struct weight){v, i, a.channel, a.contraction};
	}
	return count;
}

void value_set_const(struct value *v, const struct tensor *t)
{
	if (v->def && node_is(v->def, OP_Constant)) {
		for (uint32_t i = v->def->nattr; i-- > 0;)
			if (v->def->attr[i].kind != ATTR_TENSOR)
				node_drop_attr(v->def,
					       sym_text(v->graph->model,
							v->def->attr[i].name));
		node_set_tensor(v->def, "value", t);
	} else {
		v->init = t;
	}
	v->konst = t;
}
