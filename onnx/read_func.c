/* SPDX-License-Identifier: MIT */
/*
 * read_func.c -- model-local functions: signatures and bodies.  That calls
 * end is checked by ir/calls.h once everything is read.
 */
#include <stdlib.h>
#include "ir/bind.h"
#include "ir/calls.h"
#include "onnx/read_p.h"

static enum status read_signature(struct reader *r,
				  const Onnx__FunctionProto *p)
{
	struct model *m = r->m;
	struct func *f = arena_new(&m->arena, struct func);
	const struct where w = {.what = "function",
				.name = pb_sym(m->syms, p->has_name, p->name)};

	f->name = w.name;
	f->domain = pb_sym(m->syms, p->has_domain, p->domain);
	f->overload = pb_sym(m->syms, p->has_overload, p->overload);
	f->rest = pb_rest(&m->arena, &p->base, PB_FUNC_MASK);
	if (!p->name.len)
		return diag_error(r->d, where_at(r, &w), E_func,
				  "the function has no name");
	f->nattr = (uint32_t)p->n_attribute;
	f->attr = arena_array(&m->arena, p->n_attribute, sizeof *f->attr);
	for (uint32_t i = 0; i < f->nattr; i++)
		f->attr[i] = intern_str(m->syms, pb_str(p->attribute[i]));
	f->body = graph_create(m, NULL);
	f->body->func = f;
	vec_push(&m->func, f);
	return read_opsets(r, p->opset_import, p->n_opset_import, &f->opset,
			   &f->nopset);
}

static enum status read_params(struct reader *r, struct graph *g,
			       const Onnx__FunctionProto *p)
{
	enum status st = OK;

	graph_set_inputs(g, (uint32_t)p->n_input);
	for (uint32_t i = 0; !st && i < p->n_input; i++) {
		const sym name = intern_str(r->m->syms, pb_str(p->input[i]));
		const struct where w = {
			.g = g, .what = "parameter", .name = name};

		g->in[i]->name = g->in_info[i].name = name;
		g->in_info[i].decl = type_unknown();
		st = define(r, g->in[i], &w);
	}
	return st;
}

static enum status read_results(struct reader *r, struct graph *g,
				const Onnx__FunctionProto *p)
{
	graph_set_outputs(g, (uint32_t)p->n_output);
	for (uint32_t i = 0; i < p->n_output; i++) {
		const sym name = intern_str(r->m->syms, pb_str(p->output[i]));
		const struct where w = {.g = g, .what = "result", .name = name};
		struct value *v = names_find(&r->names, g, name);

		g->out_info[i].name = name;
		g->out_info[i].decl = type_unknown();
		if (!v)
			return diag_error(r->d, where_at(r, &w), E_undefined,
					  "nothing defines this value");
		use_set(&g->ret->in[i], v);
	}
	return OK;
}

static enum status read_body(struct reader *r, struct func *f,
			     const Onnx__FunctionProto *p)
{
	struct graph *g = f->body;
	enum status st = read_params(r, g, p);

	if (!st)
		st = read_attrs(r, g, NULL, p->attribute_proto,
				p->n_attribute_proto, 0, &f->attr_default,
				&f->nattr_default);
	if (!st)
		st = read_infos(r, g, p->value_info, p->n_value_info);
	if (!st)
		st = define_nodes(r, g, p->node, p->n_node);
	if (st)
		return st;
	link_infos(r, g);
	st = fill_nodes(r, g, p->node, p->n_node, 0);
	if (!st)
		st = read_results(r, g, p);
	if (!st)
		st = graph_sort(g);
	return st;
}

enum status read_funcs(struct reader *r, Onnx__FunctionProto **p, size_t n)
{
	const struct at at = {.file = r->path};
	const struct func *twice;
	enum status st = OK;

	if (n > FUNC_MAX)
		return diag_error(r->d, &at, E_func,
				  "%zu functions are more than %d", n,
				  FUNC_MAX);
	for (size_t i = 0; !st && i < n; i++)
		st = read_signature(r, p[i]);
	twice = st ? NULL : bind_index(r->m, &r->funcs);
	if (twice) {
		const struct where w = {.what = "function",
					.name = twice->name};

		st = diag_error(r->d, where_at(r, &w), E_func,
				"the function is defined twice");
	}
	for (size_t i = 0; !st && i < n; i++)
		st = read_body(r, r->m->func.p[i], p[i]);
	return st;
}
