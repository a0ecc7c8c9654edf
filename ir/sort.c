/* SPDX-License-Identifier: MIT */
/*
 * sort.c -- stable topological order.
 *
 * Kahn's algorithm with a heap of ready nodes keyed by their old position:
 * the result is the order closest to the old one from the front, and a
 * sorted list stays as it is.  A use inside a body counts for the node of
 * this graph that holds the body.  O((N + E) log N).
 */
#include <stdlib.h>
#include "ir/core_p.h"

struct sort {
	struct graph *g;
	struct node **node; /* by old position; node->order is that */
	uint32_t *pending;  /* edges from nodes not yet placed */
	uint32_t *heap;
	uint32_t nheap;
	bool sorted;
};

typedef void edge_fn(struct sort *s, uint32_t from, uint32_t to);

static void each_edge(struct sort *s, uint32_t from, edge_fn *fn)
{
	const struct node *d = s->node[from];
	const struct use *u;

	for (uint32_t i = 0; i < d->nout; i++) {
		if (!d->out[i])
			continue;
		for (u = d->out[i]->uses; u; u = u->next) {
			struct node *n = graph_ancestor(s->g, u->user);

			if (n && n != s->g->ret)
				fn(s, from, (uint32_t)n->order);
		}
	}
}

static void count_edge(struct sort *s, uint32_t from, uint32_t to)
{
	s->pending[to]++;
	s->sorted &= from < to;
}

static void heap_push(struct sort *s, uint32_t x)
{
	uint32_t i = s->nheap++;

	for (; i && s->heap[(i - 1) / 2] > x; i = (i - 1) / 2)
		s->heap[i] = s->heap[(i - 1) / 2];
	s->heap[i] = x;
}

static uint32_t heap_pop(struct sort *s)
{
	uint32_t top = s->heap[0], x = s->heap[--s->nheap], i = 0, c;

	while ((c = 2 * i + 1) < s->nheap) {
		if (c + 1 < s->nheap && s->heap[c + 1] < s->heap[c])
			c++;
		if (s->heap[c] >= x)
			break;
		s->heap[i] = s->heap[c];
		i = c;
	}
	s->heap[i] = x;
	return top;
}

static void satisfy_edge(struct sort *s, uint32_t from, uint32_t to)
{
	(void)from;
	if (--s->pending[to] == 0)
		heap_push(s, to);
}

/* ---- cycles ---- */

/* Notes for each node left over one producer left over, in heap[]. */
static void note_edge(struct sort *s, uint32_t from, uint32_t to)
{
	if (s->pending[to])
		s->heap[to] = from;
}

static enum status report_cycle(struct sort *s)
{
	uint32_t n = s->g->nnode, at = 0;
	struct node *node;
	struct at where;

	for (uint32_t i = 0; i < n; i++)
		if (s->pending[i])
			each_edge(s, at = i, note_edge);
	/* going back n times from any node left over ends on a cycle */
	for (uint32_t i = 0; i < n; i++)
		at = s->heap[at];
	node = s->node[at];
	graph_renumber(s->g);
	where = node_at(node);
	return diag_error(s->g->model->diag, &where, E_cycle,
			  "the node depends on its own output");
}

static enum status place(struct sort *s)
{
	uint32_t n = s->g->nnode, *done = xcalloc((size_t)n + 1, sizeof *done);
	uint32_t ndone = 0;
	enum status st = OK;

	for (uint32_t i = 0; i < n; i++)
		if (!s->pending[i])
			heap_push(s, i);
	while (s->nheap) {
		uint32_t i = done[ndone++] = heap_pop(s);

		each_edge(s, i, satisfy_edge);
	}
	if (ndone < n)
		st = report_cycle(s);
	for (uint32_t i = 0; st == OK && i < n; i++) {
		struct node *x = s->node[done[i]];

		x->prev = i ? s->node[done[i - 1]] : NULL;
		x->next = i + 1 < n ? s->node[done[i + 1]] : NULL;
	}
	if (st == OK && n) {
		s->g->first = s->node[done[0]];
		s->g->last = s->node[done[n - 1]];
	}
	free(done);
	return st;
}

static enum status sort_one(struct graph *g)
{
	size_t n = (size_t)g->nnode + 1;
	struct sort s = {.g = g, .sorted = true};
	enum status st = OK;
	struct node *x;
	uint32_t i = 0;

	s.node = xcalloc(n, sizeof(struct node *));
	s.pending = xcalloc(n, sizeof *s.pending);
	s.heap = xcalloc(n, sizeof *s.heap);
	graph_foreach (x, g) {
		x->order = i;
		s.node[i++] = x;
	}
	for (i = 0; i < g->nnode; i++)
		each_edge(&s, i, count_edge);
	if (!s.sorted)
		st = place(&s);
	graph_renumber(g);
	free(s.node);
	free(s.pending);
	free(s.heap);
	return st;
}

enum status graph_sort(struct graph *g)
{
	graph_vec work = {0};
	enum status st = OK;
	const struct node *n;

	vec_push(&work, g);
	while (work.n && st == OK) {
		g = vec_pop(&work);
		st = sort_one(g);
		graph_foreach (n, g)
			node_push_bodies(n, &work);
	}
	vec_release(&work);
	return st;
}
