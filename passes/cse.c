/* SPDX-License-Identifier: MIT */
/*
 * cse.c -- merge nodes that compute the same value.
 *
 * Nodes are hashed on operator, attributes and inputs (those of commutative
 * operators in any order); the uses of a later equal node move to the earlier
 * one.  A node in a body may merge with one of the graphs around it that comes
 * before the body's owner.  Random, unknown and impure operators, calls and
 * nodes with bodies are left alone.  Keeps types.  Cost O(nodes + edges).
 */
#include <stdlib.h>
#include "passes/pass_p.h"

struct entry {
	struct node *n;
	uint64_t next; /* index + 1 of another with this hash */
};

struct cse {
	struct pass_run *r;
	struct map first; /* hash -> index + 1 */
	VEC(struct entry) e;
};

static bool mergeable(const struct node *n)
{
	return n->op->flags & OPF_PURE && !(n->op->flags & OPF_RANDOM) &&
	       n->op->id != OP_CALL && !node_graph_count(n);
}

static uint64_t mix(uint64_t h, uint64_t x)
{
	h = (h ^ x) * 0x9e3779b97f4a7c15u;
	return h ^ h >> 29;
}

static bool commutes(const struct node *n)
{
	return n->op->flags & OPF_COMMUTATIVE && n->nin == 2;
}

/* Addresses decide what is compared with what, never the outcome. */
static uint64_t node_hash(const struct node *n)
{
	uint64_t h = mix(n->op->id, n->nout), k = 0;

	for (uint32_t i = 0; i < n->nin; i++) {
		uint64_t x = map_ptr_key(n->in[i].v) >> 4;

		if (commutes(n))
			k += x;
		else
			h = mix(h, x);
	}
	h = mix(h, k);
	for (uint32_t i = 0; i < n->nattr; i++)
		k += mix(n->attr[i].name, n->attr[i].n);
	return mix(h, k);
}

static bool same_inputs(const struct node *a, const struct node *b)
{
	if (a->nin != b->nin)
		return false;
	if (commutes(a) && a->in[0].v == b->in[1].v && a->in[1].v == b->in[0].v)
		return true;
	for (uint32_t i = 0; i < a->nin; i++)
		if (a->in[i].v != b->in[i].v)
			return false;
	return true;
}

static bool same_attrs(const struct model *m, const struct node *a,
		       const struct node *b)
{
	if (a->nattr != b->nattr)
		return false;
	for (uint32_t i = 0; i < a->nattr; i++) {
		uint32_t k = 0;

		while (k < b->nattr && b->attr[k].name != a->attr[i].name)
			k++;
		if (k == b->nattr ||
		    !attr_equal(m, &a->attr[i], m, &b->attr[k]))
			return false;
	}
	return true;
}

/* Is a's value there whenever b is computed? */
static bool dominates(const struct node *a, const struct node *b)
{
	const struct graph *g = b->graph;

	while (g != a->graph && g->owner) {
		b = g->owner;
		g = b->graph;
	}
	return g == a->graph && node_before(a, b);
}

static bool outputs_serve(const struct node *a, const struct node *b)
{
	if (a->nout != b->nout)
		return false;
	for (uint32_t i = 0; i < a->nout; i++) {
		if (!b->out[i])
			continue;
		if (!a->out[i])
			return false;
		/* Two names for one value would need an Identity. */
		if (value_is_output(b->out[i]) &&
		    (value_is_output(a->out[i]) || a->graph != b->graph ||
		     node_is(a, OP_Identity)))
			return false;
	}
	return true;
}

static bool equal(const struct model *m, const struct node *a,
		  const struct node *b)
{
	return a->op == b->op && a->graph && dominates(a, b) &&
	       same_inputs(a, b) && outputs_serve(a, b) && same_attrs(m, a, b);
}

static void merge(struct model *m, struct node *a, struct node *b)
{
	for (uint32_t i = 0; i < a->nout; i++) {
		const struct type *t;

		if (!b->out[i])
			continue;
		t = type_merge(m, a->out[i]->type, b->out[i]->type);
		if (t)
			a->out[i]->type = t;
		value_replace_uses(b->out[i], a->out[i]);
	}
	node_remove(b);
}

static void visit(struct cse *c, struct node *n)
{
	uint64_t h = node_hash(n), *first = map_get(&c->first, h);
	struct entry e = {n, first ? *first : 0};

	for (uint64_t i = e.next; i; i = c->e.p[i - 1].next) {
		struct node *a = c->e.p[i - 1].n;

		if (!equal(c->r->m, a, n) || pass_kept(c->r, a) ||
		    !pass_allow(c->r, "cse", n))
			continue;
		merge(c->r->m, a, n);
		return;
	}
	vec_push(&c->e, e);
	map_put(&c->first, h, c->e.n);
}

enum status pass_cse(struct pass_run *r)
{
	struct cse c = {.r = r};
	graph_vec g = {0};
	struct node *n, *next;

	model_graphs(r->m, &g);
	for (size_t i = 0; i < g.n; i++)
		graph_foreach_safe (n, next, g.p[i])
			if (mergeable(n))
				visit(&c, n);
	vec_release(&g);
	vec_release(&c.e);
	map_release(&c.first);
	return OK;
}
