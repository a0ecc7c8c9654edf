/* SPDX-License-Identifier: MIT */
/*
 * weight.c -- int8 weights with float computation.
 *
 * Every constant weight becomes int8 behind a DequantizeLinear.  A table of
 * rows (embedding) is looked up in int8 and only the rows found are scaled.
 */
#include "quant/quant_p.h"

enum { MIN_TABLE = 1024 }; /* smaller tables gain nothing */

static enum status one_weight(struct plan *p, struct node *n,
			      const struct weight *w)
{
	struct qweight_opts o = weight_opts(p, n, w);
	struct qweight q;
	struct value *dq;
	enum status s;

	o.guard = false; /* nothing multiplies in integers */
	s = quantize_weight(p->m, w->v->konst, &o, &q);
	if (s)
		return s;
	dq = weight_dequant(p, n, &q);
	if (!dq)
		return diag_error(p->m->diag, NULL, E_unsupported,
				  "DequantizeLinear needs opset 10 or newer");
	node_set_input(n, w->input, dq);
	return OK;
}

/* Gather(W, i) = DQ(Gather(q, i)), one scale per column of W [rows, cols]. */
enum status rewrite_gather(struct plan *p, struct node *n)
{
	struct value *table = node_in(n, 0), *out = node_out(n, 0);
	struct weight w = {table, 0, 1, -1};
	struct qweight_opts o;
	struct qweight q;
	struct node *dq;
	enum status s;

	if (!table->konst || table->konst->rank != 2 ||
	    table->konst->dt != DT_F32 || table->konst->n < MIN_TABLE ||
	    node_attr_int(n, "axis", 0) != 0 || out->type->rank < 1)
		return OK;
	o = weight_opts(p, n, &w);
	s = quantize_weight(p->m, table->konst, &o, &q);
	if (s)
		return s;
	dq = node_make(n->graph, OP_DequantizeLinear, 2, 1, n->next);
	if (!dq)
		return OK;
	value_replace_uses(out, dq->out[0]);
	dq->out[0]->type = out->type;
	out->type = type_unknown();
	node_set_input(n, 0, value_const(n->graph, q.q, n));
	node_set_input(dq, 0, out);
	node_set_input(dq, 1, value_const(n->graph, q.scale, dq));
	if (q.axis >= 0)
		node_set_int(dq, "axis", dq->out[0]->type->rank - 1);
	p->r->weights++;
	return OK;
}

static enum status one_node(struct plan *p, struct node *n)
{
	struct weight w[WEIGHT_MAX];
	size_t k = node_weights(n, w);
	enum status s = OK;

	if (!node_has_weights(n))
		return OK;
	if (plan_excluded(p, n)) {
		plan_skip(p, n, "excluded");
		return OK;
	}
	if (node_is(n, OP_Gather))
		return rewrite_gather(p, n);
	if (!k)
		plan_skip(p, n, "its weight is not a stored constant");
	for (size_t i = 0; i < k && !s; i++) {
		if (w[i].v->konst->dt == DT_F32)
			s = one_weight(p, n, &w[i]);
		else
			plan_skip(p, n, "its weight is not float32");
	}
	p->r->quantized += k && !s;
	return s;
}

enum status rewrite_weight_only(struct plan *p)
{
	return plan_each_node(p, one_node);
}
