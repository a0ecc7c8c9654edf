/* SPDX-License-Identifier: MIT */
/*
 * plan.c -- places for the main graph's values in one arena.
 *
 * Values of static type are grouped where one is a view of another or may be
 * computed in its place; a group lives from its first definition to its last
 * use.  Groups are placed by size, each into the smallest gap among those
 * that live at the same time (greedy by size, Pisarchyk and Lee,
 * arXiv:2001.03288).  The plan is advice: region_take() refuses a place that
 * is still in use, and the kernel's output goes to the heap.
 */
#include <stdlib.h>
#include <string.h>

#include "runtime/exec_p.h"

enum { PLAN_ALIGN = 64, PLAN_MAX = 16384 };

struct group {
	size_t size, off;
	uint32_t first, last;
	uint32_t parent; /* union-find; itself: a root */
	bool placeable;
	bool placed;
};

static uint32_t root(struct group *g, uint32_t i)
{
	while (g[i].parent != i)
		i = g[i].parent = g[g[i].parent].parent;
	return i;
}

static bool is_view(const struct op *op)
{
	static const enum op_id views[] = {
		OP_Reshape,   OP_Flatten,  OP_Squeeze,
		OP_Unsqueeze, OP_Identity, OP_Dropout,
	};

	for (size_t i = 0; i < countof(views); i++)
		if (op->id == views[i])
			return true;
	return false;
}

/* Which input may output 0 of a step share memory with?  -1: none. */
static int shares_with(const struct body *b, const struct group *g, uint32_t at)
{
	const struct step *s = &b->step[at];
	const struct op *op = s->n->op;

	if (s->n->nout == 0 || s->out[0] == SLOT_NONE)
		return -1;
	for (uint32_t j = 0; j < s->n->nin; j++) {
		const struct ref *r = &s->in[j];

		if (r->konst || r->up || r->slot == SLOT_NONE)
			continue;
		if (is_view(op))
			return j == 0 ? 0 : -1;
		if ((op->flags & OPF_ELEMENTWISE) && b->last[r->slot] == at &&
		    g[r->slot].size == g[s->out[0]].size)
			return (int)j;
	}
	return -1;
}

static size_t round_up(size_t n)
{
	return n > SIZE_MAX - PLAN_ALIGN
		       ? SIZE_MAX / 2
		       : (n + PLAN_ALIGN - 1) / PLAN_ALIGN * PLAN_ALIGN;
}

static size_t value_bytes(const struct value *v)
{
	int64_t n;
	size_t bytes;

	if (!type_static(v->type) || v->type->dt == DT_STRING ||
	    v->type->dt == DT_NONE || !type_count(v->type, &n) ||
	    !dtype_bytes(v->type->dt, n, &bytes))
		return 0;
	return bytes;
}

static void groups_init(const struct body *b, struct group *g)
{
	for (uint32_t i = 0; i < b->nslot; i++) {
		g[i].parent = i;
		g[i].size = round_up(value_bytes(b->value[i]));
		g[i].first = b->first[i];
		g[i].last = b->last[i];
		/* Inputs are the caller's; results leave the arena. */
		g[i].placeable =
			i >= b->g->nin && g[i].size && g[i].last != UINT32_MAX;
	}
}

static void groups_join(const struct body *b, struct group *g)
{
	for (uint32_t at = 0; at < b->nstep; at++) {
		const struct step *s = &b->step[at];
		int j = shares_with(b, g, at);
		uint32_t x, y;

		if (j < 0)
			continue;
		x = root(g, s->in[j].slot);
		y = root(g, s->out[0]);
		/* What only might be shared must not spoil a good place. */
		if (!is_view(s->n->op) && g[x].placeable != g[y].placeable)
			continue;
		if (x == y)
			continue;
		g[y].parent = x;
		g[x].placeable &= g[y].placeable;
		g[x].first = g[x].first < g[y].first ? g[x].first : g[y].first;
		g[x].last = g[x].last > g[y].last ? g[x].last : g[y].last;
		g[x].size = g[x].size > g[y].size ? g[x].size : g[y].size;
	}
}

struct order {
	size_t size, off;
	uint32_t first, id;
};

static int by_size(const void *a, const void *b)
{
	const struct order *x = a, *y = b;

	if (x->size != y->size)
		return x->size < y->size ? 1 : -1;
	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* placed: sorted by offset. */
static size_t best_gap(const struct group *g, const struct order *placed,
		       size_t n, const struct group *want)
{
	size_t best = SIZE_MAX, best_gap = SIZE_MAX, end = 0;

	for (size_t i = 0; i < n; i++) {
		const struct group *p = &g[placed[i].id];

		if (p->last < want->first || want->last < p->first)
			continue;
		if (p->off >= end && p->off - end >= want->size &&
		    p->off - end < best_gap) {
			best_gap = p->off - end;
			best = end;
		}
		if (p->off + p->size > end)
			end = p->off + p->size;
	}
	return best == SIZE_MAX ? end : best;
}

static size_t place(struct group *g, struct order *pending, size_t n)
{
	struct order *placed = xcalloc(n + 1, sizeof *placed);
	size_t total = 0;

	qsort(pending, n, sizeof *pending, by_size);
	if (n > PLAN_MAX)
		n = PLAN_MAX;
	for (size_t i = 0; i < n; i++) {
		struct group *w = &g[pending[i].id];
		size_t k = i;

		w->off = best_gap(g, placed, i, w);
		if (w->off > SIZE_MAX / 2 - w->size)
			break;
		w->placed = true;
		for (; k && placed[k - 1].off > w->off; k--)
			placed[k] = placed[k - 1];
		placed[k] = pending[i];
		placed[k].off = w->off;
		if (w->off + w->size > total)
			total = w->off + w->size;
	}
	free(placed);
	return total;
}

/* The largest sum of sizes alive at one step. */
static size_t live_bound(const struct group *g, const struct order *o, size_t n,
			 uint32_t nstep)
{
	size_t *add = xcalloc((size_t)nstep + 2, sizeof *add);
	size_t *sub = xcalloc((size_t)nstep + 2, sizeof *sub);
	size_t live = 0, most = 0;

	for (size_t i = 0; i < n; i++) {
		add[g[o[i].id].first] += o[i].size;
		sub[g[o[i].id].last + 1] += o[i].size;
	}
	for (uint32_t i = 0; i < nstep; i++) {
		live += add[i] - sub[i];
		most = live > most ? live : most;
	}
	free(add);
	free(sub);
	return most;
}

static void steps_set(struct exec *e, struct body *b, struct group *g)
{
	for (uint32_t at = 0; at < b->nstep; at++) {
		struct step *s = &b->step[at];
		uint32_t nout = s->n->nout;

		s->off = arena_array(&e->mem, nout, sizeof *s->off);
		s->len = arena_array(&e->mem, nout, sizeof *s->len);
		for (uint32_t i = 0; i < nout; i++) {
			const struct group *r;

			s->off[i] = SIZE_MAX;
			if (s->out[i] == SLOT_NONE)
				continue;
			r = &g[root(g, s->out[i])];
			if (!r->placed)
				continue;
			s->off[i] = r->off;
			s->len[i] = value_bytes(b->value[s->out[i]]);
		}
	}
}

void exec_plan(struct exec *e)
{
	struct body *b = e->main;
	struct group *g = xcalloc((size_t)b->nslot + 1, sizeof *g);
	struct order *pending = xcalloc((size_t)b->nslot + 1, sizeof *pending);
	size_t n = 0;

	groups_init(b, g);
	for (uint32_t i = b->g->nin; i < b->nslot; i++)
		e->stats.naive += g[i].size;
	groups_join(b, g);
	for (uint32_t i = 0; i < b->nslot; i++)
		if (g[i].parent == i && g[i].placeable)
			pending[n++] = (struct order){.size = g[i].size,
						      .first = g[i].first,
						      .id = i};
	e->stats.planned = place(g, pending, n);
	e->stats.bound = live_bound(g, pending, n, b->nstep);
	steps_set(e, b, g);
	free(pending);
	free(g);
}

struct region *region_take(struct exec *e, size_t off, size_t len)
{
	struct region *r;

	if (len == 0)
		return NULL;
	for (r = e->live; r; r = r->next)
		if (off < r->off + r->len && r->off < off + len)
			return NULL;
	r = xcalloc(1, sizeof *r);
	r->off = off;
	r->len = len;
	r->nref = 1;
	r->next = e->live;
	r->pprev = &e->live;
	if (r->next)
		r->next->pprev = &r->next;
	e->live = r;
	return r;
}
