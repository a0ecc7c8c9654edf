/* SPDX-License-Identifier: MIT */
/*
 * graph.c -- graphs: interface, initializers, nesting, paths.
 */
#include <stdlib.h>
#include <string.h>
#include "ir/core_p.h"

struct graph *graph_create(struct model *m, struct node *owner)
{
	struct graph *g = arena_new(&m->arena, struct graph);

	g->model = m;
	g->owner = owner;
	g->ret = arena_new(&m->arena, struct node);
	g->ret->graph = g;
	g->ret->op = op_return();
	g->ret->order = ORDER_RET;
	vec_push(&m->graphs, g);
	return g;
}

/* An array of `to` elements that starts with the first `from` of old. */
static void *regrow(struct graph *g, const void *old, uint32_t from,
		    uint32_t to, size_t size)
{
	void *p = arena_array(&g->model->arena, to, size);

	if (from)
		memcpy(p, old, (from < to ? from : to) * size);
	return p;
}

/* New entries of an interface: no name, no type. */
static struct info *regrow_infos(struct graph *g, const struct info *old,
				 uint32_t from, uint32_t to)
{
	struct info *p = regrow(g, old, from, to, sizeof *p);

	for (uint32_t i = from; i < to; i++)
		p[i].decl = type_unknown();
	return p;
}

void graph_set_inputs(struct graph *g, uint32_t n)
{
	while (g->nin > n)
		graph_drop_input(g, g->nin - 1);
	if (g->nin == n)
		return;
	g->in = regrow(g, g->in, g->nin, n, sizeof(struct value *));
	g->in_info = regrow_infos(g, g->in_info, g->nin, n);
	for (; g->nin < n; g->nin++) {
		struct value *v = value_create(g, 0);

		v->is_input = true;
		v->slot = g->nin;
		g->in[g->nin] = v;
	}
}

uint32_t graph_input_named(const struct graph *g, struct str name)
{
	uint32_t i;

	for (i = 0; i < g->nin; i++)
		if (str_eq(sym_str(g->model, g->in_info[i].name), name))
			break;
	return i;
}

void graph_drop_input(struct graph *g, uint32_t i)
{
	struct value *v = g->in[i];

	if (v->nuse)
		BUG("graph input %u is still used", i);
	for (uint32_t k = i + 1; k < g->nin; k++) {
		g->in[k - 1] = g->in[k];
		g->in_info[k - 1] = g->in_info[k];
		g->in[k - 1]->slot = k - 1;
	}
	g->nin--;
	value_gone(v);
}

void graph_set_outputs(struct graph *g, uint32_t n)
{
	uint32_t old = g->ret->nin;

	node_resize_inputs(g->ret, n);
	if (n > old)
		g->out_info = regrow_infos(g, g->out_info, old, n);
}

struct value *graph_add_init(struct graph *g, sym name, const struct tensor *t)
{
	struct value *v = value_create(g, name);

	if (g->func)
		BUG("a function body cannot hold initializers");
	v->type = tensor_type(g->model, t);
	v->init = v->konst = t;
	vec_push(&g->init, v);
	return v;
}

uint32_t graph_mark(struct graph *g)
{
	return ++g->model->mark;
}

bool graph_encloses(const struct graph *a, const struct graph *g)
{
	while (g && g != a)
		g = g->owner ? g->owner->graph : NULL;
	return g != NULL;
}

size_t graph_node_count(const struct graph *g)
{
	graph_vec work = {0};
	const struct node *n;
	size_t count = 0;

	vec_push(&work, (struct graph *)g);
	while (work.n) {
		g = vec_pop(&work);
		count += g->nnode;
		graph_foreach (n, g)
			node_push_bodies(n, &work);
	}
	vec_release(&work);
	return count;
}

void graph_release(struct graph *g)
{
	graph_vec work = {0};
	struct node *n;

	vec_push(&work, g);
	while (work.n) {
		g = vec_pop(&work);
		graph_foreach (n, g) {
			for (uint32_t i = 0; i < n->nin; i++)
				use_set(&n->in[i], NULL);
			for (uint32_t i = 0; i < n->nout; i++)
				if (n->out[i])
					n->out[i]->graph = NULL;
			node_push_bodies(n, &work);
			n->graph = NULL;
		}
		for (uint32_t i = 0; i < g->ret->nin; i++)
			use_set(&g->ret->in[i], NULL);
	}
	vec_release(&work);
}

struct node *graph_ancestor(const struct graph *g, struct node *user)
{
	while (user && user->graph != g)
		user = user->graph ? user->graph->owner : NULL;
	return user;
}

void graph_renumber(struct graph *g)
{
	uint64_t step = ORDER_MAX / ((uint64_t)g->nnode + 1), order = 0;
	struct node *n;

	if (step > ORDER_STEP)
		step = ORDER_STEP;
	graph_foreach (n, g)
		n->order = order += step;
}

/* ---- bodies as graphs of their own ---- */

static void note_capture(const struct graph *g, const struct use *u,
			 struct map *seen)
{
	if (u->v && !graph_encloses(g, u->v->graph))
		map_put_ptr(seen, map_ptr_key(u->v), NULL);
}

/* Every value from outside that g or its bodies use. */
static void find_captures(struct graph *g, struct map *seen)
{
	graph_vec work = {0};
	struct node *n;

	vec_push(&work, g);
	while (work.n) {
		struct graph *at = vec_pop(&work);

		graph_foreach (n, at) {
			for (uint32_t i = 0; i < n->nin; i++)
				note_capture(g, &n->in[i], seen);
			node_push_bodies(n, &work);
		}
		for (uint32_t i = 0; i < at->ret->nin; i++)
			note_capture(g, &at->ret->in[i], seen);
	}
	vec_release(&work);
}

static void replace_inside(const struct graph *g, struct value *from,
			   struct value *to)
{
	struct use *u, *next;

	for (u = from->uses; u; u = next) {
		next = u->next;
		if (graph_encloses(g, u->user->graph))
			use_set(u, to);
	}
}

static struct value *seen_at(const struct map *seen, size_t i)
{
	return (struct value *)(uintptr_t)seen->e[i].key;
}

static void become_input(struct graph *g, uint32_t i, const struct type *t)
{
	g->in[i]->type = g->in_info[i].decl = t;
	g->in_info[i].has_type = true;
}

void graph_detach(struct graph *g)
{
	struct map seen = {0};
	uint32_t at = g->nin, nin = g->nin;

	find_captures(g, &seen);
	for (size_t i = 0; i < seen.n; i++)
		nin += !seen_at(&seen, i)->konst;
	g->owner = NULL;
	graph_set_inputs(g, nin);
	for (size_t i = 0; i < seen.n; i++) {
		struct value *v = seen_at(&seen, i);

		if (v->konst) {
			replace_inside(g, v, graph_add_init(g, 0, v->konst));
			continue;
		}
		become_input(g, at, v->type);
		replace_inside(g, v, g->in[at++]);
	}
	map_release(&seen);
}

/* ---- paths ---- */

#define PATH_LABEL  64 /* bytes shown of one name */
#define PATH_LEVELS 4  /* innermost levels shown */

static int shown(struct str s)
{
	return s.n > PATH_LABEL ? PATH_LABEL : (int)s.n;
}

struct str node_label(const struct node *n)
{
	const struct model *m = n->graph->model;
	struct str s = sym_str(m, n->name);

	for (uint32_t i = 0; s.n == 0 && i < n->nout; i++)
		if (n->out[i])
			s = sym_str(m, n->out[i]->name);
	return s.n ? s : sym_str(m, n->type);
}

struct str graph_role(const struct graph *g)
{
	const struct node *n = g->owner;

	for (uint32_t i = 0; i < n->nattr; i++) {
		const struct attr *a = &n->attr[i];

		if (a->kind != ATTR_GRAPH && a->kind != ATTR_GRAPHS)
			continue;
		for (uint32_t k = 0; k < a->n; k++)
			if (a->u.g[k] == g)
				return sym_str(g->model, a->name);
	}
	return (struct str){"body", 4};
}

const char *graph_path(const struct graph *g)
{
	const struct graph *level[PATH_LEVELS];
	const struct model *m = g->model;
	struct buf b = {0};
	struct str s;
	char *path;
	size_t n = 0;

	if (!g->owner && !g->func)
		return "main";
	for (; g->owner && g->owner->graph && n < PATH_LEVELS;
	     g = g->owner->graph)
		level[n++] = g;
	if (g->owner) {
		buf_puts(&b, "...");
	} else if (g->func) {
		s = sym_str(m, g->func->name);
		buf_add(&b, s.p, (size_t)shown(s));
	} else {
		buf_puts(&b, "main");
	}
	while (n--) {
		s = node_label(level[n]->owner);
		buf_printf(&b, "/%.*s", shown(s), s.p);
		s = graph_role(level[n]);
		buf_printf(&b, ".%.*s", shown(s), s.p);
	}
	path = arena_dup((struct arena *)&m->arena, b.p, b.n + 1);
	buf_release(&b);
	return path;
}
