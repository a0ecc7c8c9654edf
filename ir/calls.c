/* SPDX-License-Identifier: MIT */
/*
 * calls.c -- do calls of model-local functions end?
 *
 * Functions are taken off the call graph callees first (Kahn); what is left
 * over is a circle.  31 functions that each call the next one twice make 2^30
 * nodes, so sizes after inlining are summed up on the way.  O(nodes).
 */
#include <stdlib.h>
#include "ir/calls.h"

enum { DEPTH_MAX = 100, EXPANDED_MAX = 10000000 };

struct call {
	size_t caller;
	size_t next; /* the callee's next call, plus 1; 0: none */
};

struct vertex {
	const struct func *f; /* NULL: main */
	size_t calls;         /* the first call of it, plus 1 */
	size_t pending;       /* its own calls to functions not yet done */
	uint64_t nodes;       /* after inlining; saturates */
	unsigned depth;
};

struct callgraph {
	struct vertex *v; /* functions in order, then main */
	size_t n;
	struct map index; /* func -> its place in v */
	VEC(struct call) call;
};

static enum status fail(struct model *m, const struct vertex *v,
			const char *what)
{
	struct at at = {.file = m->path, .graph = "main"};

	if (v->f)
		at.graph = graph_path(v->f->body);
	return diag_error(m->diag, &at, E_func, "%s", what);
}

static void add_call(struct callgraph *c, size_t caller, const struct func *f)
{
	const uint64_t *callee = map_get(&c->index, map_ptr_key(f));
	struct call call = {.caller = caller};

	if (!callee)
		BUG("a call to a function of another model");
	call.next = c->v[*callee].calls;
	vec_push(&c->call, call);
	c->v[*callee].calls = c->call.n;
	c->v[caller].pending++;
}

static void collect(struct callgraph *c, size_t caller, const struct graph *top)
{
	VEC(const struct graph *) work = {0};
	const struct node *n;

	vec_push(&work, top);
	while (work.n) {
		const struct graph *g = vec_pop(&work);

		graph_foreach (n, g) {
			size_t bodies = node_graph_count(n);

			c->v[caller].nodes++;
			if (n->func)
				add_call(c, caller, n->func);
			for (size_t i = 0; i < bodies; i++)
				vec_push(&work, node_graph(n, i));
		}
	}
	vec_release(&work);
}

/* f is done: count it into one of its callers. */
static enum status count(struct model *m, struct vertex *v,
			 const struct vertex *f)
{
	if (__builtin_add_overflow(v->nodes, f->nodes, &v->nodes) ||
	    v->nodes > EXPANDED_MAX)
		return fail(m, v, "calls expand to more than 10 million nodes");
	if (v->depth < f->depth + 1)
		v->depth = f->depth + 1;
	if (v->depth > DEPTH_MAX)
		return fail(m, v, "calls are nested too deeply");
	v->pending--;
	return OK;
}

static enum status run(struct model *m, struct callgraph *c)
{
	VEC(size_t) ready = {0};
	enum status st = OK;
	size_t done = 0;

	for (size_t i = 0; i < c->n; i++)
		if (!c->v[i].pending)
			vec_push(&ready, i);
	while (!st && ready.n) {
		const struct vertex *f = &c->v[vec_pop(&ready)];
		size_t next;

		done++;
		for (size_t k = f->calls; !st && k; k = next) {
			const struct call *call = &c->call.p[k - 1];
			struct vertex *v = &c->v[call->caller];

			next = call->next;
			st = count(m, v, f);
			if (!st && !v->pending)
				vec_push(&ready, call->caller);
		}
	}
	vec_release(&ready);
	for (size_t i = 0; !st && done < c->n && i < c->n; i++)
		if (c->v[i].pending)
			st = fail(m, &c->v[i], "a function calls itself");
	return st;
}

enum status model_check_calls(struct model *m)
{
	struct callgraph c = {.n = m->func.n + 1};
	enum status st;

	if (m->func.n > FUNC_MAX)
		return diag_error(m->diag, NULL, E_func,
				  "%zu functions are more than %d", m->func.n,
				  FUNC_MAX);
	if (!m->func.n)
		return OK;
	c.v = xcalloc(c.n, sizeof *c.v);
	for (size_t i = 0; i < m->func.n; i++) {
		c.v[i].f = m->func.p[i];
		map_put(&c.index, map_ptr_key(m->func.p[i]), i);
	}
	for (size_t i = 0; i < m->func.n; i++)
		collect(&c, i, m->func.p[i]->body);
	collect(&c, m->func.n, m->main);
	st = run(m, &c);
	vec_release(&c.call);
	map_release(&c.index);
	free(c.v);
	return st;
}
