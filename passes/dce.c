/* SPDX-License-Identifier: MIT */
/*
 * dce.c -- remove what nothing uses: nodes, optional outputs, initializers,
 * functions.
 *
 * Bodies before their owners, nodes last to first, so one sweep is enough.
 * Unknown operators may have effects and stay.  Graph inputs stay; before IR
 * version 4 the format listed every initializer as an input: those go with
 * their initializer.  Keeps types.  Cost O(nodes + edges).
 */
#include <stdlib.h>
#include <string.h>
#include "passes/constant_p.h"
#include "passes/pass_p.h"

static bool unused(const struct node *n)
{
	for (uint32_t i = 0; i < n->nout; i++)
		if (n->out[i] && n->out[i]->nuse)
			return false;
	return true;
}

/* Does the schema let output i be left out? */
static bool optional_output(const struct op *op, uint32_t i)
{
	const char *p = op->out;

	for (; i && *p; i--) {
		p += strcspn(p, " ");
		p += strspn(p, " ");
	}
	return *p && memchr(p, '?', strcspn(p, " ")) != NULL;
}

static void trim_outputs(struct pass_run *r, struct node *n)
{
	const struct op *op = n->op;
	bool any = false;

	if (op->id <= OP_CALL || op->out_max == ARITY_ANY ||
	    op->flags & OPF_SUBGRAPH)
		return;
	for (uint32_t i = n->nout; i-- > (uint32_t)op->out_min;) {
		struct value *v = n->out[i];

		if (!v || v->nuse || !optional_output(op, i) ||
		    (!any && !pass_allow(r, "dce", n)))
			continue;
		any = true;
		value_remove(v);
	}
	while (n->nout > (uint32_t)op->out_min && n->nout > 1 &&
	       !n->out[n->nout - 1]) {
		n->nout--;
		r->changed = true;
	}
}

static void sweep(struct pass_run *r, struct graph *g)
{
	struct node *n, *prev;

	for (n = g->last; n; n = prev) {
		prev = n->prev;
		if (!unused(n)) {
			trim_outputs(r, n);
			continue;
		}
		if (!node_removable(n) || !pass_allow(r, "dce", n))
			continue;
		pass_spend(r, 0, node_size(r->m, n));
		node_remove(n);
	}
}

static void sweep_inits(struct pass_run *r, struct graph *g)
{
	for (size_t i = 0; i < g->init.n; i++) {
		struct value *v = g->init.p[i];

		if (!v->graph || v->nuse || v->def)
			continue;
		if (v->is_input && (!v->konst || const_storable(g)))
			continue;
		pass_spend(r, 0, const_size(r->m, v->init, v->name));
		value_remove(v);
		r->changed = true;
	}
}

/* Marks the functions that g and its bodies call. */
static void mark_calls(const struct graph *g, struct map *called,
		       graph_vec *work)
{
	graph_vec all = {0};
	const struct node *n;

	vec_push(&all, (struct graph *)g);
	while (all.n) {
		g = vec_pop(&all);
		graph_foreach (n, g) {
			for (size_t i = 0; i < node_graph_count(n); i++)
				vec_push(&all, node_graph(n, i));
			if (n->op->id == OP_CALL && n->func &&
			    map_put(called, map_ptr_key(n->func), 1))
				vec_push(work, n->func->body);
		}
	}
	vec_release(&all);
}

static void drop_functions(struct pass_run *r)
{
	struct model *m = r->m;
	struct map called = {0};
	graph_vec work = {0};
	size_t kept = 0;

	vec_push(&work, m->main);
	while (work.n)
		mark_calls(vec_pop(&work), &called, &work);
	for (size_t i = 0; i < m->func.n; i++)
		if (map_get(&called, map_ptr_key(m->func.p[i])))
			m->func.p[kept++] = m->func.p[i];
	r->changed |= kept != m->func.n;
	m->func.n = kept;
	vec_release(&work);
	map_release(&called);
}

enum status pass_dce(struct pass_run *r)
{
	graph_vec g = {0};

	model_graphs(r->m, &g);
	for (size_t i = g.n; i-- > 0;)
		sweep(r, g.p[i]);
	vec_release(&g);
	model_graphs(r->m, &g);
	for (size_t i = 0; i < g.n; i++)
		sweep_inits(r, g.p[i]);
	vec_release(&g);
	drop_functions(r);
	return OK;
}
