/* SPDX-License-Identifier: MIT */
/*
 * feed_size.c -- sizes for the dynamic dims of a model's inputs.
 *
 * Dims that nodes fix are found first (feed_pin.c).  The rest gets sizes that
 * are usual for their place; shape inference says whether they fit, and if
 * not, the next candidate is tried.  The number of tries is bounded by the
 * size of the model.  Nothing depends on names.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/feed_p.h"

enum { PIN_ROUNDS = 6, SCALES = 9, TWEAKS = 4, TRY_NODES = 200000 };

static const int64_t batch_sizes[] = {1, 2, 3};
static const int64_t seq_sizes[] = {8, 12, 5, 16, 7, 24};
static const int64_t spatial_sizes[] = {64, 96, 48, 128, 80, 160};
/* Tried in turn when the usual sizes do not fit. */
static const int64_t scales[SCALES][2] = {
	{32, 224}, {16, 128},  {64, 256},   {128, 512},    {512, 320},
	{1, 640},  {1500, 32}, {4096, 300}, {16000, 1024},
};

bool feed_wants(const struct value *v)
{
	return !v->init && !v->konst;
}

/* ---- variables ---- */

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

/* Dims of a tensor input, symbols for the unknown ones. */
static void add_input(struct feed_plan *p, uint32_t i)
{
	const struct type *t = p->m->main->in[i]->type;
	int k;

	p->dim[i] = NULL;
	if (!feed_wants(p->m->main->in[i]) || t->kind != TY_TENSOR ||
	    t->rank < 0)
		return;
	p->dim[i] = arena_array(&p->m->arena, (size_t)t->rank + 1,
				sizeof(struct dim));
	for (k = 0; k < t->rank; k++) {
		p->dim[i][k] = t->dim[k];
		add_dim(p, &p->dim[i][k], i, k, t->rank);
	}
}

/* ---- inference on the clone ---- */

/* The dim under what is known of variables, for another inference. */
static struct dim resolve(const struct feed_plan *p, struct dim d)
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

static bool infer_with(struct feed_plan *p, bool numbers)
{
	struct graph *g = p->m->main;
	struct dim d[64];
	int64_t n;
	uint32_t i;
	int k;

	for (i = 0; i < g->nin; i++) {
		const struct type *t = g->in[i]->type;

		if (!p->dim[i] || t->rank > (int)countof(d))
			continue;
		for (k = 0; k < t->rank; k++) {
			d[k] = resolve(p, p->dim[i][k]);
			if (!numbers)
				continue;
			if (!feed_eval(p, p->dim[i][k], &n))
				return false;
			d[k] = dim_of(n);
		}
		g->in[i]->type = type_tensor(p->m, t->dt, t->rank, d);
	}
	return model_infer(p->m) == OK;
}

/* depth: of variables that stand for expressions of others. */
static bool eval_at(struct feed_plan *p, struct dim d, int64_t *n, int depth)
{
	struct map bind = {0};
	struct str text, name;
	int64_t x;
	uint64_t *v;
	bool ok = true;

	d = resolve(p, d);
	if (dim_known(d)) {
		*n = d.n;
		return true;
	}
	v = map_get(&p->by_name, d.s);
	if (v) {
		*n = p->var.p[*v].n;
		return *n >= 0;
	}
	if (dim_unknown(d) || depth > 16)
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

	d = resolve(p, d);
	if (d.s == 0)
		return false;
	if (d.s == name || depth > 16)
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

		r = resolve(p, r);
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
	for (x = 1; x <= 4096; x++) {
		v->n = x;
		if (!feed_eval(p, d, &n))
			continue;
		if (n == k) {
			v->is = dim_of(x);
			return true;
		}
		if (n > 4 * k + 4096)
			break;
	}
	return false;
}

bool feed_pin(struct feed_plan *p, struct dim a, struct dim b)
{
	struct feed_var *va, *vb;
	uint64_t *ia, *ib;

	a = resolve(p, a);
	b = resolve(p, b);
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

/* ---- candidates ---- */

static int64_t usual(const struct feed_plan *p, const struct feed_var *v)
{
	unsigned r = p->round;

	switch (v->cls) {
	case FEED_BATCH:
		return batch_sizes[r % countof(batch_sizes)];
	case FEED_SEQ:
		return seq_sizes[r % countof(seq_sizes)];
	default:
		return spatial_sizes[r % countof(spatial_sizes)];
	}
}

/* All variables get their class's size; distinct: no two of a class the
 * same, batches excepted. */
static void assign(struct feed_plan *p, bool distinct)
{
	int64_t rank[FEED_CLASSES] = {0};
	struct feed_var *v;
	size_t i;

	for (i = 0; i < p->var.n; i++) {
		v = &p->var.p[i];
		v->n = usual(p, v);
		if (!distinct || v->is.s != v->name)
			continue;
		if (v->cls == FEED_SPATIAL)
			v->n += 32 * rank[v->cls]++;
		else if (v->cls == FEED_SEQ)
			v->n += rank[v->cls]++;
	}
}

static void rescale(struct feed_plan *p, const int64_t scale[2])
{
	struct feed_var *v;
	size_t i;

	for (i = 0; i < p->var.n; i++) {
		v = &p->var.p[i];
		if (v->cls == FEED_SPATIAL)
			v->n = scale[1];
		else if (v->cls == FEED_SEQ)
			v->n = scale[0];
	}
}

static void one_batch(struct feed_plan *p)
{
	size_t i;

	for (i = 0; i < p->var.n; i++)
		if (p->var.p[i].cls == FEED_BATCH)
			p->var.p[i].n = 1;
}

/* Candidate k; false when there are no more.  Usual sizes, other scales, then
 * one variable at a time set to what relations between sizes ask for. */
static bool candidate(struct feed_plan *p, unsigned k)
{
	const unsigned first = 3 + 2 * SCALES;
	struct feed_var *v;

	assign(p, k == p->round % 2);
	if (k < 2)
		return true;
	if (k < first) {
		if (k % 2 == 0)
			one_batch(p);
		if (k > 2)
			rescale(p, scales[(k - 3) / 2]);
		return true;
	}
	k -= first;
	if (k / TWEAKS >= p->var.n)
		return false;
	v = &p->var.p[k / TWEAKS];
	/* one; none; the sum of two equal ones; one more */
	v->n = k % TWEAKS == 0   ? 1
	       : k % TWEAKS == 1 ? 0
	       : k % TWEAKS == 2 ? 2 * v->n
				 : v->n + 1;
	return true;
}

static unsigned tries(const struct feed_plan *p)
{
	size_t n = TRY_NODES / (graph_node_count(p->m->main) + 1);

	return n < 12 ? 12 : n > 64 ? 64 : (unsigned)n;
}

static void choose(struct feed_plan *p)
{
	unsigned k, n = tries(p);

	for (k = 0; k < n && candidate(p, k); k++)
		if (infer_with(p, true))
			return;
	/* None fits as far as one can see: leave it to the run. */
	candidate(p, (p->round + 1) % 2);
	infer_with(p, true);
}

void feed_plan_sizes(struct feed_plan *p)
{
	struct graph *g = p->m->main;
	unsigned k;
	uint32_t i;

	p->dim = arena_array(&p->m->arena, (size_t)g->nin + 1, sizeof(*p->dim));
	for (i = 0; i < g->nin; i++)
		add_input(p, i);
	p->blind = !infer_with(p, false);
	if (p->var.n == 0)
		return;
	for (k = 0; k < PIN_ROUNDS && feed_pin_all(p); k++)
		infer_with(p, false);
	if (!p->blind) {
		choose(p);
		return;
	}
	candidate(p, (p->round + 1) % 2);
	infer_with(p, true);
}
