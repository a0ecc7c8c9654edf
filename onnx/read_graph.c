/* SPDX-License-Identifier: MIT */
/*
 * read_graph.c -- GraphProto becomes a graph whose names are resolved.
 *
 * First everything that defines a name (inputs, initializers, node outputs),
 * then what uses one: nodes may come in any order in the file.
 */
#include "onnx/read_p.h"

/* From this IR version on an initializer of an input is a default only. */
enum { IR_INPUT_DEFAULTS = 4 };

enum status define(struct reader *r, struct value *v, const struct where *w)
{
	if (sym_str(r->m, v->name).n == 0)
		return diag_error(r->d, where_at(r, w), E_name,
				  "the name is empty");
	if (names_add(&r->names, v))
		return OK;
	return diag_error(r->d, where_at(r, w), E_name,
			  "the name is defined twice");
}

static enum status read_inputs(struct reader *r, struct graph *g,
			       const Onnx__GraphProto *p)
{
	enum status st;

	graph_set_inputs(g, (uint32_t)p->n_input);
	for (uint32_t i = 0; i < g->nin; i++) {
		const struct where w = {.g = g, .what = "graph input"};
		struct info *info = &g->in_info[i];
		struct where named = w;

		st = read_info(r, p->input[i], info);
		if (st)
			return st;
		g->in[i]->name = named.name = info->name;
		g->in[i]->type = info->decl;
		st = define(r, g->in[i], &named);
		if (st)
			return st;
	}
	return OK;
}

/* The stored tensor t is the value, or the default, of this name. */
static enum status add_init(struct reader *r, struct graph *g, struct tensor *t)
{
	const struct where w = {.g = g, .what = "initializer", .name = t->name};
	struct value *v = names_local(&r->names, g, t->name);

	if (!v) {
		v = graph_add_init(g, t->name, t);
		if (t->sparse_indices)
			v->konst = NULL; /* holds only the nonzero elements */
		return define(r, v, &w);
	}
	if (v->init)
		return diag_error(r->d, where_at(r, &w), E_name,
				  "the initializer is defined twice");
	v->init = t;
	if (r->m->ir_version < IR_INPUT_DEFAULTS && !t->sparse_indices)
		v->konst = t;
	vec_push(&g->init, v);
	return OK;
}

static enum status read_inits(struct reader *r, struct graph *g,
			      const Onnx__GraphProto *p)
{
	struct where w = {.g = g, .what = "initializer"};
	struct tensor *t;
	enum status st = OK;

	for (size_t i = 0; !st && i < p->n_initializer; i++) {
		const Onnx__TensorProto *q = p->initializer[i];

		w.name = pb_sym(r->m->syms, q->has_name, q->name);
		st = read_tensor(r, &w, q, &t);
		if (!st)
			st = add_init(r, g, t);
	}
	for (size_t i = 0; !st && i < p->n_sparse_initializer; i++) {
		const Onnx__SparseTensorProto *q = p->sparse_initializer[i];

		w.what = "sparse initializer";
		w.name = q->values ? pb_sym(r->m->syms, q->values->has_name,
					    q->values->name)
				   : 0;
		st = read_sparse(r, &w, q, &t);
		if (!st)
			st = add_init(r, g, t);
	}
	return st;
}

enum status read_infos(struct reader *r, struct graph *g,
		       Onnx__ValueInfoProto **p, size_t n)
{
	enum status st = OK;

	for (size_t i = 0; !st && i < n; i++) {
		struct info *info = arena_new(&r->m->arena, struct info);

		st = read_info(r, p[i], info);
		if (!st)
			vec_push(&g->infos, info);
	}
	return st;
}

/* What the file says about v, on top of what is known. */
static void declare(struct model *m, struct value *v, const struct type *decl)
{
	const struct type *both = type_merge(m, v->type, decl);

	if (both)
		v->type = both;
}

void link_infos(struct reader *r, struct graph *g)
{
	for (size_t i = 0; i < g->infos.n; i++) {
		const struct info *info = g->infos.p[i];
		struct value *v = names_local(&r->names, g, info->name);

		if (!v)
			continue;
		if (!v->info)
			v->info = info;
		declare(r->m, v, info->decl);
	}
}

static enum status read_outputs(struct reader *r, struct graph *g,
				const Onnx__GraphProto *p)
{
	graph_set_outputs(g, (uint32_t)p->n_output);
	for (uint32_t i = 0; i < p->n_output; i++) {
		struct info *info = &g->out_info[i];
		struct where w = {.g = g, .what = "graph output"};
		enum status st = read_info(r, p->output[i], info);
		struct value *v;

		if (st)
			return st;
		w.name = info->name;
		v = names_find(&r->names, g, info->name);
		if (!v)
			return diag_error(r->d, where_at(r, &w), E_undefined,
					  "nothing defines this value");
		use_set(&g->ret->in[i], v);
		declare(r->m, v, info->decl);
	}
	return OK;
}

/* NOLINTNEXTLINE(misc-no-recursion): depth is bounded by the skim */
enum status read_graph(struct reader *r, struct graph *g,
		       const Onnx__GraphProto *p, int depth)
{
	enum status st;

	if (depth > SKIM_DEPTH)
		BUG("graphs nested deeper than messages");
	g->name = pb_sym(r->m->syms, p->has_name, p->name);
	g->rest = pb_rest(&r->m->arena, &p->base, PB_GRAPH_MASK);
	st = read_inputs(r, g, p);
	if (!st)
		st = read_inits(r, g, p);
	if (!st)
		st = read_infos(r, g, p->value_info, p->n_value_info);
	if (!st)
		st = define_nodes(r, g, p->node, p->n_node);
	if (st)
		return st;
	link_infos(r, g);
	st = fill_nodes(r, g, p->node, p->n_node, depth);
	if (!st)
		st = read_outputs(r, g, p);
	if (!st)
		st = graph_sort(g);
	return st;
}
