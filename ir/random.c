/* SPDX-License-Identifier: MIT */
/*
 * random.c -- which values depend on random numbers.
 *
 * A node's results do if it is random, if an input does, or if anything in its
 * bodies or in the function that it calls does.  Linear in nodes; functions
 * are looked at once.
 */
#include "ir/core_p.h"

enum { DEPTH_MAX = 100 };

struct walk {
	struct map values; /* that depend on random numbers */
	struct map funcs;  /* func -> 1 + answer */
};

static bool body_random(struct walk *w, const struct graph *g, int depth);

static bool call_random(struct walk *w, const struct func *f, int depth)
{
	uint64_t *known = map_get(&w->funcs, map_ptr_key(f));
	bool random;

	if (known)
		return *known > 1;
	random = body_random(w, f->body, depth + 1);
	map_put(&w->funcs, map_ptr_key(f), 1 + random);
	return random;
}

static bool depends(struct walk *w, const struct node *n, int depth)
{
	if (depth > DEPTH_MAX || node_random(n))
		return true;
	for (uint32_t i = 0; i < n->nin; i++)
		if (n->in[i].v && map_get(&w->values, map_ptr_key(n->in[i].v)))
			return true;
	if (n->op->id == OP_CALL && n->func && call_random(w, n->func, depth))
		return true;
	for (size_t i = 0; i < node_graph_count(n); i++)
		if (body_random(w, node_graph(n, i), depth + 1))
			return true;
	return false;
}

static bool body_random(struct walk *w, const struct graph *g, int depth)
{
	const struct node *n;

	graph_foreach (n, g)
		if (depends(w, n, depth)) /* NOLINT: DEPTH_MAX at most */
			return true;
	for (uint32_t i = 0; i < g->ret->nin; i++)
		if (g->ret->in[i].v &&
		    map_get(&w->values, map_ptr_key(g->ret->in[i].v)))
			return true;
	return false;
}

void random_outputs(const struct model *m, bool *out)
{
	struct walk w = {0};
	const struct node *n;

	graph_foreach (n, m->main) {
		if (!depends(&w, n, 0))
			continue;
		for (uint32_t i = 0; i < n->nout; i++)
			if (n->out[i])
				map_put(&w.values, map_ptr_key(n->out[i]), 1);
	}
	for (uint32_t i = 0; i < m->main->ret->nin; i++) {
		const struct value *v = m->main->ret->in[i].v;

		out[i] = v && map_get(&w.values, map_ptr_key(v));
	}
	map_release(&w.values);
	map_release(&w.funcs);
}
