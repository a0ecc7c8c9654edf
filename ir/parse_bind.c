/* SPDX-License-Identifier: MIT */
/*
 * parse_bind.c -- after the text was read: names become values, operator
 * names become operators or functions, and nodes are put in order.
 */
#include <stdlib.h>
#include "ir/bind.h"
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

bool parse_bind(struct parser *p)
{
	struct map funcs = {0};
	graph_vec all = {0};
	struct node *n;
	const struct func *twice = NULL;
	bool ok = connect(p);

	if (ok)
		twice = bind_index(p->m, &funcs);
	if (twice)
		ok = parse_fail_at(p, p->p, E_func,
				   "function '%s' is defined twice",
				   sym_text(p->m, twice->name));
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
	if (ok)
		value_note_consts(p->m);
	return ok && model_check_calls(p->m) == OK;
}
