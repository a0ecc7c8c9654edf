/* SPDX-License-Identifier: MIT */
/*
 * finish.c -- names: from a changed graph back to one that can be written.
 *
 * First every graph output gets its declared name, by renaming the value or
 * through an Identity node.  Then a walk in scope order (outer names before
 * a body's, a node's outputs after its bodies) names what has no name and
 * renames what would redefine a visible name; names of the interface stay.
 * A model that breaks none of this is left as it is.  O(nodes + uses).
 */
#include <stdlib.h>
#include <string.h>
#include "ir/core_p.h"

struct undo {
	sym name;
	struct value *old;
};

struct frame { /* one open scope */
	struct graph *g;
	struct node *n; /* next node */
	size_t body;    /* its next body */
	size_t nundo;   /* names to restore when the scope closes */
};

struct finish {
	struct model *m;
	struct map pinned;           /* outputs that have their declared name */
	struct map names;            /* visible: sym -> struct value * */
	struct map graphs, shadowed; /* numbered */
	struct map captures;         /* graph number << 32 | value number */
	VEC(struct undo) undo;
	VEC(struct frame) scope;
};

/* ---- outputs ---- */

static void become_output(struct finish *f, struct value *v, sym name)
{
	/* the declaration of the output says all that value_info said */
	if (v->info && v->name)
		map_put(&f->m->gone, v->name, 1);
	v->info = NULL;
	v->name = name;
}

static enum status copy_to_output(struct finish *f, struct graph *g, uint32_t i)
{
	struct value *v = g->ret->in[i].v;
	struct node *n = node_make(g, OP_Identity, 1, 1, NULL);

	if (!n) {
		model_import(g, DOM_ONNX, 1);
		n = node_make(g, OP_Identity, 1, 1, NULL);
	}
	if (!n)
		return diag_error(f->m->diag, NULL, E_opset,
				  "the imported version of ai.onnx has no "
				  "Identity operator");
	node_set_input(n, 0, v);
	n->out[0]->type = v->type;
	n->out[0]->konst = v->konst;
	n->out[0]->name = g->out_info[i].name;
	use_set(&g->ret->in[i], n->out[0]);
	map_put_ptr(&f->pinned, map_ptr_key(n->out[0]), g);
	return OK;
}

/* Is the value known by that name already?  A body may return a value of the
 * graph around it if the file did, but not because a pass moved it there. */
static bool has_name(const struct finish *f, const struct graph *g,
		     const struct value *v, sym name)
{
	return name && v->name == name &&
	       (v->graph == g || !map_get(&f->m->moved, map_ptr_key(v)));
}

static enum status name_outputs(struct finish *f, struct graph *g)
{
	enum status st = OK;

	for (uint32_t i = 0; i < g->ret->nin; i++) {
		struct value *v = g->ret->in[i].v;

		if (v && has_name(f, g, v, g->out_info[i].name))
			map_put_ptr(&f->pinned, map_ptr_key(v), g);
	}
	for (uint32_t i = 0; i < g->ret->nin && st == OK; i++) {
		struct value *v = g->ret->in[i].v;
		sym name = g->out_info[i].name;

		if (!v || has_name(f, g, v, name))
			continue;
		if (v->graph != g || !v->def ||
		    map_get(&f->pinned, map_ptr_key(v))) {
			st = copy_to_output(f, g, i);
			continue;
		}
		if (name)
			become_output(f, v, name);
		map_put_ptr(&f->pinned, map_ptr_key(v), g);
	}
	return st;
}

/* ---- scopes ---- */

static uint64_t number(struct map *m, const void *p)
{
	const uint64_t *n = map_get(m, map_ptr_key(p));

	if (n)
		return *n;
	map_put(m, map_ptr_key(p), m->n);
	return m->n - 1;
}

static uint64_t pair_key(struct finish *f, const struct graph *g,
			 const struct value *x)
{
	return number(&f->graphs, g) << 32 | number(&f->shadowed, x);
}

static bool is_pinned(const struct finish *f, const struct value *v)
{
	return v->is_input || map_get(&f->pinned, map_ptr_key(v));
}

static void rename_fresh(struct finish *f, struct value *v)
{
	struct info *e = (struct info *)v->info; /* in our own arena */
	struct str base = {"input", 5};

	if (v->def)
		base = sym_str(f->m, v->def->type);
	else if (v->init)
		base = (struct str){"const", 5};
	v->name = model_fresh_name(f->m, base);
	if (e)
		e->name = v->name;
}

/* Note every graph below x's own that captures x: once per x. */
static void note_captures(struct finish *f, const struct value *x)
{
	const struct use *u;

	if (map_get(&f->shadowed, map_ptr_key(x)))
		return;
	number(&f->shadowed, x);
	for (u = x->uses; u; u = u->next) {
		const struct graph *g = u->user->graph;

		for (; g && g != x->graph && g->owner; g = g->owner->graph)
			if (!map_put(&f->captures, pair_key(f, g, x), 1))
				break;
	}
}

/*
 * x is visible under the name of v.  Shadowing that the file had is kept: it
 * matters only if x is used below v's graph, or if a pass brought it about.
 */
static bool clash(struct finish *f, const struct value *x,
		  const struct value *v)
{
	const struct map *moved = &f->m->moved;

	if (x->graph == v->graph || map_get(moved, map_ptr_key(x)) ||
	    map_get(moved, map_ptr_key(v)))
		return true;
	note_captures(f, x);
	return map_get(&f->captures, pair_key(f, v->graph, x)) != NULL;
}

/* v redefines the visible name of x. */
static enum status resolve(struct finish *f, struct value *x, struct value *v)
{
	struct str s = sym_str(f->m, v->name);
	struct at at = {0};

	if (!is_pinned(f, v) || (is_pinned(f, x) && x->graph != v->graph)) {
		rename_fresh(f, v);
		return OK;
	}
	if (!is_pinned(f, x)) {
		rename_fresh(f, x);
		return OK;
	}
	at.graph = graph_path(v->graph);
	return diag_error(f->m->diag, &at, E_name,
			  "'%.*s' would be the name of two values of the "
			  "interface",
			  s.n > 200 ? 200 : (int)s.n, s.p);
}

static enum status define(struct finish *f, struct value *v)
{
	struct value *x;
	enum status st;

	if (!v || !v->graph)
		return OK;
	if (!v->name)
		rename_fresh(f, v);
	x = map_get_ptr(&f->names, v->name);
	if (x == v)
		return OK;
	if (x && clash(f, x, v)) {
		st = resolve(f, x, v);
		if (st != OK)
			return st;
		x = map_get_ptr(&f->names, v->name);
	}
	vec_push(&f->undo, ((struct undo){v->name, x}));
	map_put_ptr(&f->names, v->name, v);
	return OK;
}

static enum status scope_open(struct finish *f, struct graph *g)
{
	struct frame fr = {g, g->first, 0, f->undo.n};
	enum status st = OK;

	for (uint32_t i = 0; i < g->nin && st == OK; i++) {
		if (g->in_info[i].name)
			g->in[i]->name = g->in_info[i].name;
		st = define(f, g->in[i]);
	}
	for (size_t i = 0; i < g->init.n && st == OK; i++)
		st = define(f, g->init.p[i]);
	vec_push(&f->scope, fr);
	return st;
}

static void scope_close(struct finish *f)
{
	struct frame fr = vec_pop(&f->scope);

	while (f->undo.n > fr.nundo) {
		struct undo u = vec_pop(&f->undo);

		map_put_ptr(&f->names, u.name, u.old);
	}
}

/* Everything below the top graph g. */
static enum status name_values(struct finish *f, struct graph *g)
{
	enum status st = scope_open(f, g);

	while (f->scope.n && st == OK) {
		struct frame *fr = &f->scope.p[f->scope.n - 1];
		struct node *n = fr->n;

		if (!n) {
			scope_close(f);
		} else if (fr->body < node_graph_count(n)) {
			st = scope_open(f, node_graph(n, fr->body++));
		} else {
			for (uint32_t i = 0; i < n->nout && st == OK; i++)
				st = define(f, n->out[i]);
			fr->n = n->next;
			fr->body = 0;
		}
	}
	return st;
}

/* Bodies are called by position: their interface follows its values. */
static void name_interface(struct graph *g)
{
	for (uint32_t i = 0; i < g->nin; i++)
		if (g->owner || !g->in_info[i].name)
			g->in_info[i].name = g->in[i]->name;
	for (uint32_t i = 0; i < g->ret->nin; i++)
		if (g->ret->in[i].v && (g->owner || !g->out_info[i].name))
			g->out_info[i].name = g->ret->in[i].v->name;
}

/* ---- what is gone ---- */

static void drop_inits(struct graph *g)
{
	size_t n = 0;

	for (size_t i = 0; i < g->init.n; i++)
		if (g->init.p[i]->graph == g && g->init.p[i]->init)
			g->init.p[n++] = g->init.p[i];
	g->init.n = n;
}

static void note_entry(struct map *live, const struct value *v)
{
	if (v && v->graph && v->info)
		map_put(live, map_ptr_key(v->info), 1);
}

static void drop_infos(const struct model *m, struct graph *g)
{
	struct map live = {0};
	const struct node *n;
	size_t to = 0;

	for (uint32_t i = 0; i < g->nin; i++)
		note_entry(&live, g->in[i]);
	for (size_t i = 0; i < g->init.n; i++)
		note_entry(&live, g->init.p[i]);
	graph_foreach (n, g)
		for (uint32_t i = 0; i < n->nout; i++)
			note_entry(&live, n->out[i]);
	for (size_t i = 0; i < g->infos.n; i++) {
		struct info *e = g->infos.p[i];

		if (map_get(&live, map_ptr_key(e)) ||
		    !map_get(&m->gone, e->name))
			g->infos.p[to++] = e;
	}
	g->infos.n = to;
	map_release(&live);
}

enum status model_finish(struct model *m)
{
	struct finish f = {.m = m};
	graph_vec all = {0};
	enum status st = OK;

	model_graphs(m, &all);
	for (size_t i = 0; i < all.n; i++)
		drop_inits(all.p[i]);
	for (size_t i = 0; i < all.n && st == OK; i++)
		st = name_outputs(&f, all.p[i]);
	for (size_t i = 0; i < all.n && st == OK; i++)
		if (!all.p[i]->owner)
			st = name_values(&f, all.p[i]);
	for (size_t i = 0; i < all.n && st == OK; i++) {
		name_interface(all.p[i]);
		if (m->gone.n)
			drop_infos(m, all.p[i]);
	}
	vec_release(&all);
	vec_release(&f.undo);
	vec_release(&f.scope);
	map_release(&f.pinned);
	map_release(&f.names);
	map_release(&f.graphs);
	map_release(&f.shadowed);
	map_release(&f.captures);
	map_clear(&m->moved);
	return st;
}
