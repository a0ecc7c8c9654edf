/* SPDX-License-Identifier: MIT */
/*
 * static.c -- QuantizeLinear/DequantizeLinear around integer nodes.
 */
#include <math.h>
#include <string.h>
#include "quant/quant_p.h"

static struct value *scalar_f32(struct plan *p, struct graph *g, float v,
				struct node *before)
{
	return value_const(g, tensor_scalar(p->m, DT_F32, (double)v), before);
}

struct node *make_qdq(struct graph *g, enum op_id op, struct value *x,
		      struct value *scale, struct value *zero,
		      struct node *before)
{
	struct node *n = node_make(g, op, zero ? 3 : 2, 1, before);

	if (!n)
		return NULL;
	node_set_input(n, 0, x);
	node_set_input(n, 1, scale);
	if (zero)
		node_set_input(n, 2, zero);
	return n;
}

/* The node after which v exists: Q and DQ go before the result. */
static struct node *insert_point(const struct graph *g, const struct value *v)
{
	return v->def && v->def->graph == g ? v->def->next : g->first;
}

/* Should this use of an activation read the dequantized value? */
static bool takes_dq(struct plan *p, const struct act *a, const struct use *u)
{
	const struct unit *c = plan_unit(p, u->user);

	if (u->user == u->user->graph->ret && u->user->graph == a->v->graph)
		return false;
	if (a->everywhere)
		return true;
	return c && (c->kind != UNIT_MAC || u == &u->user->in[0]) &&
	       (c->kind != UNIT_PASS || u == &u->user->in[0]);
}

static enum status insert_pair(struct plan *p, struct act *a)
{
	struct graph *g = a->v->graph;
	struct node *before = insert_point(g, a->v), *q, *dq;
	struct value *scale, *zero;
	struct use *u, *next;

	scale = scalar_f32(p, g, a->p.scale, before);
	zero = value_const(g, tensor_scalar(p->m, DT_U8, a->p.zero), before);
	q = make_qdq(g, OP_QuantizeLinear, a->v, scale, zero, before);
	dq = q ? make_qdq(g, OP_DequantizeLinear, q->out[0], scale, zero,
			  before)
	       : NULL;
	if (!dq)
		return diag_error(p->m->diag, NULL, E_unsupported,
				  "QuantizeLinear needs opset 10 or newer");
	for (u = a->v->uses; u; u = next) {
		next = u->next;
		if (u->user != q && takes_dq(p, a, u))
			use_set(u, dq->out[0]);
	}
	return OK;
}

/* Zero points of weights are all 0: one constant per channel count. */
static struct value *shared_zero(struct plan *p, struct graph *g,
				 const struct tensor *zero, struct node *before)
{
	uint64_t key =
		(uint64_t)(zero->rank ? zero->n : 0) << 32 ^ map_ptr_key(g);
	struct value *v = map_get_ptr(&p->zeros, key);

	if (v && !v->def)
		return v;
	v = value_const(g, zero, before);
	map_put_ptr(&p->zeros, key, v);
	return v;
}

struct value *weight_dequant(struct plan *p, struct node *n,
			     const struct qweight *q)
{
	struct graph *g = n->graph;
	struct value *x = value_const(g, q->q, n);
	struct value *scale = value_const(g, q->scale, n);
	struct node *dq = make_qdq(g, OP_DequantizeLinear, x, scale,
				   shared_zero(p, g, q->zero, n), n);

	if (!dq)
		return NULL;
	if (q->axis >= 0)
		node_set_int(dq, "axis", q->axis);
	p->r->weights++;
	p->r->guarded += q->guarded;
	return dq->out[0];
}

/* Opset 10 knows one scale per tensor only. */
static bool can_do_axis(const struct node *n)
{
	const struct op *op =
		op_latest(OP_DequantizeLinear, model_opset(n->graph, DOM_ONNX));

	return op && strstr(op->attrs, "axis:") != NULL;
}

/* Depthwise kernels widen each tap, so there is no pair to saturate. */
static bool is_depthwise(const struct node *n, const struct weight *w)
{
	return node_is(n, OP_Conv) && w->v->konst->dim[1] == 1;
}

struct qweight_opts weight_opts(const struct plan *p, const struct node *n,
				const struct weight *w)
{
	bool channel = !p->o->per_tensor && can_do_axis(n);

	return (struct qweight_opts){
		.channel = channel ? w->channel : -1,
		.contraction = w->contraction,
		.guard = !p->o->no_saturation_guard && w->contraction >= 0 &&
			 !is_depthwise(n, w),
	};
}

/* The constant float32 bias of a Conv or Gemm that int32 can hold: one value
 * per channel, added as it is. */
static const struct tensor *plain_bias(const struct node *n, int64_t channels)
{
	const struct value *b = node_in(n, 2);
	bool row = b && b->konst &&
		   (b->konst->rank == 1 ||
		    (b->konst->rank == 2 && b->konst->dim[0] == 1));

	if (!row || b->konst->dt != DT_F32 || b->konst->n != channels)
		return NULL;
	if (node_is(n, OP_Gemm) && (node_attr_float(n, "alpha", 1) != 1 ||
				    node_attr_float(n, "beta", 1) != 1))
		return NULL;
	return b->konst;
}

static enum status bias_dequant(struct plan *p, struct node *n,
				const struct tensor *bias, float x_scale,
				const struct qweight *w)
{
	const struct tensor *q, *scale;
	struct node *dq;
	enum status s = quantize_bias(p->m, bias, x_scale, w, &q, &scale);

	if (s)
		return s;
	dq = make_qdq(n->graph, OP_DequantizeLinear,
		      value_const(n->graph, q, n),
		      value_const(n->graph, scale, n), NULL, n);
	if (!dq)
		return OK;
	if (scale->rank)
		node_set_int(dq, "axis", 0);
	node_set_input(n, 2, dq->out[0]);
	return OK;
}

static enum status quantize_mac(struct plan *p, const struct unit *u)
{
	const struct act *x = map_get_ptr(&p->act_of, map_ptr_key(u->x));
	struct weight w[WEIGHT_MAX];
	struct qweight_opts o;
	struct qweight q;
	const struct tensor *bias;
	struct value *dq;
	enum status s;

	if (node_weights(u->n, w) != 1)
		return OK;
	o = weight_opts(p, u->n, w);
	o.x_scale = x->p.scale;
	bias = plain_bias(u->n, w->v->konst->dim[w->channel]);
	if (bias) {
		o.bias = tensor_data(p->m, bias);
		o.nbias = bias->n;
	}
	s = quantize_weight(p->m, w->v->konst, &o, &q);
	if (s)
		return s;
	dq = weight_dequant(p, u->n, &q);
	if (!dq)
		return OK;
	if (bias)
		s = bias_dequant(p, u->n, bias, x->p.scale, &q);
	node_set_input(u->n, w->input, dq);
	return s;
}

/*
 * The output range starts at zero point 0, so quantizing clamps negative
 * numbers to 0; a Clip's upper bound is absorbed if the range ends below it.
 */
static bool range_absorbs(const struct unit *u, const struct act *a)
{
	double hi = 3.4e38;

	if (node_is(u->relu, OP_Clip) &&
	    !node_float_param(u->relu, "max", 2, 3.4e38, &hi))
		return false;
	return a->p.zero == 0 && 255 * (double)a->p.scale <= hi * (1 + 1e-6);
}

static void absorb_relu(struct plan *p, const struct unit *u)
{
	const struct act *a = map_get_ptr(&p->act_of, map_ptr_key(u->out));
	bool quantized_only = a && a->v->nuse == 1 &&
			      node_is(a->v->uses->user, OP_QuantizeLinear);

	if (!quantized_only || !range_absorbs(u, a))
		return;
	value_replace_uses(u->out, node_out(u->n, 0));
	node_remove(u->relu);
}

enum status rewrite_static(struct plan *p)
{
	enum status s = OK;

	for (size_t i = 0; i < p->acts.n && !s; i++)
		s = insert_pair(p, p->acts.p[i]);
	for (size_t i = 0; i < p->units.n && !s; i++) {
		const struct unit *u = &p->units.p[i];

		if (u->kind == UNIT_MAC)
			s = quantize_mac(p, u);
		if (u->kind)
			p->r->quantized++;
		if (u->kind && u->relu && !s)
			absorb_relu(p, u);
	}
	return s;
}
