/* SPDX-License-Identifier: MIT */
/*
 * ir_build.h -- small graphs for tests of the IR.
 */
#ifndef TESTS_UNIT_IR_BUILD_H
#define TESTS_UNIT_IR_BUILD_H

#include "ir/ir.h"

/* A model with ai.onnx 17 and a main graph of nin inputs "in0", "in1", ... */
static inline struct model *build_model(struct diag *d, uint32_t nin)
{
	struct model *m = model_create(d);

	m->ir_version = 8;
	m->has_ir_version = true;
	model_import(m->main, DOM_ONNX, 17);
	m->main->name = model_sym(m, "g");
	graph_set_inputs(m->main, nin);
	for (uint32_t i = 0; i < nin; i++) {
		char name[16];

		snprintf(name, sizeof name, "in%u", i);
		m->main->in[i]->name = model_sym(m, name);
		m->main->in_info[i].name = m->main->in[i]->name;
	}
	return m;
}

/* A node with inputs a and b (b may be NULL) and one output. */
static inline struct value *build_node(struct graph *g, enum op_id id,
				       struct value *a, struct value *b,
				       const char *name)
{
	struct node *n = node_make(g, id, b ? 2 : a ? 1 : 0, 1, NULL);

	if (a)
		node_set_input(n, 0, a);
	if (b)
		node_set_input(n, 1, b);
	if (name)
		n->out[0]->name = model_sym(g->model, name);
	return n->out[0];
}

/* Output i of g returns v under a declared name (NULL: none). */
static inline void build_output(struct graph *g, uint32_t i, struct value *v,
				const char *name)
{
	if (g->ret->nin <= i)
		graph_set_outputs(g, i + 1);
	use_set(&g->ret->in[i], v);
	if (name)
		g->out_info[i].name = model_sym(g->model, name);
}

/* A body for attribute attr of n. */
static inline struct graph *build_body(struct node *n, const char *attr)
{
	struct graph *g = graph_create(n->graph->model, n);

	node_set_graph(n, attr, g);
	return g;
}

/* An If whose branches both return v, a value of the outer graph, negated;
 * result is its output. */
static inline struct value *build_if(struct graph *g, struct value *cond,
				     struct value *v, const char *name)
{
	struct value *r = build_node(g, OP_If, cond, NULL, name);
	static const char *const branch[] = {"then_branch", "else_branch"};

	for (size_t i = 0; i < countof(branch); i++) {
		struct graph *b = build_body(r->def, branch[i]);
		struct value *y = build_node(b, OP_Neg, v, NULL, branch[i]);

		build_output(b, 0, y, branch[i]);
	}
	return r;
}

#endif
