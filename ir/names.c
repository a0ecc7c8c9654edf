/* SPDX-License-Identifier: MIT */
/*
 * names.c -- names of values while text is read.
 *
 * Cost: two hash look-ups per definition, two per graph level and use.
 */
#include "ir/names_p.h"

void names_release(struct names *s)
{
	map_release(&s->graph);
	map_release(&s->value);
}

bool names_define(struct names *s, struct value *v)
{
	uint64_t key = map_ptr_key(v->graph);
	const uint64_t *num = map_get(&s->graph, key);
	uint64_t n = num ? *num : s->graph.n;

	if (!num)
		map_put(&s->graph, key, n);
	if (map_get(&s->value, n << 32 | v->name))
		return false;
	map_put_ptr(&s->value, n << 32 | v->name, v);
	return true;
}

struct value *names_local(const struct names *s, const struct graph *g,
			  sym name)
{
	const uint64_t *num = map_get(&s->graph, map_ptr_key(g));

	return num ? map_get_ptr(&s->value, *num << 32 | name) : NULL;
}

struct value *names_find(const struct names *s, const struct graph *g, sym name)
{
	struct value *v = NULL;

	for (; g && !v; g = g->owner ? g->owner->graph : NULL)
		v = names_local(s, g, name);
	return v;
}
