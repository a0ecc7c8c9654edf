/* SPDX-License-Identifier: MIT */
/*
 * bind.c -- what a node calls: a model-local function or an operator.
 *
 * A function hides an operator of the same name.  A domain that is not
 * imported has version 0, where no operator exists; before IR version 3 there
 * were no imports and ai.onnx had one version.
 */
#include <stdlib.h>
#include "ir/bind.h"

enum { IR_IMPORTS = 3 };

/* One symbol for domain, name and overload. */
static sym func_key(struct model *m, sym domain, sym name, sym overload)
{
	struct str part[3] = {sym_str(m, domain), sym_str(m, name),
			      sym_str(m, overload)};
	struct buf b = {0};
	sym s;

	if (str_is(part[0], "ai.onnx"))
		part[0].n = 0;
	for (unsigned i = 0; i < 3; i++) {
		buf_le(&b, part[i].n, 8);
		buf_add(&b, part[i].p, part[i].n);
	}
	s = intern_str(m->syms, (struct str){b.p, b.n});
	buf_release(&b);
	return s;
}

const struct func *bind_index(struct model *m, struct map *funcs)
{
	for (size_t i = 0; i < m->func.n; i++) {
		struct func *f = m->func.p[i];
		sym key = func_key(m, f->domain, f->name, f->overload);

		if (!map_put_ptr(funcs, key, f))
			return f;
	}
	return NULL;
}

static int64_t import_of(const struct graph *g, struct str domain)
{
	const struct model *m = g->model;
	const struct opset *o;
	bool onnx = !domain.n || str_is(domain, "ai.onnx");
	uint32_t n;

	while (g->owner)
		g = g->owner->graph;
	o = g->func ? g->func->opset : m->opset;
	n = g->func ? g->func->nopset : m->nopset;
	for (uint32_t i = 0; i < n; i++) {
		struct str s = sym_str(m, o[i].domain);

		if (str_eq(s, domain) ||
		    (onnx && (!s.n || str_is(s, "ai.onnx"))))
			return o[i].version;
	}
	return onnx && m->ir_version < IR_IMPORTS ? 1 : 0;
}

void bind_node(struct node *n, const struct map *funcs)
{
	struct model *m = n->graph->model;
	struct str domain = sym_str(m, n->domain);
	const struct op *op;

	n->func = NULL;
	if (funcs->n)
		n->func = map_get_ptr(
			funcs, func_key(m, n->domain, n->type, n->overload));
	if (n->func) {
		n->op = op_call();
		return;
	}
	op = op_find(domain, sym_str(m, n->type), import_of(n->graph, domain));
	n->op = op ? op : op_unknown();
}
