/* SPDX-License-Identifier: MIT */
/*
 * implied.c -- conditions of Ifs that follow from what their users can take.
 *
 * Exporters write squeezes as "if the dimension is 1 then Squeeze(x) else x"
 * and ask for ranks at run time, so ranks behind such an If are not known.  But
 * a recurrent layer takes rank 3 only: where a branch could not give a rank
 * from which any path leads to a run without an error, the other one is taken.
 * Each value has the set of ranks that it may have (from its type, or forward
 * from its producer) and the set that the nodes after it in its graph, which
 * run whenever it is computed, let it have (backward).
 *
 * Source: abstract interpretation over sets, Cousot and Cousot 1977.
 * Not valid for: users in bodies of other Ifs, which may not run; they are
 * not looked at.  Cost O(nodes).
 */
#include "passes/implied_p.h"

enum { MOST = 16, DEEPEST = 32 };

static const uint64_t any = (1u << (MOST + 1)) - 1;

/* Operators whose input `slot` has one rank only. */
static const struct {
	enum op_id op;
	uint32_t slot;
	unsigned rank;
} fixed[] = {
	{OP_LSTM, 0, 3},         {OP_LSTM, 5, 3},         {OP_LSTM, 6, 3},
	{OP_GRU, 0, 3},          {OP_GRU, 5, 3},          {OP_RNN, 0, 3},
	{OP_RNN, 5, 3},          {OP_Gemm, 0, 2},         {OP_Gemm, 1, 2},
	{OP_DepthToSpace, 0, 4}, {OP_SpaceToDepth, 0, 4}, {OP_RoiAlign, 0, 4},
	{OP_MaxRoiPool, 0, 4},
};

struct ranks {
	struct map have, need;
	struct implied *out;
};

static uint64_t look(const struct map *m, const struct value *v)
{
	const uint64_t *x = map_get(m, map_ptr_key(v));

	return x ? *x : any;
}

static uint64_t have(const struct ranks *r, const struct value *v)
{
	const struct type *t = v ? v->type : NULL;

	if (t && t->kind == TY_TENSOR && t->rank >= 0 && t->rank <= MOST)
		return UINT64_C(1) << t->rank;
	return v ? look(&r->have, v) : any;
}

static void restrict_to(struct ranks *r, const struct value *v, uint64_t set)
{
	if (v)
		map_put(&r->need, map_ptr_key(v), look(&r->need, v) & set);
}

/* How many dims the node adds to (+) or takes from (-) its input's; false if
 * its rank follows otherwise. */
static bool step(const struct node *n, int *by)
{
	const int64_t *axes;
	size_t count;

	*by = 0;
	if (n->nin == 1 && n->op->flags & OPF_ELEMENTWISE)
		return true;
	switch (n->op->id) {
	case OP_Identity:
	case OP_Cast:
		return true;
	case OP_Squeeze:
	case OP_Unsqueeze:
		if (!node_axes(n, &axes, &count) || !count || count > MOST)
			return false;
		*by = node_is(n, OP_Squeeze) ? -(int)count : (int)count;
		return true;
	default:
		return false;
	}
}

/* The highest bit stands for that rank and all above. */
static uint64_t shifted(uint64_t set, int by)
{
	const uint64_t top = UINT64_C(1) << MOST;

	if (by >= 0)
		return ((set << by) | (set << by > any ? top : 0)) & any;
	return set >> -by | (set & top ? any & ~(any >> -by) : 0) | (set & top);
}

static const struct value *returned(const struct node *n, const char *branch,
				    uint32_t i)
{
	const struct graph *g = node_attr_graph(n, branch);

	return g && i < g->ret->nin ? g->ret->in[i].v : NULL;
}

/* NOLINTNEXTLINE(misc-no-recursion): depth <= DEEPEST */
static void forward(struct ranks *r, const struct graph *g, int depth)
{
	const struct node *n;
	int by;

	if (depth > DEEPEST)
		return;
	graph_foreach (n, g) {
		for (size_t i = 0; i < node_graph_count(n); i++)
			forward(r, node_graph(n, i), depth + 1);
		for (uint32_t i = 0; i < n->nout && node_is(n, OP_If); i++)
			if (n->out[i])
				map_put(&r->have, map_ptr_key(n->out[i]),
					have(r, returned(n, "then_branch", i)) |
						have(r,
						     returned(n, "else_branch",
							      i)));
		if (n->nout && n->out[0] && node_in(n, 0) && step(n, &by))
			map_put(&r->have, map_ptr_key(n->out[0]),
				shifted(have(r, node_in(n, 0)), by));
	}
}

/* Can this branch give every output a rank that is needed? */
static bool possible(const struct ranks *r, const struct node *n,
		     const char *branch)
{
	for (uint32_t i = 0; i < n->nout; i++)
		if (n->out[i] && !(have(r, returned(n, branch, i)) &
				   look(&r->need, n->out[i])))
			return false;
	return true;
}

static void decide(struct ranks *r, const struct node *n)
{
	bool a = possible(r, n, "then_branch");
	bool b = possible(r, n, "else_branch");
	struct implication x = {node_in(n, 0), n->graph, a};

	if (a != b && x.condition && !node_has_attr_ref(n))
		vec_push(&r->out->known, x);
}

static void backward(struct ranks *r, const struct graph *g)
{
	int by;

	for (const struct node *n = g->last; n; n = n->prev) {
		for (size_t i = 0; i < countof(fixed); i++)
			if (node_is(n, fixed[i].op))
				restrict_to(r, node_in(n, fixed[i].slot),
					    UINT64_C(1) << fixed[i].rank);
		if (n->nout && n->out[0] && node_in(n, 0) && step(n, &by))
			restrict_to(r, node_in(n, 0),
				    shifted(look(&r->need, n->out[0]) &
						    have(r, n->out[0]),
					    -by));
		if (node_is(n, OP_If))
			decide(r, n);
	}
}

void implied_find(struct implied *out, const struct model *m)
{
	struct ranks r = {.out = out};
	graph_vec g = {0};

	forward(&r, m->main, 0);
	model_graphs(m, &g);
	for (size_t i = 0; i < g.n; i++) {
		map_release(&r.need);
		backward(&r, g.p[i]);
	}
	vec_release(&g);
	map_release(&r.have);
	map_release(&r.need);
}

bool implied_condition(const struct implied *f, const struct node *n, bool *yes)
{
	for (size_t i = 0; i < f->known.n; i++)
		if (f->known.p[i].condition == node_in(n, 0) &&
		    graph_encloses(f->known.p[i].graph, n->graph)) {
			*yes = f->known.p[i].yes;
			return true;
		}
	return false;
}

void implied_release(struct implied *f)
{
	vec_release(&f->known);
}
