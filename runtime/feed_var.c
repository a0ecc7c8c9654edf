/* SPDX-License-Identifier: MIT */
/*
 * feed_var.c -- the dynamic dims of a model's inputs as variables.
 *
 * A variable is a dim name, or a dim without one.  It is free, or stands for a
 * number or for an expression of others.
 */
#include <stdlib.h>
#include <string.h>

#include "runtime/feed_p.h"

enum { SOLVE_MAX = 4096, DEPTH_MAX = 16 };

static enum feed_class class_of(int rank, int axis)
{
	if (rank >= 2 && axis == 0)
		return FEED_BATCH;
	return rank >= 4 ? FEED_SPATIAL : FEED_SEQ;
}

static void add_var(struct feed_plan *p, sym name, bool unnamed, uint32_t input,
		    int axis, int rank)
{
	struct feed_var v = {
		.name = name,
		.unnamed = unnamed,
		.input = input,
		.axis = (uint32_t)axis,
		.cls = class_of(rank, axis),
		.is = {.s = name},
	};
	uint64_t *old = map_get(&p->by_name, name);

	if (old) {
		if (v.cls == FEED_BATCH)
			p->var.p[*old].cls = FEED_BATCH;
		return;
	}
	map_put(&p->by_name, name, p->var.n);
	vec_push(&p->var, v);
}

static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       c == '.' || (c >= '0' && c <= '9');
}

/* The next name in the text of an expression; n == 0: no more. */
static struct str next_name(struct str *text)
{
	struct str name = {NULL, 0};
	size_t i = 0, n;

	while (i < text->n && name.n == 0) {
		if (text->p[i] == '\'') {
			for (n = 1; i + n < text->n && text->p[i + n] != '\'';)
				n++;
			name = (struct str){text->p + i + 1, n - 1};
			n++;
		} else if (name_char(text->p[i])) {
			for (n = 0;
			     i + n < text->n && name_char(text->p[i + n]);)
				n++;
			/* floor(...), max(...): no names; nor are numbers */
			if ((i + n == text->n || text->p[i + n] != '(') &&
			    !(text->p[i] >= '0' && text->p[i] <= '9'))
				name = (struct str){text->p + i, n};
		} else {
			n = 1;
		}
		i += n;
	}
	i = i < text->n ? i : text->n;
	text->p += i;
	text->n -= i;
	return name;
}

/* Does d become a number once every name in its text is one? */
static bool is_expression(struct model *m, struct dim d)
{
	struct str text = sym_str(m, d.s), name;
	struct map bind = {0};
	sym s = 0;

	while (s != d.s && (name = next_name(&text)).n) {
		s = intern_str(m->syms, name);
		map_put(&bind, s, 4);
	}
	if (s != d.s)
		d = dim_bind(m, d, &bind);
	map_release(&bind);
	return d.s == 0;
}

/* A name for dim `axis` of input i that the model does not use. */
static sym fresh_name(struct model *m, uint32_t i, int axis)
{
	struct buf b = {0};
	sym s;

	do {
		b.n = 0;
		buf_printf(&b, "d%u_%d_%u", i, axis, m->fresh++);
	} while (intern_find(m->syms, (struct str){b.p, b.n}));
	s = intern_str(m->syms, (struct str){b.p, b.n});
	buf_release(&b);
	return s;
}

static void add_dim(struct feed_plan *p, struct dim *d, uint32_t i, int axis,
		    int rank)
{
	struct str text, name;

	if (dim_known(*d))
		return;
	if (dim_unknown(*d)) {
		d->s = fresh_name(p->m, i, axis);
		add_var(p, d->s, true, i, axis, rank);
	} else if (is_expression(p->m, *d)) {
		text = sym_str(p->m, d->s);
		while ((name = next_name(&text)).n)
			add_var(p, intern_str(p->m->syms, name), false, i, axis,
				rank);
	} else {
		add_var(p, d->s, false, i, axis, rank);
	}
}

void feed_add_input(struct feed_plan *p, uint32_t i)
{
	const struct type *t = p->m->main->in[i]->type;
	int k;

	p->dim[i] = NULL;
	if (!p->want[i] || t->kind != TY_TENSOR || t->rank < 0)
		return;
	p->dim[i] = arena_array(&p->m->arena, (size_t)t->rank + 1,
				sizeof(struct dim));
	for (k = 0; k < t->rank; k++) {
		p->dim[i][k] = t->dim[k];
		add_dim(p, &p->dim[i][k], i, k, t->rank);
	}
}

/* ---- what variables stand for ---- */

/* The dim under what is known of variables, for another inference. */
struct dim feed_resolve(const struct feed_plan *p, struct dim d)
{
	uint64_t *v;
	size_t hops;

	/* Chains of names end, since feed_pin() makes no circles. */
	for (hops = 0; d.s && hops <= p->var.n; hops++) {
		v = map_get(&p->by_name, d.s);
		if (!v || p->var.p[*v].is.s == d.s)
			break;
		d = p->var.p[*v].is;
	}
	return d;
}

/* depth: of variables that stand for expressions of others. */
static bool eval_at(struct feed_plan *p, struct dim d, int64_t *n, int depth)
{
	struct map bind = {0};
	struct str text, name;
	int64_t x;
	uint64_t *v;
	bool ok = true;

	d = feed_resolve(p, d);
	if (dim_known(d)) {
		*n = d.n;
		return true;
	}
	v = map_get(&p->by_name, d.s);
	if (v) {
		*n = p->var.p[*v].n;
		return *n >= 0;
	}
	if (dim_unknown(d) || depth > DEPTH_MAX)
		return false;
	text = sym_str(p->m, d.s);
	while (ok && (name = next_name(&text)).n) {
		sym s = intern_str(p->m->syms, name);

		ok = map_get(&p->by_name, s) &&
		     eval_at(p, (struct dim){.s = s}, &x, depth + 1);
		map_put(&bind, s, (uint64_t)x);
	}
	d = ok ? dim_bind(p->m, d, &bind) : d;
	map_release(&bind);
	*n = d.n;
	return dim_known(d);
}

bool feed_eval(struct feed_plan *p, struct dim d, int64_t *n)
{
	return eval_at(p, d, n, 0);
}

/* Does the dim d depend on the variable called name? */
static bool depends(const struct feed_plan *p, struct dim d, sym name,
		    int depth)
{
	struct str text, part;
	sym s;

	d = feed_resolve(p, d);
	if (d.s == 0)
		return false;
	if (d.s == name || depth > DEPTH_MAX)
		return true;
	if (map_get(&p->by_name, d.s))
		return false;
	text = sym_str(p->m, d.s);
	while ((part = next_name(&text)).n) {
		s = intern_find(p->m->syms, part);
		if (s && depends(p, (struct dim){.s = s}, name, depth + 1))
			return true;
	}
	return false;
}

/* The one free variable of d, or NULL. */
static struct feed_var *only_var(struct feed_plan *p, struct dim d)
{
	struct str text = sym_str(p->m, d.s), name;
	struct feed_var *found = NULL;
	uint64_t *v;

	while ((name = next_name(&text)).n) {
		struct dim r = {.s = intern_str(p->m->syms, name)};

		r = feed_resolve(p, r);
		if (dim_known(r))
			continue;
		v = r.s ? map_get(&p->by_name, r.s) : NULL;
		if (!v || (found && found != &p->var.p[*v]))
			return NULL;
		found = &p->var.p[*v];
	}
	return found;
}

/* d, an expression of one variable, must be k: the smallest size that does
 * it. */
static bool solve(struct feed_plan *p, struct dim d, int64_t k)
{
	struct feed_var *v = only_var(p, d);
	int64_t x, n;

	if (!v || v->is.s != v->name)
		return false;
	for (x = 1; x <= SOLVE_MAX; x++) {
		v->n = x;
		if (!feed_eval(p, d, &n))
			continue;
		if (n == k) {
			v->is = dim_of(x);
			return true;
		}
		if (n > 4 * k + SOLVE_MAX)
			break;
	}
	return false;
}

bool feed_pin(struct feed_plan *p, struct dim a, struct dim b)
{
	struct feed_var *va, *vb;
	uint64_t *ia, *ib;

	if (p->checking) {
		p->conflicts += dim_known(a) && dim_known(b) && a.n != b.n;
		return false;
	}
	a = feed_resolve(p, a);
	b = feed_resolve(p, b);
	if (dim_unknown(a) || dim_unknown(b) || dim_equal(a, b))
		return false;
	ia = a.s ? map_get(&p->by_name, a.s) : NULL;
	ib = b.s ? map_get(&p->by_name, b.s) : NULL;
	va = ia ? &p->var.p[*ia] : NULL;
	vb = ib ? &p->var.p[*ib] : NULL;
	/* Later variables follow earlier ones. */
	if (va && (!vb || *ia > *ib) && !depends(p, b, va->name, 0)) {
		va->is = b;
		return true;
	}
	if (vb && !depends(p, a, vb->name, 0)) {
		vb->is = a;
		return true;
	}
	if (a.s && !va && b.s == 0)
		return solve(p, a, b.n);
	if (b.s && !vb && a.s == 0)
		return solve(p, b, a.n);
	return false;
}
