/* SPDX-License-Identifier: MIT */
/*
 * names.c -- from a graph and a name to the value.  O(1) per enclosing graph.
 */
#include "onnx/names_p.h"

void names_release(struct names *t)
{
	map_release(&t->graph);
	map_release(&t->value);
}

bool names_add(struct names *t, struct value *v)
{
	const uint64_t *p = map_get(&t->graph, map_ptr_key(v->graph));
	const uint64_t number = p ? *p : t->graph.n;
	const uint64_t key = number << 32 | v->name;

	if (!p)
		map_put(&t->graph, map_ptr_key(v->graph), number);
	if (map_get(&t->value, key))
		return false;
	return map_put_ptr(&t->value, key, v);
}

struct value *names_local(const struct names *t, const struct graph *g,
			  sym name)
{
	const uint64_t *number = map_get(&t->graph, map_ptr_key(g));

	return number ? map_get_ptr(&t->value, *number << 32 | name) : NULL;
}

struct value *names_find(const struct names *t, const struct graph *g, sym name)
{
	struct value *v = NULL;

	for (; g && !v; g = g->owner ? g->owner->graph : NULL)
		v = names_local(t, g, name);
	return v;
}
