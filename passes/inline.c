/* SPDX-License-Identifier: MIT */
/*
 * inline.c -- take the branch of every If whose condition is a constant, or
 * follows from what the nodes after it can take (implied.c).
 *
 * The nodes and initializers of the branch move in front of the If, bodies
 * and all; captured values are ordinary uses and stay right.  A name that
 * anything else in the model has, too, is given up: model_finish() makes a
 * fresh one, so branches of several Ifs never clash.  Keeps no types: those of
 * the branch may now be known better.  Cost O(nodes).
 */
#include <stdlib.h>
#include "passes/constant_p.h"
#include "passes/implied_p.h"
#include "passes/pass_p.h"

static void count_name(struct map *names, const struct value *v)
{
	uint64_t *k;

	if (!v || !v->name)
		return;
	k = map_get(names, v->name);
	map_put(names, v->name, k ? *k + 1 : 1);
}

static void count_names(const struct model *m, struct map *names)
{
	graph_vec g = {0};
	struct node *n;

	model_graphs(m, &g);
	for (size_t i = 0; i < g.n; i++) {
		for (uint32_t k = 0; k < g.p[i]->nin; k++)
			count_name(names, g.p[i]->in[k]);
		for (size_t k = 0; k < g.p[i]->init.n; k++)
			if (!g.p[i]->init.p[k]->is_input)
				count_name(names, g.p[i]->init.p[k]);
		graph_foreach (n, g.p[i])
			for (uint32_t k = 0; k < n->nout; k++)
				count_name(names, n->out[k]);
	}
	vec_release(&g);
}

static void free_name(const struct map *names, struct value *v)
{
	uint64_t *k = v->name ? map_get(names, v->name) : NULL;

	if (k && *k > 1)
		v->name = 0;
	v->info = NULL;
}

static void move_inits(const struct map *names, struct graph *from,
		       struct node *to)
{
	struct graph *g = to->graph;

	for (size_t i = 0; i < from->init.n; i++) {
		struct value *v = from->init.p[i], *c;

		if (!v->graph)
			continue;
		free_name(names, v);
		c = const_place(g, v->init, false, NULL, to);
		c->name = v->name;
		value_replace_uses(v, c);
	}
	from->init.n = 0;
}

static void take_branch(const struct map *names, struct node *n,
			struct graph *branch)
{
	struct model *m = n->graph->model;
	struct node *k, *next;

	move_inits(names, branch, n);
	graph_foreach_safe (k, next, branch) {
		node_move(k, n);
		for (uint32_t i = 0; i < k->nout; i++)
			if (k->out[i])
				free_name(names, k->out[i]);
	}
	for (uint32_t i = 0; i < n->nout && i < branch->ret->nin; i++) {
		struct value *v = branch->ret->in[i].v;
		const struct type *t;

		if (!n->out[i] || !v)
			continue;
		t = type_merge(m, v->type, n->out[i]->type);
		if (t && !v->is_input && !v->init)
			v->type = t;
		value_replace_uses(n->out[i], v);
	}
	node_remove(n);
}

static bool known_condition(const struct node *n, bool *yes)
{
	struct value *c = node_in(n, 0);
	const struct model *m = n->graph->model;

	if (!c || !c->konst || c->konst->dt != DT_BOOL || c->konst->n != 1)
		return false;
	*yes = tensor_int(m, c->konst, 0) != 0;
	return true;
}

enum status pass_inline(struct pass_run *r)
{
	struct map names = {0};
	struct implied f = {0};
	graph_vec g = {0};
	struct node *n, *next;
	bool yes;

	count_names(r->m, &names);
	implied_find(&f, r->m);
	model_graphs(r->m, &g);
	/* Inner graphs first: what moves out has been looked through. */
	for (size_t i = g.n; i-- > 0;) {
		graph_foreach_safe (n, next, g.p[i]) {
			struct graph *branch;

			if (!node_is(n, OP_If) || node_has_attr_ref(n) ||
			    !(known_condition(n, &yes) ||
			      implied_condition(&f, n, &yes)))
				continue;
			branch = node_attr_graph(n, yes ? "then_branch"
							: "else_branch");
			if (branch && branch->owner == n &&
			    branch->ret->nin == n->nout &&
			    pass_allow(r, "inline", n))
				take_branch(&names, n, branch);
		}
	}
	vec_release(&g);
	map_release(&names);
	implied_release(&f);
	return OK;
}
