/* SPDX-License-Identifier: MIT */
/*
 * fold.c -- replace what is constant by its value.
 *
 * First every node whose inputs are constants, or whose integer data shape
 * inference knows (Shape of a static dimension and what is computed from it),
 * is evaluated without touching the graph: reference kernels, floats as the
 * operators say.  Then, last node first, a value is placed if it costs less
 * than what dies with its node: the whole cone of nodes and constants that
 * serve it alone.  So a chain through a large intermediate folds when its end
 * is small, and a large ConstantOfShape, Expand or Range stays what it is.
 * Growth: the placed constant may exceed the cone's encoded bytes only by
 * what earlier rewrites saved (pass_affords()), so no file ever grows.
 * Constant nodes become initializers where the graph can hold them.
 * Keeps types.  Cost: evaluation plus O(nodes x cone).
 */
#include <stdlib.h>
#include "passes/constant_p.h"
#include "passes/pass_p.h"

enum {
	MAX_IN = 64,
	FREE_BYTES = 1 << 20, /* an evaluation may always produce this much */
};

struct fold {
	struct pass_run *r;
	struct map known; /* value -> tensor */
	struct map kept;  /* blobs that are part of the model now */
};

static const struct tensor *known(const struct fold *f, const struct value *v)
{
	if (v->konst)
		return v->konst;
	return map_get_ptr(&f->known, map_ptr_key(v));
}

static bool foldable(const struct fold *f, const struct node *n)
{
	return n->op->flags & OPF_PURE && !(n->op->flags & OPF_RANDOM) &&
	       n->nin <= MAX_IN && !node_graph_count(n) &&
	       !node_has_attr_ref(n) && !pass_kept(f->r, n);
}

/* Small enough to try, given what went in? */
static bool eval_affordable(const struct node *n,
			    const struct tensor *const *in)
{
	size_t bytes = eval_output_bytes(n), limit = FREE_BYTES;

	for (uint32_t i = 0; i < n->nin; i++)
		if (in[i] && const_is_splat(in[i]))
			return true; /* uniform: no bytes to touch */
		else if (in[i])
			limit += in[i]->len;
	return bytes != SIZE_MAX && bytes <= limit;
}

static void learn(struct fold *f, struct node *n)
{
	const struct tensor *in[MAX_IN] = {NULL}, **out;

	if (!foldable(f, n))
		return;
	if (n->nout == 1 && n->out[0] && !n->out[0]->konst) {
		const struct tensor *t = const_of_data(n->out[0]);

		if (t) {
			map_put_ptr(&f->known, map_ptr_key(n->out[0]), t);
			return;
		}
	}
	for (uint32_t i = 0; i < n->nin; i++) {
		if (!n->in[i].v)
			continue;
		in[i] = known(f, n->in[i].v);
		if (!in[i])
			return;
	}
	if (!n->nin || node_is(n, OP_ConstantOfShape) ||
	    !eval_affordable(n, in))
		return;
	out = xcalloc(n->nout, sizeof *out);
	if (const_eval(n, in, n->nin, out))
		for (uint32_t i = 0; i < n->nout; i++)
			if (n->out[i] && out[i])
				map_put_ptr(&f->known, map_ptr_key(n->out[i]),
					    out[i]);
	free(out);
}

/* ---- placing ---- */

struct price {
	size_t bytes;
	uint64_t cost;
	bool ok;
};

/* What the known outputs of n cost as constants. */
static struct price price_of(const struct fold *f, const struct node *n,
			     bool fill)
{
	const struct graph *g = n->graph;
	struct price p = {.ok = true};
	bool any = false;

	for (uint32_t i = 0; i < n->nout; i++) {
		const struct value *v = n->out[i];
		const struct tensor *t;
		bool filled;

		if (!v || !v->nuse)
			continue;
		t = known(f, v);
		if (!t || t->sparse_indices)
			return (struct price){.ok = false};
		any = true;
		filled = fill && const_fillable(g, t);
		p.cost += filled;
		p.bytes += const_place_size(g, t, v->name, filled, NULL);
	}
	p.ok = any;
	return p;
}

static bool worth(const struct fold *f, const struct price *p,
		  const struct cone *c)
{
	return p->ok && pass_affords(f->r, p->bytes, c->bytes) &&
	       (p->cost < c->cost ||
		(p->cost == c->cost && p->bytes < c->bytes));
}

static void place(struct fold *f, struct node *n, bool fill)
{
	struct model *m = f->r->m;
	struct graph *g = n->graph;
	size_t mark = m->blobs.n;

	for (uint32_t i = 0; i < n->nout; i++) {
		struct value *v = n->out[i], *c;
		const struct tensor *t = v && v->nuse ? known(f, v) : NULL;

		if (!t)
			continue;
		c = const_place(g, t, fill && const_fillable(g, t), NULL, n);
		c->name = v->name;
		if (c->def)
			c->def->name = n->name;
		value_replace_uses(v, c);
		map_put(&f->kept, map_ptr_key(t->blob), 1);
	}
	for (; mark < m->blobs.n; mark++)
		map_put(&f->kept, map_ptr_key(m->blobs.p[mark]), 1);
}

static void settle(struct fold *f, struct node *n)
{
	struct price p = price_of(f, n, false);
	struct cone c;
	bool fill = false;

	if (!p.ok || !foldable(f, n))
		return;
	cone_find(&c, n, NULL);
	if (!worth(f, &p, &c)) {
		fill = true;
		p = price_of(f, n, true);
	}
	if (worth(f, &p, &c) && pass_allow(f->r, "fold", n)) {
		place(f, n, fill);
		pass_spend(f->r, p.bytes, c.bytes);
		cone_remove(&c);
	}
	cone_release(&c);
}

/* Users of v already gone leave it dead: those are for dce. */
static void settle_graph(struct fold *f, struct graph *g)
{
	VEC(struct node *) nodes = {0};
	struct node *n;

	graph_foreach (n, g)
		vec_push(&nodes, n);
	while (nodes.n) {
		n = vec_pop(&nodes);
		if (n->graph == g)
			settle(f, n);
	}
	vec_release(&nodes);
}

enum status pass_fold(struct pass_run *r)
{
	struct fold f = {.r = r};
	graph_vec g = {0};
	size_t mark = scratch_begin(r->m);
	enum status s = OK;
	struct node *n;

	model_graphs(r->m, &g);
	for (size_t i = 0; i < g.n; i++)
		graph_foreach (n, g.p[i])
			learn(&f, n);
	for (size_t i = g.n; i-- > 0 && !s;) {
		settle_graph(&f, g.p[i]);
		if (!limit_time_ok())
			s = diag_error(r->diag, NULL, E_time,
				       "the time limit was reached");
	}
	vec_release(&g);
	map_release(&f.known);
	scratch_end(r->m, mark, &f.kept);
	map_release(&f.kept);
	return s;
}
