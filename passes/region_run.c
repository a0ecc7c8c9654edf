/* SPDX-License-Identifier: MIT */
/*
 * region_run.c -- run the regions that regions.c found.
 *
 * All regions of a graph are cut out of a copy of each model at once and run on
 * random inputs; if the original's cut refuses them, or the results differ,
 * halves are tried, down to one region: the border of one may lie within
 * another.  A region that differs on its own is tried once more from the
 * graph's inputs on, for what a rewrite knew about a value (an Abs is not
 * negative) random inputs do not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "passes/regions_p.h"

/* The n-th graph in the order of model_graphs: the same in a clone. */
static size_t graph_index(const struct model *m, const struct graph *g)
{
	graph_vec all = {0};
	size_t i;

	model_graphs(m, &all);
	for (i = 0; i < all.n && all.p[i] != g; i++)
		continue;
	vec_release(&all);
	return i;
}

static struct graph *graph_at(const struct model *m, size_t i)
{
	graph_vec all = {0};
	struct graph *g;

	model_graphs(m, &all);
	g = i < all.n ? all.p[i] : NULL;
	vec_release(&all);
	return g;
}

/* By position, since a clone's values are other structs. */
static struct value *find_by_name(struct graph *g, sym name)
{
	struct node *n;

	for (; g; g = g->owner ? g->owner->graph : NULL) {
		for (uint32_t i = 0; i < g->nin; i++)
			if (g->in[i]->name == name)
				return g->in[i];
		for (size_t i = 0; i < g->init.n; i++)
			if (g->init.p[i]->name == name)
				return g->init.p[i];
		graph_foreach (n, g)
			for (uint32_t i = 0; i < n->nout; i++)
				if (n->out[i] && n->out[i]->name == name)
					return n->out[i];
	}
	return NULL;
}

struct cut {
	struct model *m;
	struct graph *g;
};

static void cut_input(struct cut *c, uint32_t i, sym name, const struct type *t)
{
	struct value *old = find_by_name(c->g, name);
	struct value *in = c->g->in[i];

	if (old && old != in)
		value_replace_uses(old, in);
	in->type = t;
	in->name = 0;
	c->g->in_info[i] = (struct info){.decl = t, .has_type = true};
}

/* Copy the model and make it compute the regions' roots from fresh inputs. */
static bool cut_make(struct cut *c, const struct model *m,
		     const struct graph *g, sym *in, const struct type **type,
		     uint32_t nin, const sym *root, uint32_t nroot)
{
	static const struct driver_opts cleanup = {.pipeline = "dce"};
	struct pass_run run = {0};
	VEC(struct value *) roots = {0};
	uint32_t old;

	c->m = model_clone(m);
	c->m->diag = m->diag;
	c->g = graph_at(c->m, graph_index(m, g));
	for (uint32_t i = 0; i < nroot; i++)
		vec_push(&roots, find_by_name(c->g, root[i]));
	old = c->g->nin;
	graph_set_inputs(c->g, old + nin);
	for (uint32_t i = 0; i < nin; i++)
		cut_input(c, old + i, in[i], type[i]);
	graph_set_outputs(c->g, nroot);
	for (uint32_t i = 0; i < nroot; i++) {
		use_set(&c->g->ret->in[i], roots.p[i]);
		c->g->out_info[i] = (struct info){.decl = type_unknown()};
	}
	vec_release(&roots);
	c->m->main = c->g;
	graph_detach(c->g);
	if (driver_run(&run, c->m, &cleanup))
		c->m->main = NULL;
	pass_run_release(&run);
	/* what only dead nodes captured became inputs that nothing uses */
	while (c->g->nin > old + nin && !c->g->in[c->g->nin - 1]->nuse)
		graph_drop_input(c->g, c->g->nin - 1);
	return c->m->main && c->g->nin == old + nin;
}

struct batch { /* names and types of one run */
	sym *in_a, *in_b, *root_a, *root_b;
	const struct type **type_a, **type_b;
	uint32_t nin, nroot;
};

static void batch_fill(struct batch *b, struct check *k, struct scope *s,
		       size_t from, size_t to)
{
	struct arena *ar = &k->b->arena;
	struct map seen = {0};
	size_t max = 0;

	for (size_t i = from; i < to; i++)
		max += s->regions.p[i]->in.n;
	b->in_a = arena_array(ar, max, sizeof(sym));
	b->in_b = arena_array(ar, max, sizeof(sym));
	b->type_a = arena_array(ar, max, sizeof(struct type *));
	b->type_b = arena_array(ar, max, sizeof(struct type *));
	b->root_a = arena_array(ar, to - from, sizeof(sym));
	b->root_b = arena_array(ar, to - from, sizeof(sym));
	for (size_t i = from; i < to; i++) {
		const struct area *r = s->regions.p[i];

		b->root_a[b->nroot] = r->a->name;
		b->root_b[b->nroot++] = r->b->name;
		for (size_t j = 0; j < r->in.n; j++) {
			struct value *vb = r->in.p[j];
			struct value *va = region_counterpart(s, vb);

			if (!map_put(&seen, map_ptr_key(vb), 1))
				continue;
			b->in_a[b->nin] = va->name;
			b->in_b[b->nin] = vb->name;
			b->type_a[b->nin] = va->type;
			b->type_b[b->nin++] = vb->type;
		}
	}
	map_release(&seen);
}

/* random: roots to be compared by type and shape; NULL: none. */
static void compare_roots(struct check *k, const struct batch *b,
			  const bool *random, struct array **want,
			  struct array **got)
{
	double rtol = k->o->rtol > 0 ? k->o->rtol : 1e-4 * k->slack;
	double atol = k->o->atol > 0 ? k->o->atol : 1e-5 * k->slack;

	for (uint32_t i = 0; i < b->nroot && !k->r->differs; i++) {
		struct buf why = {0};

		if (want[i] && got[i] &&
		    (random && random[i] ? arrays_alike(got[i], want[i])
					 : arrays_close(got[i], want[i], rtol,
							atol, &why))) {
			buf_release(&why);
			continue;
		}
		k->r->differs = true;
		snprintf(k->r->first, sizeof k->r->first, "value '%s': %s",
			 sym_text(k->b, b->root_b[i]),
			 why.n ? why.p : "one side is missing");
		buf_release(&why);
	}
}

static enum status run_cut(struct model *m, const struct feed *f,
			   struct array **out, uint32_t *random)
{
	struct exec_opts o = {.set = EXEC_FAST, .seed = 1};
	struct exec *e = exec_create(m, &o);
	enum status s = e ? exec_run(e, f->in, out) : BAD_MODEL;

	*random = e ? exec_random_nodes(e) : 0;
	exec_free(e);
	return s;
}

/* Runs one batch; *refused: the original's cut would not run. */
static void run_batch(struct check *k, struct scope *s, size_t from, size_t to,
		      bool *refused)
{
	struct batch b = {0};
	struct cut ca = {0}, cb = {0};
	struct feed f = {0};
	struct array **want, **got;
	uint32_t na, nb;

	batch_fill(&b, k, s, from, to);
	want = xcalloc(b.nroot + 1, sizeof *want);
	got = xcalloc(b.nroot + 1, sizeof *got);
	*refused = !cut_make(&ca, k->a, s->a, b.in_a, b.type_a, b.nin, b.root_a,
			     b.nroot) ||
		   !cut_make(&cb, k->b, s->b, b.in_b, b.type_b, b.nin, b.root_b,
			     b.nroot) ||
		   model_infer(ca.m) || model_infer(cb.m) ||
		   ca.g->nin != cb.g->nin ||
		   feed_generate(ca.m, k->o->seed, 0, &f) ||
		   run_cut(ca.m, &f, want, &na);
	if (!*refused) {
		bool *random = xcalloc(b.nroot + 1, sizeof *random);

		if (run_cut(cb.m, &f, got, &nb))
			memset(got, 0, b.nroot * sizeof *got);
		random_outputs(ca.m, random);
		compare_roots(k, &b, na == nb ? NULL : random, want, got);
		free(random);
	}
	for (uint32_t i = 0; i < b.nroot; i++) {
		array_unref(want[i]);
		array_unref(got[i]);
	}
	free(want);
	free(got);
	feed_release(&f);
	model_free(ca.m);
	model_free(cb.m);
}

/* A region that differs on random inputs, once more from the graph's inputs
 * on; true if it does not differ there. */
static bool equal_from_inputs(struct check *k, struct scope *s, size_t i)
{
	struct area *r = s->regions.p[i];
	struct verify_report found = *k->r;
	bool refused = true;

	r->deep = true;
	k->r->differs = false;
	if (region_boundary(s, r))
		run_batch(k, s, i, i + 1, &refused);
	if (refused || k->r->differs)
		*k->r = found;
	return !k->r->differs;
}

void regions_run(struct check *k, struct scope *s)
{
	struct span {
		size_t from, to;
	} cur;
	VEC(struct span) pending = {0};

	if (s->regions.n)
		vec_push(&pending, ((struct span){0, s->regions.n}));
	while (pending.n && limit_time_ok()) {
		bool refused;
		size_t mid;

		cur = vec_pop(&pending);
		mid = (cur.from + cur.to) / 2;
		run_batch(k, s, cur.from, cur.to, &refused);
		if (mid > cur.from && (refused || k->r->differs)) {
			k->r->differs = false;
			vec_push(&pending, ((struct span){mid, cur.to}));
			vec_push(&pending, ((struct span){cur.from, mid}));
		} else if (refused) {
			k->r->regions_skipped++;
		} else if (k->r->differs &&
			   !equal_from_inputs(k, s, cur.from)) {
			break;
		} else {
			k->r->regions += cur.to - cur.from;
		}
	}
	vec_release(&pending);
}
