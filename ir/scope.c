/* SPDX-License-Identifier: MIT */
/*
 * scope.c -- names of values while a model is read.
 *
 * Cost: two hash look-ups per definition, two per graph level and use.
 */
#include "ir/scope.h"

void scope_release(struct scope *s)
{
	map_release(&s->graph);
	map_release(&s->name);
}

bool scope_define(struct scope *s, struct value *v)
{
	uint64_t key = map_ptr_key(v->graph);
	const uint64_t *num = map_get(&s->graph, key);
	uint64_t n = num ? *num : s->graph.n;

	if (!num)
		map_put(&s->graph, key, n);
	if (map_get(&s->name, n << 32 | v->name))
		return false;
	map_put_ptr(&s->name, n << 32 | v->name, v);
	return true;
}

struct value *scope_local(const struct scope *s, const struct graph *g,
			  sym name)
{
	const uint64_t *num = map_get(&s->graph, map_ptr_key(g));

	return num ? map_get_ptr(&s->name, *num << 32 | name) : NULL;
}

struct value *scope_find(const struct scope *s, const struct graph *g, sym name)
{
	struct value *v = NULL;

	for (; g && !v; g = g->owner ? g->owner->graph : NULL)
		v = scope_local(s, g, name);
	return v;
}
