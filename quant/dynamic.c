/* SPDX-License-Identifier: MIT */
/*
 * dynamic.c -- activations quantized at run time.
 *
 *	x -> DynamicQuantizeLinear -> MatMulInteger -> Cast -> Mul -> (Add)
 *
 * For MatMul and Gemm.  Convolutions stay float with int8 weights, since
 * ConvInteger is several times slower than float convolution in common
 * runtimes.
 */
#include "quant/quant_p.h"

static const char *unfit(const struct node *n)
{
	struct weight w[WEIGHT_MAX];
	const struct value *x = node_in(n, 0);
	size_t k = node_weights(n, w);

	if (k != 1 || w[0].input != 1 || w[0].v->konst->dt != DT_F32)
		return "its weight is not a stored float32 constant";
	if (w[0].channel < 0 || w[0].v->konst->rank != 2)
		return "its weight is not a matrix";
	if (!x || x->type->kind != TY_TENSOR || x->type->dt != DT_F32)
		return "it does not compute in float32";
	if (node_is(n, OP_Gemm) && (node_attr_int(n, "transA", 0) ||
				    node_attr_float(n, "alpha", 1) != 1 ||
				    node_attr_float(n, "beta", 1) != 1))
		return "its Gemm transposes or scales";
	return NULL;
}

/* [N, K] to [K, N], int8. */
static const struct tensor *transposed(struct model *m, const struct tensor *t)
{
	int64_t dim[] = {t->dim[1], t->dim[0]};
	struct tensor *out = tensor_create(m, DT_I8, 2, dim);
	const int8_t *src = tensor_data(m, t);
	int8_t *dst;

	if (!out || !src)
		return NULL;
	dst = tensor_data_mut(out);
	for (int64_t i = 0; i < t->dim[0]; i++)
		for (int64_t j = 0; j < t->dim[1]; j++)
			dst[j * t->dim[0] + i] = src[i * t->dim[1] + j];
	return out;
}

static struct value *binary(struct graph *g, enum op_id op, struct value *a,
			    struct value *b, struct node *before)
{
	struct node *n = node_make(g, op, 2, 1, before);

	node_set_input(n, 0, a);
	node_set_input(n, 1, b);
	return n->out[0];
}

/* Cast(MatMulInteger(q(x), wq)) * (x_scale * w_scale) */
static struct value *integer_product(struct node *n, const struct tensor *wq,
				     const struct tensor *w_scale)
{
	struct graph *g = n->graph;
	struct node *dql = node_make(g, OP_DynamicQuantizeLinear, 1, 3, n);
	struct node *mm = node_make(g, OP_MatMulInteger, 3, 1, n);
	struct node *cast = node_make(g, OP_Cast, 1, 1, n);
	struct value *scale;

	node_set_input(dql, 0, node_in(n, 0));
	node_set_input(mm, 0, dql->out[0]);
	node_set_input(mm, 1, value_const(g, wq, mm));
	node_set_input(mm, 2, dql->out[2]);
	node_set_input(cast, 0, mm->out[0]);
	node_set_int(cast, "to", DT_F32);
	scale = binary(g, OP_Mul, dql->out[1], value_const(g, w_scale, n), n);
	return binary(g, OP_Mul, cast->out[0], scale, n);
}

static enum status rewrite_node(struct plan *p, struct node *n)
{
	struct weight w[WEIGHT_MAX];
	struct qweight_opts o;
	struct qweight q;
	struct value *y, *bias = node_is(n, OP_Gemm) ? node_in(n, 2) : NULL;
	enum status s;

	node_weights(n, w);
	o = weight_opts(p, n, w);
	s = quantize_weight(p->m, w->v->konst, &o, &q);
	if (s)
		return s;
	if (node_is(n, OP_Gemm) && node_attr_int(n, "transB", 0)) {
		q.q = transposed(p->m, q.q);
		if (!q.q)
			return LIMIT;
	}
	y = integer_product(n, q.q, q.scale);
	if (bias)
		y = binary(n->graph, OP_Add, y, bias, n);
	y->name = n->out[0]->name;
	n->out[0]->name = 0;
	y->type = n->out[0]->type;
	value_replace_uses(n->out[0], y);
	node_remove(n);
	p->r->quantized++;
	p->r->weights++;
	p->r->guarded += q.guarded;
	return OK;
}

static enum status visit(struct plan *p, struct node *n)
{
	bool candidate = node_is(n, OP_MatMul) || node_is(n, OP_Gemm);
	const char *why = candidate ? unfit(n) : NULL;

	if (candidate && plan_excluded(p, n))
		why = "excluded";
	if (candidate && why)
		plan_skip(p, n, why);
	if (candidate && !why)
		return rewrite_node(p, n);
	return OK;
}

enum status rewrite_dynamic(struct plan *p)
{
	enum status s;

	if (!op_latest(OP_DynamicQuantizeLinear,
		       model_opset(p->m->main, DOM_ONNX)))
		return diag_error(p->m->diag, NULL, E_unsupported,
				  "DynamicQuantizeLinear needs opset 11 or "
				  "newer");
	s = plan_each_node(p, visit);
	return s ? s : rewrite_weight_only(p);
}
