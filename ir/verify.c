/* SPDX-License-Identifier: MIT */
/*
 * verify.c -- the invariants of the IR, checked; a violation is our bug.
 *
 * Use lists are walked from both ends: every input slot must be in its
 * value's list, and every value's list must hold as many slots as counted.
 * Definition before use is a map of the values defined so far, walked like
 * finish.c does: a body sees what comes before its owner.  O(nodes + uses).
 */
#include <stdlib.h>
#include "ir/core_p.h"

struct frame {
	const struct graph *g;
	const struct node *n;
	size_t body;
};

struct check {
	const struct model *m;
	struct map defined; /* value -> number of the graph's scope */
	VEC(struct frame) scope;
};

_Noreturn static void broken(const struct graph *g, const struct node *n,
			     const char *what)
{
	struct str s = {"", 0};

	if (n && n->graph)
		s = node_at(n).node;
	BUG("broken IR at %s/%.*s: %s", graph_path(g),
	    s.n > 200 ? 200 : (int)s.n, s.n ? s.p : "", what);
}

/* ---- one thing at a time ---- */

static void check_uses(const struct graph *g, const struct value *v)
{
	struct use *const *at = (struct use *const *)&v->uses;
	uint32_t n = 0;

	for (const struct use *u = v->uses; u; u = u->next) {
		if (u->v != v)
			broken(g, v->def, "a use is in another value's list");
		if (u->pprev != at)
			broken(g, v->def, "a use list is not linked back");
		if (!u->user || !u->user->graph)
			broken(g, v->def, "a use by a removed node");
		if (u < u->user->in || u >= u->user->in + u->user->nin)
			broken(g, v->def, "a use is no input of its user");
		if (!graph_encloses(g, u->user->graph))
			broken(g, u->user, "a use outside of the scope");
		at = (struct use *const *)&u->next;
		n++;
	}
	if (n != v->nuse)
		broken(g, v->def, "a wrong count of uses");
}

static void check_value(struct check *c, const struct graph *g,
			const struct value *v)
{
	if (v->graph != g)
		broken(g, v->def, "a value belongs to another graph");
	if (!v->type)
		broken(g, v->def, "a value without a type");
	if ((v->ndata && !v->data) || (v->nreal && !v->real))
		broken(g, v->def, "known elements that are not there");
	if (!map_put(&c->defined, map_ptr_key(v), 1) &&
	    !(v->is_input && v->init))
		broken(g, v->def, "a value is defined twice");
	check_uses(g, v);
}

static void check_inputs(const struct check *c, const struct graph *g,
			 const struct node *n)
{
	for (uint32_t i = 0; i < n->nin; i++) {
		const struct use *u = &n->in[i];

		if (u->user != n)
			broken(g, n, "an input slot of another node");
		if (!u->v)
			continue;
		if (*u->pprev != u)
			broken(g, n, "an input is in no use list");
		if (!map_get(&c->defined, map_ptr_key(u->v)))
			broken(g, n, "an input is defined later or nowhere");
	}
}

static void check_outputs(struct check *c, const struct graph *g,
			  const struct node *n)
{
	for (uint32_t i = 0; i < n->nout; i++) {
		const struct value *v = n->out[i];

		if (!v)
			continue;
		if (v->def != n || v->slot != i || v->is_input || v->init)
			broken(g, n, "an output does not know its producer");
		check_value(c, g, v);
	}
}

static void check_links(const struct graph *g, const struct node *n)
{
	if (n->graph != g)
		broken(g, n, "a node belongs to another graph");
	if (!n->op || n->op->id == OP_RETURN)
		broken(g, n, "a node without an operator");
	if ((n->prev ? n->prev->next : g->first) != n ||
	    (n->next ? n->next->prev : g->last) != n)
		broken(g, n, "the node list is not linked back");
	if (n->prev && n->prev->order >= n->order)
		broken(g, n, "order numbers do not increase");
	if (n->op->id == OP_CALL && !n->func)
		broken(g, n, "a call without a function");
	for (size_t i = 0; i < node_graph_count(n); i++)
		if (node_graph(n, i)->owner != n)
			broken(g, n, "a body belongs to another node");
}

static void check_interface(struct check *c, const struct graph *g)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < g->nin; i++) {
		const struct value *v = g->in[i];

		if (!v->is_input || v->slot != i || v->def)
			broken(g, NULL, "a graph input is not marked so");
		check_value(c, g, v);
	}
	for (size_t i = 0; i < g->init.n; i++) {
		const struct value *v = g->init.p[i];

		if (!v->graph)
			continue; /* removed, not yet swept */
		if (!v->init || v->def)
			broken(g, NULL, "an initializer without data");
		if (v->konst && v->konst != v->init)
			broken(g, NULL, "an initializer has another value");
		if (!v->is_input)
			check_value(c, g, v);
	}
	for (const struct node *n = g->first; n; n = n->next)
		count++;
	if (count != g->nnode)
		broken(g, NULL, "a wrong count of nodes");
	if (!g->ret || g->ret->graph != g || g->ret->op->id != OP_RETURN)
		broken(g, NULL, "no return node");
}

/* ---- the walk ---- */

static void scope_open(struct check *c, const struct graph *g)
{
	struct frame fr = {g, g->first, 0};

	if (g->model != c->m)
		broken(g, NULL, "a graph belongs to another model");
	check_interface(c, g);
	vec_push(&c->scope, fr);
}

static void step(struct check *c)
{
	struct frame *fr = &c->scope.p[c->scope.n - 1];
	const struct graph *g = fr->g;
	const struct node *n = fr->n;

	if (!n) {
		check_inputs(c, g, g->ret);
		c->scope.n--;
		return;
	}
	if (fr->body == 0) {
		check_links(g, n);
		check_inputs(c, g, n);
	}
	if (fr->body < node_graph_count(n)) {
		scope_open(c, node_graph(n, fr->body++));
		return;
	}
	check_outputs(c, g, n);
	fr->n = n->next;
	fr->body = 0;
}

void model_verify_ir(const struct model *m)
{
	struct check c = {.m = m};

	for (size_t i = 0; i <= m->func.n; i++) {
		const struct func *f = i ? m->func.p[i - 1] : NULL;
		const struct graph *g = f ? f->body : m->main;

		if (g->owner || g->func != f)
			broken(g, NULL, "a top graph is not marked so");
		scope_open(&c, g);
		while (c.scope.n)
			step(&c);
		map_clear(&c.defined);
	}
	vec_release(&c.scope);
	map_release(&c.defined);
}
