/* SPDX-License-Identifier: MIT */
/*
 * name.c -- names for the dims that nothing is known of.
 *
 * An open dim of a value gets a symbol of its own, NAME_dim_AXIS, so that what
 * depends on it can be told: that two dims are equal, or one is twice another.
 * The symbol stays the value's through later inferences.  A name that the
 * model uses itself is never taken.
 *
 * A symbol stands for one number as long as its graph runs once.  A body may
 * run again and a function be called again, so types that leave one forget
 * the symbols that were given in it.
 */
#include <stdlib.h>

#include "ir/core_p.h"
#include "ir/infer/infer.h"

enum {
	TRIES = 8, /* then a counter of the model makes the name unique */
	MAX_BASE = 64,
};

/* Symbols of the open dims of a value; 0: none yet. */
struct open {
	int rank;
	sym axis[];
};

static struct open *open_of(struct model *m, const struct value *v, int rank)
{
	struct open *o = map_get_ptr(&m->open, map_ptr_key(v));

	if (o && o->rank >= rank)
		return o;
	o = arena_alloc(&m->arena,
			sizeof(*o) + (size_t)rank * sizeof(o->axis[0]));
	o->rank = rank;
	map_put_ptr(&m->open, map_ptr_key(v), o);
	return o;
}

/* The name as an identifier: text of expressions needs no quotes then. */
static void put_base(struct buf *b, struct str name)
{
	size_t i = 0;

	while (i < name.n && (name.p[i] == '/' || name.p[i] == '_'))
		i++;
	if (i == name.n || (name.p[i] >= '0' && name.p[i] <= '9'))
		buf_putc(b, 'v');
	for (; i < name.n && b->n < MAX_BASE; i++) {
		char c = name.p[i];
		bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			  (c >= '0' && c <= '9') || c == '.';

		buf_putc(b, ok ? c : '_');
	}
}

static sym new_name(struct model *m, const struct value *v, int axis)
{
	struct buf b = {0};
	sym s;

	for (unsigned k = 1;; k++) {
		b.n = 0;
		put_base(&b, sym_str(m, v->name));
		buf_printf(&b, "_dim_%d", axis);
		if (k > TRIES || !v->name)
			buf_printf(&b, "_%u", m->fresh++);
		else if (k > 1)
			buf_printf(&b, "_%u", k);
		if (!intern_find(m->syms, (struct str){b.p, b.n}))
			break;
	}
	s = intern_str(m->syms, (struct str){b.p, b.n});
	buf_release(&b);
	map_put_ptr(&m->owner, s, v->graph);
	return s;
}

void infer_name_dims(struct value *v)
{
	struct model *m = v->graph->model;
	const struct type *t = v->type;
	struct open *o;
	struct dim *d;
	int k = 0;

	if (t->kind != TY_TENSOR || t->rank > INFER_MAX_RANK)
		return;
	while (k < t->rank && !dim_unknown(t->dim[k]))
		k++;
	if (k >= t->rank)
		return;
	o = open_of(m, v, t->rank);
	d = arena_dup(&m->arena, t->dim, (size_t)t->rank * sizeof(*d));
	for (; k < t->rank; k++) {
		if (!dim_unknown(d[k]))
			continue;
		if (!o->axis[k])
			o->axis[k] = new_name(m, v, k);
		d[k].s = o->axis[k];
	}
	v->type = type_tensor(m, t->dt, t->rank, d);
}

void infer_name_outputs(struct node *n)
{
	for (uint32_t i = 0; i < n->nout; i++)
		if (n->out[i])
			infer_name_dims(n->out[i]);
}

void infer_copy_names(struct model *to, const struct model *from,
		      const struct map *done)
{
	for (size_t i = 0; i < from->open.n; i++) {
		struct value *v = map_get_ptr(done, from->open.e[i].key);
		const struct open *o =
			map_get_ptr(&from->open, from->open.e[i].key);
		struct open *c;

		if (!v)
			continue;
		c = open_of(to, v, o->rank);
		for (int k = 0; k < o->rank; k++) {
			c->axis[k] = o->axis[k];
			if (c->axis[k])
				map_put_ptr(&to->owner, c->axis[k], v->graph);
		}
	}
}

/* ---- leaving a graph ---- */

struct within {
	const struct model *m;
	const struct graph *body;
};

static bool is_within(const void *ctx, sym s)
{
	const struct within *w = ctx;
	const struct graph *g = map_get_ptr(&w->m->owner, s);

	for (int d = 0; g && d <= INFER_MAX_DEPTH; d++) {
		if (g == w->body)
			return true;
		g = g->owner ? g->owner->graph : NULL;
	}
	return false;
}

struct dim dim_leave(struct dim d, const struct graph *body)
{
	struct within w = {body->model, body};

	return dim_mentions(body->model, d, is_within, &w) ? dim_none() : d;
}

const struct type *type_leave(const struct type *t, const struct graph *body)
{
	struct model *m = body->model;
	VEC(const struct type *) outer = {0};
	struct dim *d;

	for (; t->elem; t = t->elem)
		vec_push(&outer, t);
	if (t->kind == TY_TENSOR && t->rank > 0) {
		d = arena_dup(&m->arena, t->dim, (size_t)t->rank * sizeof(*d));
		for (int i = 0; i < t->rank; i++)
			d[i] = dim_leave(d[i], body);
		t = type_tensor(m, t->dt, t->rank, d);
	}
	while (outer.n) {
		const struct type *o = vec_pop(&outer);

		t = type_of_elem(m, o->kind, o->dt, t);
	}
	vec_release(&outer);
	return t;
}
