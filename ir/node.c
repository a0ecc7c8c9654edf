/* SPDX-License-Identifier: MIT */
/*
 * node.c -- nodes: creation, inputs, removal, order within the list.
 *
 * Order numbers leave gaps of 2^40.  A node inserted before another takes a
 * number 2^16 after its predecessor while there is room, so that passes that
 * emit many nodes before one place rarely exhaust a gap.  If there is no
 * room, the smallest aligned range of numbers around the place that is sparse
 * enough is spread evenly (Bender et al. 2002, "Two simplified algorithms for
 * maintaining order in a list"): O(log n) per insertion, amortized.
 */
#include <stdlib.h>
#include <string.h>
#include "ir/core_p.h"

#define NEAR ((uint64_t)1 << 16)

static uint64_t order_between(const struct node *prev, const struct node *next)
{
	uint64_t lo = prev ? prev->order : 0;
	uint64_t gap = next ? next->order - lo : ORDER_STEP * 2;

	if (!next && lo > ORDER_MAX)
		return 0;
	gap /= 2;
	if (next && gap > NEAR)
		gap = NEAR;
	return gap ? lo + gap : 0;
}

/* Make room around n, which is in the list but has no number yet. */
static void spread(struct graph *g, const struct node *n)
{
	const struct node *at = n->prev ? n->prev : n->next;
	const struct node *left = n, *right = n;
	uint64_t count = 1, k = 0;
	double most = 1;

	for (unsigned bits = 1; at && bits < 63; bits++) {
		uint64_t lo = at->order >> bits << bits, size = 1ULL << bits;

		for (; left->prev && left->prev->order >= lo; count++)
			left = left->prev;
		for (; right->next && right->next->order - lo < size; count++)
			right = right->next;
		most *= 4.0 / 3;
		if ((double)count >= most)
			continue;
		for (struct node *x = (struct node *)left;; x = x->next) {
			x->order = lo + size / (count + 1) * ++k;
			if (x == right)
				return;
		}
	}
	graph_renumber(g);
}

static void list_insert(struct graph *g, struct node *n, struct node *next)
{
	struct node *prev = next ? next->prev : g->last;

	n->graph = g;
	n->prev = prev;
	n->next = next;
	*(prev ? &prev->next : &g->first) = n;
	*(next ? &next->prev : &g->last) = n;
	g->nnode++;
	n->order = order_between(prev, next);
	if (!n->order)
		spread(g, n);
}

static void list_remove(struct node *n)
{
	struct graph *g = n->graph;

	*(n->prev ? &n->prev->next : &g->first) = n->next;
	*(n->next ? &n->next->prev : &g->last) = n->prev;
	n->prev = n->next = NULL;
	g->nnode--;
}

static struct node *as_position(struct graph *g, struct node *before)
{
	if (before && before->graph != g)
		BUG("insertion before a node of another graph");
	return before == g->ret ? NULL : before;
}

struct node *node_create(struct graph *g, const struct op *op, uint32_t nin,
			 uint32_t nout, struct node *before)
{
	struct model *m = g->model;
	struct node *n = arena_new(&m->arena, struct node);

	n->op = op;
	if (op->name && op->id > OP_CALL) {
		const char *domain = op_domain_name(op->domain);

		n->type = model_sym(m, op->name);
		n->domain = *domain ? model_sym(m, domain) : 0;
	}
	list_insert(g, n, as_position(g, before));
	node_resize_inputs(n, nin);
	n->out = arena_array(&m->arena, nout, sizeof(struct value *));
	n->nout = nout;
	for (uint32_t i = 0; i < nout; i++) {
		n->out[i] = value_create(g, 0);
		n->out[i]->def = n;
		n->out[i]->slot = i;
	}
	return n;
}

struct node *node_make(struct graph *g, enum op_id id, uint32_t nin,
		       uint32_t nout, struct node *before)
{
	const struct op *op = op_latest(id, INT64_MAX);

	if (op)
		op = op_latest(id, model_opset(g, op->domain));
	return op ? node_create(g, op, nin, nout, before) : NULL;
}

void node_set_input(struct node *n, uint32_t i, struct value *v)
{
	if (i >= n->nin)
		BUG("input %u of a node with %u", i, n->nin);
	use_set(&n->in[i], v);
}

void node_resize_inputs(struct node *n, uint32_t nin)
{
	struct use *in = n->in;

	for (uint32_t i = nin; i < n->nin; i++)
		use_set(&n->in[i], NULL);
	if (nin > n->nin)
		in = arena_array(&n->graph->model->arena, nin, sizeof *in);
	for (uint32_t i = 0; nin > n->nin && i < n->nin; i++) {
		in[i] = n->in[i];
		if (!in[i].v)
			continue;
		*in[i].pprev = &in[i];
		if (in[i].next)
			in[i].next->pprev = &in[i].next;
	}
	for (uint32_t i = n->nin; i < nin; i++)
		in[i].user = n;
	n->in = in;
	n->nin = nin;
}

void node_remove(struct node *n)
{
	graph_vec bodies = {0};

	for (uint32_t i = 0; i < n->nout; i++)
		if (n->out[i] && n->out[i]->nuse)
			BUG("output %u of a removed node is still used", i);
	for (uint32_t i = 0; i < n->nin; i++)
		use_set(&n->in[i], NULL);
	for (uint32_t i = 0; i < n->nout; i++)
		if (n->out[i])
			value_gone(n->out[i]);
	node_push_bodies(n, &bodies);
	while (bodies.n)
		graph_release(vec_pop(&bodies));
	vec_release(&bodies);
	list_remove(n);
	n->graph = NULL;
}

void node_move(struct node *n, struct node *before)
{
	struct graph *g = before ? before->graph : n->graph;

	if (n == before)
		return;
	before = as_position(g, before);
	list_remove(n);
	for (uint32_t i = 0; g != n->graph && i < n->nout; i++) {
		struct value *v = n->out[i];

		if (!v)
			continue;
		v->graph = g;
		v->info = NULL;
		map_put(&g->model->moved, map_ptr_key(v), 1);
	}
	list_insert(g, n, before);
}

bool node_before(const struct node *a, const struct node *b)
{
	if (a->graph != b->graph)
		BUG("nodes of different graphs have no order");
	return a->order < b->order;
}

struct value *node_in(const struct node *n, uint32_t i)
{
	return i < n->nin ? n->in[i].v : NULL;
}

struct value *node_out(const struct node *n, uint32_t i)
{
	return i < n->nout ? n->out[i] : NULL;
}

bool node_is(const struct node *n, enum op_id id)
{
	return n && n->op->id == id;
}

void node_push_bodies(const struct node *n, graph_vec *out)
{
	for (uint32_t i = 0; i < n->nattr; i++) {
		const struct attr *a = &n->attr[i];

		if (a->kind != ATTR_GRAPH && a->kind != ATTR_GRAPHS)
			continue;
		for (uint32_t k = 0; k < a->n; k++)
			if (a->u.g[k]->owner == n)
				vec_push(out, a->u.g[k]);
	}
}

/* ---- places for diagnostics ---- */

struct at node_at(const struct node *n)
{
	struct at at = {0};
	const struct model *m;

	if (!n->graph)
		return at;
	m = n->graph->model;
	at.file = m->path;
	at.graph = graph_path(n->graph);
	at.node = sym_str(m, n->name);
	at.op = sym_str(m, n->type);
	for (uint32_t i = 0; at.node.n == 0 && i < n->nout; i++)
		if (n->out[i])
			at.node = sym_str(m, n->out[i]->name);
	return at;
}

struct at node_at_input(const struct node *n, uint32_t i)
{
	struct at at = node_at(n);
	struct value *v = node_in(n, i);
	struct str s;
	char *p;

	if (!n->graph)
		return at;
	s = v ? sym_str(n->graph->model, v->name) : (struct str){"", 0};
	p = arena_printf(&n->graph->model->arena, "input %u '%.*s'", i,
			 s.n > 200 ? 200 : (int)s.n, s.n ? s.p : "");
	at.slot = (struct str){p, strlen(p)};
	return at;
}
