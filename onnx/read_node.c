/* SPDX-License-Identifier: MIT */
/*
 * read_node.c -- NodeProto becomes a node.
 */
#include <stdlib.h>
#include "ir/bind.h"
#include "onnx/read_p.h"

static enum status define_outputs(struct reader *r, struct node *n,
				  const Onnx__NodeProto *p)
{
	for (uint32_t i = 0; i < n->nout; i++) {
		const sym name = intern_str(r->m->syms, pb_str(p->output[i]));
		const struct where w = {.n = n, .what = "output", .name = name};
		enum status st;

		if (!p->output[i].len) {
			n->out[i] = NULL;
			continue;
		}
		n->out[i]->name = name;
		st = define(r, n->out[i], &w);
		if (st)
			return st;
	}
	return OK;
}

static enum status define_node(struct reader *r, struct graph *g,
			       const Onnx__NodeProto *p)
{
	const struct where w = {
		.g = g,
		.what = "node",
		.name = pb_sym(r->m->syms, p->has_name, p->name)};
	struct model *m = r->m;
	struct node *n;

	if (!p->has_op_type || !p->op_type.len)
		return diag_error(r->d, where_at(r, &w), E_op,
				  "the node has no operator");
	n = node_create(g, op_unknown(), (uint32_t)p->n_input,
			(uint32_t)p->n_output, NULL);
	n->name = w.name;
	n->type = pb_sym(m->syms, p->has_op_type, p->op_type);
	n->domain = pb_sym(m->syms, p->has_domain, p->domain);
	n->overload = pb_sym(m->syms, p->has_overload, p->overload);
	n->rest = pb_rest(&m->arena, &p->base, PB_NODE_MASK);
	bind_node(n, &r->funcs);
	return define_outputs(r, n, p);
}

enum status define_nodes(struct reader *r, struct graph *g, Onnx__NodeProto **p,
			 size_t n)
{
	enum status st = OK;

	for (size_t i = 0; !st && i < n; i++)
		st = define_node(r, g, p[i]);
	return st;
}

static enum status connect(struct reader *r, struct node *n,
			   const Onnx__NodeProto *p)
{
	for (uint32_t i = 0; i < n->nin; i++) {
		struct where w = {.n = n, .what = "input"};
		struct value *v;

		if (!p->input[i].len)
			continue;
		w.name = intern_str(r->m->syms, pb_str(p->input[i]));
		v = names_find(&r->names, n->graph, w.name);
		if (!v)
			return diag_error(r->d, where_at(r, &w), E_undefined,
					  "nothing defines this value");
		node_set_input(n, i, v);
	}
	return OK;
}

/* NOLINTNEXTLINE(misc-no-recursion): through attributes, see read_graph() */
enum status fill_nodes(struct reader *r, struct graph *g, Onnx__NodeProto **p,
		       size_t count, int depth)
{
	struct node *n = g->first;
	enum status st = OK;

	for (size_t i = 0; !st && i < count; i++, n = n->next) {
		st = connect(r, n, p[i]);
		if (!st)
			st = read_attrs(r, g, n, p[i]->attribute,
					p[i]->n_attribute, depth, &n->attr,
					&n->nattr);
	}
	return st;
}
