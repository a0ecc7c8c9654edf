/* SPDX-License-Identifier: MIT */
/*
 * parse_bind.c -- after the text was read: names become values, operator
 * names become operators or functions, and nodes are put in order.
 */
#include <stdlib.h>
#include "ir/calls.h"
#include "ir/parse_p.h"

static bool connect(struct parser *p)
{
	for (size_t i = 0; i < p->pending.n; i++) {
		const struct pending *x = &p->pending.p[i];
		struct value *v =
			scope_find(&p->names, x->user->graph, x->name);
		struct str s = sym_str(p->m, x->name);

		if (!v)
			return parse_fail_at(p, x->at, E_undefined,
					     "'%.*s' is not defined",
					     s.n > 200 ? 200 : (int)s.n, s.p);
		node_set_input(x->user, x->slot, v);
	}
	return true;
}

/* What the text says about v, on top of what is known. */
static void declare(struct model *m, struct value *v, const struct type *decl)
{
	const struct type *both = type_merge(m, v->type, decl);

	if (both)
		v->type = both;
}

/* Declared types are the best that is known before inference. */
static void link_infos(struct parser *p, struct graph *g)
{
	for (size_t i = 0; i < g->infos.n; i++) {
		const struct info *info = g->infos.p[i];
		struct value *v = scope_local(&p->names, g, info->name);

		if (!v)
			continue;
		if (!v->info)
			v->info = info;
		declare(p->m, v, info->decl);
	}
	for (uint32_t i = 0; i < g->ret->nin; i++)
		declare(p->m, g->ret->in[i].v, g->out_info[i].decl);
}

/* One symbol for domain, name and overload. */
static sym func_sym(struct model *m, sym domain, sym name, sym overload)
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

static bool index_funcs(struct parser *p, struct map *funcs)
{
	struct model *m = p->m;

	for (size_t i = 0; i < m->func.n; i++) {
		struct func *f = m->func.p[i];
		sym key = func_sym(m, f->domain, f->name, f->overload);

		if (!map_put_ptr(funcs, key, f))
			return parse_fail_at(p, p->p, E_func,
					     "function '%s' is defined twice",
					     sym_text(m, f->name));
	}
	return true;
}

static int64_t import_of(const struct graph *g, struct str domain)
{
	const struct model *m = g->model;
	const struct opset *o;
	uint32_t n;

	while (g->owner)
		g = g->owner->graph;
	o = g->func ? g->func->opset : m->opset;
	n = g->func ? g->func->nopset : m->nopset;
	for (uint32_t i = 0; i < n; i++) {
		struct str s = sym_str(m, o[i].domain);

		if (str_eq(s, domain) || (!domain.n && str_is(s, "ai.onnx")) ||
		    (!s.n && str_is(domain, "ai.onnx")))
			return o[i].version;
	}
	return domain.n && !str_is(domain, "ai.onnx") ? 0 : 1;
}

static void bind_node(struct node *n, const struct map *funcs)
{
	struct model *m = n->graph->model;
	struct str domain = sym_str(m, n->domain);
	const struct op *op;

	if (funcs->n)
		n->func = map_get_ptr(
			funcs, func_sym(m, n->domain, n->type, n->overload));
	if (n->func) {
		n->op = op_call();
		return;
	}
	op = op_find(domain, sym_str(m, n->type), import_of(n->graph, domain));
	n->op = op ? op : op_unknown();
}

bool parse_bind(struct parser *p)
{
	struct map funcs = {0};
	graph_vec all = {0};
	struct node *n;
	bool ok = connect(p) && index_funcs(p, &funcs);

	if (ok)
		model_graphs(p->m, &all);
	for (size_t i = 0; ok && i < all.n; i++) {
		link_infos(p, all.p[i]);
		graph_foreach (n, all.p[i])
			bind_node(n, &funcs);
		ok = graph_sort(all.p[i]) == OK;
	}
	vec_release(&all);
	map_release(&funcs);
	return ok && model_check_calls(p->m) == OK;
}
