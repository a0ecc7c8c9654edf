/* SPDX-License-Identifier: MIT */
/*
 * regions.c -- compare two models where they differ, region by region.
 *
 * A pair (va, vb) of values that should be equal is followed backwards.  If
 * both come from equal nodes over inputs that correspond by name, the inputs
 * are followed.  Else a region ends here: it reaches back, on either side, to
 * values that correspond by name, which become free inputs.  region_run.c runs
 * the regions.
 *
 * Soundness: every value on the way is equal by structure, was run, or is
 * counted as skipped.  Cost O(nodes) per graph plus the runs.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "passes/regions_p.h"

enum { REGION_NODES = 400, MAX_DEPTH = 32 };

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

struct value *region_counterpart(const struct scope *s, const struct value *vb)
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
		if (!x || !y ||
		    (!same_const(x, y) && region_counterpart(s, y) != x))
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
	struct value *va = region_counterpart(x->s, v);

	return va && !va->konst && usable_input(v) &&
	       (!x->r->deep || v->is_input) && add_boundary(x->r, v);
}

/* On a's side: the same boundary, or an input that b's side did not need. */
static bool stops_a(void *arg, struct value *v)
{
	struct stop_args *x = arg;

	for (size_t i = 0; i < x->r->in.n; i++)
		if (region_counterpart(x->s, x->r->in.p[i]) == v)
			return true;
	if (!v->is_input || v->graph != x->s->a)
		return false;
	for (uint32_t i = 0; i < x->s->b->nin; i++)
		if (region_counterpart(x->s, x->s->b->in[i]) == v)
			return add_boundary(x->r, x->s->b->in[i]);
	return false;
}

bool region_boundary(struct scope *s, struct area *r)
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
	ok = region_boundary(s, r);
	for (size_t i = 0; i < r->in.n; i++)
		follow(s, region_counterpart(s, r->in.p[i]), r->in.p[i]);
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
	if (va->is_input && vb->is_input && region_counterpart(s, vb) == va)
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
		regions_run(k, &s);
	scope_release(&s);
	return st;
}

enum status verify_regions(struct model *original, struct model *result,
			   const struct verify_opts *o, struct verify_report *r)
{
	struct check k = {original, result, o, r,
			  fmax(verify_slack(original), verify_slack(result))};

	return check_graphs(&k, original->main, result->main, NULL, 0);
}
