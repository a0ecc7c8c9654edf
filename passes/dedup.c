/* SPDX-License-Identifier: MIT */
/*
 * dedup.c -- merge equal initializers.
 *
 * Type, dimensions and a sample of the bytes make a key; initializers with
 * the same key are compared in full.  One in a body may merge with one of a
 * graph around it.  Overridable defaults and what names a graph output stay.
 * Cost O(initializers + bytes of likely pairs).
 */
#include <stdlib.h>
#include <string.h>
#include "passes/constant_p.h"
#include "passes/pass_p.h"

enum { SAMPLE = 64 };

struct entry {
	struct value *v;
	uint64_t next;
};

struct dedup {
	struct pass_run *r;
	struct map first;
	VEC(struct entry) e;
};

static uint64_t mix(uint64_t h, uint64_t x)
{
	h = (h ^ x) * 0x9e3779b97f4a7c15u;
	return h ^ h >> 29;
}

static uint64_t key(const struct model *m, const struct tensor *t)
{
	uint64_t h = mix((uint64_t)t->dt, (uint64_t)t->rank);
	size_t n = t->len < SAMPLE ? t->len : SAMPLE;
	const uint8_t *p;

	for (int i = 0; i < t->rank; i++)
		h = mix(h, (uint64_t)t->dim[i]);
	if (!t->blob || const_is_splat(t))
		return h;
	p = tensor_data(m, t);
	for (size_t i = 0; p && i < n; i++)
		h = mix(h, p[i] + 256u * p[t->len - 1 - i]);
	return h;
}

static bool mergeable(const struct value *v)
{
	return v->graph && v->init && v->konst == v->init && !v->def &&
	       !v->init->sparse_indices && !value_is_output(v);
}

static bool visible(const struct value *a, const struct value *b)
{
	return graph_encloses(a->graph, b->graph);
}

/* For messages and permission: who uses it. */
static const struct node *place_of(const struct value *v)
{
	return v->uses ? v->uses->user : NULL;
}

static void visit(struct dedup *d, struct value *v)
{
	const struct model *m = d->r->m;
	uint64_t h = key(m, v->init), *first = map_get(&d->first, h);
	struct entry e = {v, first ? *first : 0};

	for (uint64_t i = e.next; i; i = d->e.p[i - 1].next) {
		struct value *a = d->e.p[i - 1].v;

		if (!visible(a, v) || !tensor_equal(m, a->init, v->init) ||
		    !place_of(v) || !pass_allow(d->r, "dedup", place_of(v)))
			continue;
		pass_spend(d->r, 0, const_size(m, v->init, v->name));
		value_replace_uses(v, a);
		value_remove(v);
		return;
	}
	vec_push(&d->e, e);
	map_put(&d->first, h, d->e.n);
}

enum status pass_dedup(struct pass_run *r)
{
	struct dedup d = {.r = r};
	graph_vec g = {0};

	model_graphs(r->m, &g);
	for (size_t i = 0; i < g.n; i++)
		for (size_t k = 0; k < g.p[i]->init.n; k++)
			if (mergeable(g.p[i]->init.p[k]))
				visit(&d, g.p[i]->init.p[k]);
	vec_release(&g);
	vec_release(&d.e);
	map_release(&d.first);
	return OK;
}
