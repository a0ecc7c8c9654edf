/* SPDX-License-Identifier: MIT */
/*
 * regions.c -- compare two models where they differ, region by region.
 *
 * A pair (va, vb) of values that should be equal is followed backwards.  If
 * both come from equal nodes over inputs that correspond by name, the inputs
 * are followed.  Else a region ends here: it reaches back, on either side, to
 * values that correspond by name, which become free inputs.  All regions of a
 * graph are cut out of a copy of each model at once and run on random inputs;
 * if the original's cut refuses them, or the results differ, halves are tried,
 * down to one region: the border of one may lie within another.  A region that
 * differs on its own is tried once more from the graph's inputs on, for what a
 * rewrite knew about a value (an Abs is not negative) random inputs do not.
 *
 * Soundness: every value on the way is equal by structure, was run, or is
 * counted as skipped.  Cost O(nodes) per graph plus the runs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "passes/regions.h"

enum { REGION_NODES = 400, MAX_DEPTH = 32 };

struct area {
	struct value *a, *b;    /* the roots */
	VEC(struct value *) in; /* boundary, values of b's side */
	bool deep;              /* reaches back to the graph's inputs */
};

/* Two graphs that correspond, and the pairs of graphs around them. */
struct scope {
	struct graph *a, *b;
	struct scope *up;
	struct map names; /* symbol in a -> value of a */
	struct map seen;  /* values of b already followed */
	VEC(struct area *) regions;
	VEC(struct value *) work; /* pairs: a, b, a, b, ... */
};

struct check {
	struct model *a, *b;
	const struct verify_opts *o;
	struct verify_report *r;
};

/* ---- correspondence by name ---- */

static void note(struct scope *s, struct value *v)
{
	if (v && v->name)
		map_put_ptr(&s->names, v->name, v);
}

static void scope_init(struct scope *s, struct graph *a, struct graph *b,
		       struct scope *up)
{
	struct node *n;

	*s = (struct scope){.a = a, .b = b, .up = up};
	for (uint32_t i = 0; i < a->nin; i++)
		note(s, a->in[i]);
	for (size_t i = 0; i < a->init.n; i++)
		note(s, a->init.p[i]);
	graph_foreach (n, a)
		for (uint32_t i = 0; i < n->nout; i++)
			note(s, n->out[i]);
}

static void scope_release(struct scope *s)
{
	for (size_t i = 0; i < s->regions.n; i++) {
		vec_release(&s->regions.p[i]->in);
		free(s->regions.p[i]);
	}
	vec_release(&s->regions);
	vec_release(&s->work);
	map_release(&s->names);
	map_release(&s->seen);
}

/* The value of a's side that has vb's name in the corresponding graph. */
static struct value *counterpart(const struct scope *s, const struct value *vb)
{
	sym name;

	while (s && s->b != vb->graph)
		s = s->up;
	if (!s || !vb->name)
		return NULL;
	name = intern_find(s->a->model->syms, sym_str(s->b->model, vb->name));
	return name ? map_get_ptr(&s->names, name) : NULL;
}

static bool same_const(const struct value *a, const struct value *b)
{
	return a->konst && b->konst &&
	       tensor_equal(a->graph->model, a->konst, b->konst);
}

static bool same_str(const struct model *a, sym x, const struct model *b, sym y)
{
	return str_eq(sym_str(a, x), sym_str(b, y));
}

static bool same_attrs(const struct node *a, const struct node *b,
		       bool *bodies_differ)
{
	*bodies_differ = false;
	if (a->nattr != b->nattr)
		return false;
	for (uint32_t i = 0; i < a->nattr; i++) {
		if (attr_equal(a->graph->model, &a->attr[i], b->graph->model,
			       &b->attr[i]))
			continue;
		if (a->attr[i].kind != ATTR_GRAPH ||
		    b->attr[i].kind != ATTR_GRAPH)
			return false;
		*bodies_differ = true;
	}
	return true;
}

static bool same_inputs(const struct scope *s, const struct node *a,
			const struct node *b)
{
	if (a->nin != b->nin)
		return false;
	for (uint32_t i = 0; i < a->nin; i++) {
		struct value *x = node_in(a, i), *y = node_in(b, i);

		if (!x && !y)
			continue;
		if (!x || !y || (!same_const(x, y) && counterpart(s, y) != x))
			return false;
	}
	return true;
}

static bool same_node(const struct scope *s, const struct value *va,
		      const struct value *vb, bool *bodies_differ)
{
	const struct node *a = va->def, *b = vb->def;

	return a && b && va->slot == vb->slot && a->op->id == b->op->id &&
	       a->op->since == b->op->since && a->nout == b->nout &&
	       same_str(a->graph->model, a->type, b->graph->model, b->type) &&
	       same_str(a->graph->model, a->domain, b->graph->model,
			b->domain) &&
	       same_attrs(a, b, bodies_differ) && same_inputs(s, a, b);
}

/* ---- finding regions ---- */

static void follow(struct scope *s, struct value *va, struct value *vb)
{
	if (!va || !vb || !map_put(&s->seen, map_ptr_key(vb), 1))
		return;
	vec_push(&s->work, va);
	vec_push(&s->work, vb);
}

static bool usable_input(const struct value *v)
{
	return v->type->kind == TY_TENSOR && v->type->dt != DT_NONE &&
	       v->type->rank >= 0;
}

/*
 * Nodes from root back to `stop` values, which are collected in `in`; false
 * if something in between cannot be run or the region is too large.
 */
static bool walk_back(struct value *root, struct graph *g,
		      bool (*stops)(void *arg, struct value *v), void *arg)
{
	VEC(struct value *) pending = {0};
	struct map seen = {0};
	bool ok = true;

	vec_push(&pending, root);
	while (pending.n && ok) {
		struct value *v = vec_pop(&pending);

		if (v->konst || !map_put(&seen, map_ptr_key(v), 1))
			continue;
		if (v != root && stops(arg, v))
			continue;
		ok = v->def && v->graph == g && seen.n <= REGION_NODES &&
		     exec_supports(v->def) && !node_graph_count(v->def);
		for (uint32_t i = 0; ok && i < v->def->nin; i++)
			if (node_in(v->def, i))
				vec_push(&pending, node_in(v->def, i));
	}
	vec_release(&pending);
	map_release(&seen);
	return ok;
}

struct stop_args {
	const struct scope *s;
	struct area *r;
};

static bool add_boundary(struct area *r, struct value *vb)
{
	for (size_t i = 0; i < r->in.n; i++)
		if (r->in.p[i] == vb)
			return true;
	vec_push(&r->in, vb);
	return true;
}

static bool stops_b(void *arg, struct value *v)
{
	struct stop_args *x = arg;
	struct value *va = counterpart(x->s, v);

	return va && !va->konst && usable_input(v) &&
	       (!x->r->deep || v->is_input) && add_boundary(x->r, v);
}

/* On a's side: the same boundary, or an input that b's side did not need. */
static bool stops_a(void *arg, struct value *v)
{
	struct stop_args *x = arg;

	for (size_t i = 0; i < x->r->in.n; i++)
		if (counterpart(x->s, x->r->in.p[i]) == v)
			return true;
	if (!v->is_input || v->graph != x->s->a)
		return false;
	for (uint32_t i = 0; i < x->s->b->nin; i++)
		if (counterpart(x->s, x->s->b->in[i]) == v)
			return add_boundary(x->r, x->s->b->in[i]);
	return false;
}

static bool find_boundary(struct scope *s, struct area *r)
{
	struct stop_args x = {s, r};

	r->in.n = 0;
	return r->a->graph == s->a && r->b->graph == s->b &&
	       walk_back(r->b, s->b, stops_b, &x) &&
	       walk_back(r->a, s->a, stops_a, &x);
}

static void end_region(struct check *k, struct scope *s, struct value *va,
		       struct value *vb)
{
	struct area *r = xcalloc(1, sizeof *r);
	bool ok;

	r->a = va;
	r->b = vb;
	ok = find_boundary(s, r);
	for (size_t i = 0; i < r->in.n; i++)
		follow(s, counterpart(s, r->in.p[i]), r->in.p[i]);
	if (ok) {
		vec_push(&s->regions, r);
		return;
	}
	k->r->regions_skipped++;
	vec_release(&r->in);
	free(r);
}

static enum status check_graphs(struct check *k, struct graph *a,
				struct graph *b, struct scope *up, int depth);

static enum status check_bodies(struct check *k, struct scope *s,
				const struct node *a, const struct node *b,
				int depth)
{
	enum status st = OK;

	for (size_t i = 0; i < node_graph_count(a) && !st; i++)
		st = check_graphs(k, node_graph(a, i), node_graph(b, i), s,
				  depth + 1);
	return st;
}

static enum status step(struct check *k, struct scope *s, struct value *va,
			struct value *vb, int depth)
{
	bool bodies_differ = false;

	if (same_const(va, vb))
		return OK;
	if (va->is_input && vb->is_input && counterpart(s, vb) == va)
		return OK;
	if (va->is_input && vb->is_input && s->up && va->slot == vb->slot)
		return OK; /* a body's own inputs go by position */
	if (!same_node(s, va, vb, &bodies_differ)) {
		end_region(k, s, va, vb);
		return OK;
	}
	for (uint32_t i = 0; i < va->def->nin; i++)
		follow(s, node_in(va->def, i), node_in(vb->def, i));
	return bodies_differ ? check_bodies(k, s, va->def, vb->def, depth) : OK;
}

/* ---- running regions ---- */

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
			struct value *va = counterpart(s, vb);

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
	double rtol = k->o->rtol > 0 ? k->o->rtol : 1e-4;
	double atol = k->o->atol > 0 ? k->o->atol : 1e-5;

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
	if (find_boundary(s, r))
		run_batch(k, s, i, i + 1, &refused);
	if (refused || k->r->differs)
		*k->r = found;
	return !k->r->differs;
}

static void run_regions(struct check *k, struct scope *s)
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

/* NOLINTNEXTLINE(misc-no-recursion): at most MAX_DEPTH deep */
static enum status check_graphs(struct check *k, struct graph *a,
				struct graph *b, struct scope *up, int depth)
{
	struct scope s;
	enum status st = OK;

	if (depth > MAX_DEPTH || a->ret->nin != b->ret->nin) {
		k->r->regions_skipped++;
		return OK;
	}
	scope_init(&s, a, b, up);
	for (uint32_t i = 0; i < b->ret->nin; i++)
		follow(&s, node_in(a->ret, i), node_in(b->ret, i));
	while (s.work.n && !st) {
		struct value *vb = vec_pop(&s.work);
		struct value *va = vec_pop(&s.work);

		st = step(k, &s, va, vb, depth);
	}
	if (!st)
		run_regions(k, &s);
	scope_release(&s);
	return st;
}

enum status verify_regions(struct model *original, struct model *result,
			   const struct verify_opts *o, struct verify_report *r)
{
	struct check k = {original, result, o, r};

	return check_graphs(&k, original->main, result->main, NULL, 0);
}
