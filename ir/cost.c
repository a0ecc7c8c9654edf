/* SPDX-License-Identifier: MIT */
/*
 * cost.c -- node, parameter, byte and MAC counts.  Cost O(nodes + weights).
 */
#include <stdlib.h>
#include <string.h>
#include "ir/cost.h"

/* Element count with symbolic dims as 1; false if the rank is unknown. */
static bool count_dims(const struct type *t, int from, int to, uint64_t *n)
{
	*n = 1;
	if (t->kind != TY_TENSOR || t->rank < 0 || to > t->rank)
		return false;
	for (int i = from; i < to; i++) {
		int64_t d = dim_known(t->dim[i]) ? t->dim[i].n : 1;

		if (dim_unknown(t->dim[i]) ||
		    __builtin_mul_overflow(*n, (uint64_t)d, n))
			return false;
	}
	return true;
}

static bool all_dims(const struct type *t, uint64_t *n)
{
	return t && count_dims(t, 0, t->rank, n);
}

/* Output elements times weight elements per output channel. */
static bool conv_macs(const struct node_types *t, const struct type *w,
		      uint64_t *macs)
{
	uint64_t out, per;

	return all_dims(t->out, &out) && w && count_dims(w, 1, w->rank, &per) &&
	       !__builtin_mul_overflow(out, per, macs);
}

/* ConvTranspose: every input element meets W[c, :, k...]. */
static bool deconv_macs(const struct node_types *t, const struct type *w,
			uint64_t *macs)
{
	uint64_t in, per;

	return all_dims(t->in[0], &in) && w &&
	       count_dims(w, 1, w->rank, &per) &&
	       !__builtin_mul_overflow(in, per, macs);
}

static bool matmul_macs(const struct node_types *t, const struct type *w,
			uint64_t *macs)
{
	const struct type *a = t->in[0];
	uint64_t out, k;
	int axis;

	(void)w;
	if (!a || a->kind != TY_TENSOR || a->rank < 1)
		return false;
	axis = node_attr_int(t->n, "transA", 0) ? a->rank - 2 : a->rank - 1;
	return axis >= 0 && all_dims(t->out, &out) &&
	       count_dims(a, axis, axis + 1, &k) &&
	       !__builtin_mul_overflow(out, k, macs);
}

/* Steps x batch x (W + R) of shape [dirs, gates * hidden, in]. */
static bool rnn_macs(const struct node_types *t, const struct type *w,
		     uint64_t *macs)
{
	uint64_t steps, a, b;

	return t->in[0] && count_dims(t->in[0], 0, 2, &steps) &&
	       all_dims(w, &a) && all_dims(t->in[2], &b) &&
	       !__builtin_add_overflow(a, b, &a) &&
	       !__builtin_mul_overflow(steps, a, macs);
}

static const struct {
	enum op_id id;
	int weight; /* the input that holds the kernel */
	bool (*macs)(const struct node_types *t, const struct type *w,
		     uint64_t *macs);
} mac_table[] = {
	{OP_Conv, 1, conv_macs},
	{OP_ConvInteger, 1, conv_macs},
	{OP_QLinearConv, 3, conv_macs},
	{OP_DeformConv, 1, conv_macs},
	{OP_ms_FusedConv, 1, conv_macs},
	{OP_ConvTranspose, 1, deconv_macs},
	{OP_MatMul, 1, matmul_macs},
	{OP_MatMulInteger, 1, matmul_macs},
	{OP_QLinearMatMul, 3, matmul_macs},
	{OP_Gemm, 1, matmul_macs},
	{OP_ms_FusedGemm, 1, matmul_macs},
	{OP_ms_QGemm, 3, matmul_macs},
	{OP_ms_FusedMatMul, 1, matmul_macs},
	{OP_ms_MatMulNBits, 1, matmul_macs},
	{OP_LSTM, 1, rnn_macs},
	{OP_GRU, 1, rnn_macs},
	{OP_RNN, 1, rnn_macs},
};

bool node_macs_of(const struct node_types *t, uint64_t *macs)
{
	*macs = 0;
	for (size_t i = 0; i < countof(mac_table); i++)
		if (node_is(t->n, mac_table[i].id))
			return mac_table[i].macs(t, t->in[mac_table[i].weight],
						 macs);
	return true;
}

bool node_macs(const struct node *n, uint64_t *macs)
{
	const struct value *out = node_out(n, 0);
	struct node_types t = {.n = n, .out = out ? out->type : NULL};

	for (uint32_t i = 0; i < countof(t.in); i++) {
		const struct value *v = node_in(n, i);

		t.in[i] = v ? v->type : NULL;
	}
	return node_macs_of(&t, macs);
}

static int by_name(const void *a, const void *b)
{
	const struct op_count *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static const char *op_text(struct model *m, const struct node *n)
{
	struct str d = sym_str(m, n->domain);

	if (!d.n || str_is(d, "ai.onnx"))
		return sym_text(m, n->type);
	return arena_printf(&m->arena, "%s.%s", sym_text(m, n->domain),
			    sym_text(m, n->type));
}

/* Both zeros of float32 have no bit set but the sign.  Blocks of a constant
 * length are what compilers vectorize. */
static uint64_t count_zeros_f32(const uint8_t *p, int64_t n)
{
	uint32_t bits, block[256];
	uint64_t zeros = 0;
	int64_t i = 0;

	for (; n - i >= (int64_t)countof(block); i += countof(block)) {
		uint32_t some = 0;

		memcpy(block, p + 4 * i, sizeof block);
		for (size_t k = 0; k < countof(block); k++)
			some += !(block[k] << 1);
		zeros += some;
	}
	for (; i < n; i++) {
		memcpy(&bits, p + 4 * i, sizeof bits);
		zeros += !(bits << 1);
	}
	return zeros;
}

static void count_tensor(struct model *m, struct cost *c, struct map *seen,
			 const struct tensor *t)
{
	const uint8_t *p;

	if (!t || !map_put(seen, map_ptr_key(t), 1))
		return;
	c->weight_bytes += t->len;
	c->params += (uint64_t)t->n;
	if (t->dt == DT_F32) {
		p = tensor_data(m, t);
		c->zeros += p ? count_zeros_f32(p, t->n) : 0;
		return;
	}
	for (int64_t i = 0; i < t->n && dtype_is_float(t->dt); i++)
		c->zeros += tensor_float(m, t, i) == 0;
}

static void count_node(struct model *m, struct cost *c, struct map *ops,
		       const struct node *n)
{
	uint64_t macs = 0, *slot;
	sym name;

	if (node_is(n, OP_Constant))
		return;
	c->nodes++;
	if (!node_macs(n, &macs))
		c->macs_unknown++;
	if (__builtin_add_overflow(c->macs, macs, &c->macs))
		c->macs = UINT64_MAX;
	name = model_sym(m, op_text(m, n));
	slot = map_get(ops, name);
	if (slot)
		++*slot;
	else
		map_put(ops, name, 1);
}

void model_cost(struct model *m, struct cost *c)
{
	struct map ops = {0}, seen = {0};
	graph_vec graphs = {0};
	struct node *n;

	*c = (struct cost){0};
	model_graphs(m, &graphs);
	for (size_t i = 0; i < graphs.n; i++) {
		struct graph *g = graphs.p[i];

		for (size_t j = 0; j < g->init.n; j++)
			count_tensor(m, c, &seen, g->init.p[j]->init);
		graph_foreach (n, g) {
			if (node_is(n, OP_Constant) && n->nout && n->out[0])
				count_tensor(m, c, &seen, n->out[0]->konst);
			count_node(m, c, &ops, n);
		}
	}
	c->nop = ops.n;
	c->op = arena_array(&m->arena, ops.n, sizeof *c->op);
	for (size_t i = 0; i < ops.n; i++) {
		c->op[i].name = sym_text(m, (sym)ops.e[i].key);
		c->op[i].n = ops.e[i].val;
	}
	if (c->nop)
		qsort(c->op, c->nop, sizeof *c->op, by_name);
	map_release(&ops);
	map_release(&seen);
	vec_release(&graphs);
}
