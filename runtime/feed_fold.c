/* SPDX-License-Identifier: MIT */
/*
 * feed_fold.c -- what shape inference alone does not see: small computed
 * constants, decided branches, and padding that needs a minimal size.
 *
 * Exporters compute paddings and target shapes by chains of tiny nodes on
 * constants; those are evaluated, so that inference knows them.  An If whose
 * condition is known gives way to its branch: the other one may not even fit.
 */
#include <stdlib.h>
#include <string.h>

#include "runtime/feed_p.h"

enum { SMALL_INPUT = 1024, SMALL_OUTPUT = 1 << 16, FOLD_ROUNDS = 8 };

/* Shape data that is all numbers becomes a constant. */
static void note_data(struct model *m, struct value *v)
{
	int64_t x[SMALL_INPUT], dim;
	uint32_t i;

	if (v->konst || !v->ndata || v->ndata > SMALL_INPUT ||
	    v->type->dt != DT_I64 || v->type->rank < 0 || v->type->rank > 1)
		return;
	for (i = 0; i < v->ndata; i++)
		if (!dim_number(m, v->data[i], &x[i]))
			return;
	dim = v->ndata;
	if (v->type->rank == 1 || dim == 1)
		v->konst = tensor_i64(m, v->type->rank, &dim, x);
}

/* All inputs known, and few elements. */
static bool is_small(const struct node *n)
{
	struct value *v;
	uint32_t i, given = 0;
	int64_t total = 0;

	for (i = 0; i < n->nin; i++) {
		v = node_in(n, i);
		if (!v)
			continue;
		note_data(n->graph->model, v);
		if (!v->konst || v->konst->n > SMALL_INPUT - total)
			return false;
		total += v->konst->n;
		given++;
	}
	return given > 0;
}

/* May an output be much larger than the inputs, or of no use here? */
static bool may_grow(const struct node *n)
{
	size_t bytes = eval_output_bytes(n);

	if (bytes != SIZE_MAX)
		return bytes > SMALL_OUTPUT;
	switch (n->op->id) {
	case OP_Slice:
	case OP_Reshape:
	case OP_Transpose:
	case OP_Squeeze:
	case OP_Unsqueeze:
	case OP_Concat:
	case OP_Cast:
	case OP_Gather:
		return false;
	default:
		return true;
	}
}

static bool fold_node(struct model *m, const struct node *n)
{
	const struct tensor **in, **out;
	bool any = false;
	uint32_t i;

	if (!(n->op->flags & OPF_PURE) || node_graph_count(n) ||
	    n->op->id == OP_RETURN || n->op->id == OP_CALL || n->nout == 0 ||
	    !n->out[0] || n->out[0]->konst || !is_small(n) || may_grow(n))
		return false;
	in = xcalloc(n->nin + 1, sizeof(*in));
	out = xcalloc(n->nout, sizeof(*out));
	for (i = 0; i < n->nin; i++)
		in[i] = node_in(n, i) ? node_in(n, i)->konst : NULL;
	if (eval_node(m, n, in, out) == OK)
		for (i = 0; i < n->nout; i++) {
			if (!n->out[i] || !out[i])
				continue;
			n->out[i]->konst = out[i];
			any = true;
		}
	free(in);
	free(out);
	return any;
}

static bool fold_all(struct model *m)
{
	graph_vec graphs = {0};
	bool any = false;
	struct node *n;
	size_t i;

	model_graphs(m, &graphs);
	for (i = 0; i < graphs.n; i++)
		graph_foreach (n, graphs.p[i])
			any |= fold_node(m, n);
	vec_release(&graphs);
	return any;
}

/* The constant that decides an If, or NULL. */
static const struct tensor *decision(const struct node *n)
{
	const struct value *v = node_in(n, 0);

	return n->op->id == OP_If && v && v->konst && v->konst->n == 1 &&
			       v->konst->dt == DT_BOOL
		       ? v->konst
		       : NULL;
}

/* The nodes of the branch taken move in front of the If, which goes. */
static void take_branch(struct node *n, const struct tensor *cond)
{
	bool then = tensor_int(n->graph->model, cond, 0) != 0;
	struct graph *g =
		node_attr_graph(n, then ? "then_branch" : "else_branch");
	struct node *k, *next;
	uint32_t i;

	if (!g || g->ret->nin != n->nout)
		return;
	for (i = 0; i < n->nout; i++)
		if (!g->ret->in[i].v)
			return;
	for (i = 0; i < g->init.n; i++)
		if (g->init.p[i]->konst)
			value_replace_uses(
				g->init.p[i],
				value_const(n->graph, g->init.p[i]->konst, n));
	graph_foreach_safe (k, next, g)
		node_move(k, n);
	for (i = 0; i < n->nout; i++)
		if (n->out[i])
			value_replace_uses(n->out[i], g->ret->in[i].v);
	node_remove(n);
}

/* One graph at a time, for the list of graphs changes. */
static bool take_branches(struct model *m)
{
	graph_vec graphs = {0};
	struct node *n, *next;
	bool any = false;
	size_t i;

	model_graphs(m, &graphs);
	for (i = 0; i < graphs.n && !any; i++)
		graph_foreach_safe (n, next, graphs.p[i])
			if (decision(n)) {
				take_branch(n, decision(n));
				any = n->graph == NULL;
			}
	vec_release(&graphs);
	return any;
}

bool feed_infer_folded(struct model *m)
{
	enum status st = model_infer(m);
	unsigned k;
	bool more;

	for (k = 0; k < FOLD_ROUNDS; k++) {
		more = fold_all(m);
		while (take_branches(m))
			more = true;
		if (!more)
			break;
		st = model_infer(m);
	}
	return st == OK;
}

/* ---- values that decide ---- */

/* One of the values that v is compared with, as a constant of v. */
static bool settle_equal(struct feed_plan *p, struct value *v)
{
	struct model *m = p->m;
	struct feed_need need;
	bool done = false;
	double x;
	size_t i;

	feed_trace(v, &need);
	for (i = 0; i < need.equal.n && !done; i++) {
		x = need.equal.p[(p->round + i) % need.equal.n];
		done = x >= need.lo && x <= need.hi &&
		       (!need.whole || x == (double)(int64_t)x);
		if (done)
			v->konst = tensor_scalar(m, v->type->dt, x);
	}
	vec_release(&need.equal);
	return done && v->konst;
}

/* Other dims of the one element. */
static void shape_konst(struct feed_plan *p, struct value *v)
{
	const int64_t ones[8] = {1, 1, 1, 1, 1, 1, 1, 1};

	if (v->type->rank > 0 && v->konst->blob)
		v->konst = tensor_of_blob(p->m, v->konst->dt, v->type->rank,
					  ones, v->konst->blob, v->konst->off);
}

void feed_settle(struct feed_plan *p)
{
	struct graph *g = p->m->main;
	struct value *v;
	int64_t n;
	uint32_t i;
	char kind;

	/* Constants of Constant nodes, for the trace. */
	model_infer(p->m);
	for (i = 0; i < g->nin; i++) {
		v = g->in[i];
		kind = dtype_kind(v->type->dt);
		if (!p->want[i] || !type_count(v->type, &n) || n != 1 ||
		    v->type->rank > 8)
			continue;
		if (kind == 'b')
			v->konst = tensor_scalar(p->m, v->type->dt,
						 p->round % 2 == 0);
		else if (kind != 'i' && kind != 'u' && kind != 'f')
			continue;
		else if (!settle_equal(p, v))
			continue;
		p->settled[i] = v->konst != NULL;
		if (p->settled[i])
			shape_konst(p, v);
	}
}

/* ---- rules that inference does not check ---- */

/* Known numbers of an input: a constant or propagated data. */
static bool number_at(const struct value *v, uint32_t i, int64_t *x)
{
	struct model *m = v->graph->model;

	if (v->konst && i < v->konst->n &&
	    strchr("iub", dtype_kind(v->konst->dt))) {
		*x = tensor_int(m, v->konst, i);
		return true;
	}
	return i < v->ndata && dim_number(m, v->data[i], x);
}

/* Reflection reads up to `pad` elements behind the edge. */
static bool pad_fits(const struct node *n)
{
	const struct value *x = node_in(n, 0), *pads = node_in(n, 1);
	struct str mode = node_attr_str(n, "mode", "constant");
	const int64_t *attr;
	size_t count;
	int64_t p;
	uint32_t i, rank;

	if (!str_is(mode, "reflect") || !x || x->type->kind != TY_TENSOR ||
	    x->type->rank < 1 || node_in(n, 3))
		return true;
	rank = (uint32_t)x->type->rank;
	attr = node_attr_ints(n, "pads", &count);
	for (i = 0; i < 2 * rank; i++) {
		if (attr && i < count)
			p = attr[i];
		else if (!pads || !number_at(pads, i, &p))
			continue;
		if (dim_known(x->type->dim[i % rank]) && p > 0 &&
		    p >= x->type->dim[i % rank].n)
			return false;
	}
	return true;
}

unsigned feed_misfits(const struct model *m)
{
	graph_vec graphs = {0};
	const struct node *n;
	unsigned misfits = 0;
	size_t i;

	model_graphs(m, &graphs);
	for (i = 0; i < graphs.n; i++)
		graph_foreach (n, graphs.p[i])
			if (n->op->id == OP_Pad)
				misfits += !pad_fits(n);
	vec_release(&graphs);
	return misfits;
}
