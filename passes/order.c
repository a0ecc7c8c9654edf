/* SPDX-License-Identifier: MIT */
/*
 * order.c -- the passes `infer` and `sort`: fresh facts and a fresh order.
 *
 * Every pass keeps the list in topological order, so sort changes something
 * only where nodes were moved by hand.  Cost O(nodes + edges).
 */
#include <stdlib.h>
#include "passes/pass_p.h"

enum status pass_infer(struct pass_run *r)
{
	return model_infer(r->m);
}

static bool sort_graph(struct graph *g, enum status *s)
{
	VEC(struct node *) old = {0};
	struct node *n;
	bool moved = false;
	size_t i = 0;

	graph_foreach (n, g)
		vec_push(&old, n);
	*s = graph_sort(g);
	graph_foreach (n, g)
		moved |= n != old.p[i++];
	vec_release(&old);
	return moved;
}

enum status pass_sort(struct pass_run *r)
{
	graph_vec g = {0};
	enum status s = OK;

	model_graphs(r->m, &g);
	for (size_t i = 0; i < g.n && !s; i++)
		r->changed |= sort_graph(g.p[i], &s);
	vec_release(&g);
	return s;
}
