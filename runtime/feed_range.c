/* SPDX-License-Identifier: MIT */
/*
 * feed_range.c -- which values of an input are legal.
 *
 * An input's elements are followed through operators that move them or change
 * them linearly, as y = clamp(a x + b, lo, hi).  Where y is used as an index, a
 * length and the like (feed_need.c), the demand on y becomes one on x; all
 * demands are intersected.  Demands behind a Where, which may choose the other
 * side, come last and only if something is left.  Cost: a bounded number of
 * states per input.
 */
#include <math.h>
#include <string.h>

#include "runtime/feed_p.h"

enum { STATES_PER_VALUE = 4, STATES_MAX = 20000, CONST_MAX = 1 << 16 };

/* ---- known values ---- */

static bool tensor_range(const struct model *m, const struct tensor *t,
			 double *lo, double *hi)
{
	double x;
	int64_t i;

	if (t->n < 1 || t->n > CONST_MAX || t->sparse_indices ||
	    dtype_kind(t->dt) == 's' || dtype_kind(t->dt) == 'c')
		return false;
	for (i = 0; i < t->n; i++) {
		x = tensor_float(m, t, i);
		if (i == 0 || x < *lo)
			*lo = x;
		if (i == 0 || x > *hi)
			*hi = x;
	}
	return *lo <= *hi;
}

bool feed_const_range(const struct value *v, double *lo, double *hi)
{
	struct model *m = v->graph->model;
	int64_t x;
	uint32_t i;

	if (v->konst)
		return tensor_range(m, v->konst, lo, hi);
	for (i = 0; i < v->ndata; i++) {
		if (!dim_number(m, v->data[i], &x))
			return false;
		if (i == 0 || (double)x < *lo)
			*lo = (double)x;
		if (i == 0 || (double)x > *hi)
			*hi = (double)x;
	}
	return v->ndata > 0;
}

int64_t feed_dim_of(const struct node *n, uint32_t i, int64_t axis)
{
	const struct value *v = node_in(n, i);
	const struct type *t = v ? v->type : NULL;
	int k;

	if (!t || t->kind != TY_TENSOR || t->rank < 0 ||
	    !axis_fix(axis, t->rank, &k) || !dim_known(t->dim[k]))
		return -1;
	return t->dim[k].n;
}

/* ---- demands ---- */

static void narrow(struct feed_need *need, double lo, double hi)
{
	if (lo > need->lo)
		need->lo = lo;
	if (hi < need->hi)
		need->hi = hi;
}

/* The x for which a x + b is in [lo, hi] for every b in [b0, b1]. */
static void solve(const struct feed_state *s, double *lo, double *hi)
{
	double t;

	*lo = s->lo < *lo ? (*lo - s->b0) / s->a : -INFINITY * s->a;
	*hi = s->hi > *hi ? (*hi - s->b1) / s->a : INFINITY * s->a;
	if (s->a < 0) {
		t = *lo;
		*lo = *hi;
		*hi = t;
	}
}

void feed_require(struct feed_trace *t, const struct feed_state *s, double lo,
		  double hi)
{
	struct feed_state demand = {.lo = lo, .hi = hi};
	struct feed_need *need = t->need;

	if (s->a == 0 || !(lo <= hi))
		return;
	solve(s, &lo, &hi);
	if (need->whole) {
		lo = ceil(lo);
		hi = floor(hi);
	}
	if (s->weak) {
		demand.lo = lo;
		demand.hi = hi;
		vec_push(&t->weak, demand);
		return;
	}
	if (fmax(lo, need->lo) <= fmin(hi, need->hi))
		narrow(need, lo, hi);
}

/* Those that leave something over, and no less than a non-negative number
 * where there was one: x < 0 ? x + n : x should not make all x negative. */
static void apply_weak(struct feed_trace *t)
{
	struct feed_need *need = t->need;
	double lo, hi;
	size_t i;

	for (i = 0; i < t->weak.n; i++) {
		lo = fmax(t->weak.p[i].lo, need->lo);
		hi = fmin(t->weak.p[i].hi, need->hi);
		if (lo <= hi && (hi >= 0 || need->hi < 0))
			narrow(need, lo, hi);
	}
}

void feed_push(struct feed_trace *t, const struct value *v, struct feed_state s)
{
	uint64_t *met;

	if (!v || t->budget == 0)
		return;
	met = map_get(&t->seen, map_ptr_key(v));
	if (met && *met >= STATES_PER_VALUE)
		return;
	map_put(&t->seen, map_ptr_key(v), met ? *met + 1 : 1);
	t->budget--;
	s.v = v;
	vec_push(&t->work, s);
}

/* ---- transfer: what an operator makes of the state of one input ---- */

static void shift(struct feed_state *s, double lo, double hi)
{
	s->b0 += lo;
	s->b1 += hi;
	s->lo += lo;
	s->hi += hi;
}

static void scale(struct feed_state *s, double k)
{
	struct feed_state old = *s;

	s->a *= k;
	s->b0 = (k < 0 ? old.b1 : old.b0) * k;
	s->b1 = (k < 0 ? old.b0 : old.b1) * k;
	s->lo = (k < 0 ? old.hi : old.lo) * k;
	s->hi = (k < 0 ? old.lo : old.hi) * k;
	if (k == 0)
		s->lo = s->hi = 0;
}

static void clamp(struct feed_state *s, double lo, double hi)
{
	s->lo = fmin(fmax(s->lo, lo), hi);
	s->hi = fmax(fmin(s->hi, hi), lo);
}

/* The other operand of a binary operator; unknown ones weaken the state. */
static bool other_range(struct feed_state *s, const struct node *n, uint32_t i,
			double *lo, double *hi)
{
	const struct value *o = node_in(n, i == 0 ? 1 : 0);

	if (o && feed_const_range(o, lo, hi))
		return true;
	s->weak = true;
	return false;
}

static bool binary(struct feed_state *s, const struct node *n, uint32_t i)
{
	double lo = 0, hi = 0;
	bool known = other_range(s, n, i, &lo, &hi);

	switch (n->op->id) {
	case OP_Add:
		shift(s, lo, hi);
		return true;
	case OP_Sub:
		if (i == 1)
			scale(s, -1);
		shift(s, i ? lo : -hi, i ? hi : -lo);
		return true;
	case OP_Mul:
		if (known && (lo == hi || lo >= 0))
			scale(s, hi);
		return known && (lo == hi || lo >= 0);
	case OP_Div:
		if (known && i == 0 && lo > 0)
			scale(s, 1 / lo);
		return known && i == 0 && lo > 0;
	case OP_Mod:
		if (!known || i != 0 || lo <= 0)
			return false;
		/* The sign may follow the dividend. */
		s->a = 0;
		clamp(s, -hi + 1, hi - 1);
		return true;
	default:
		return false;
	}
}

/* Max and Min against a constant bound one side. */
static bool extreme(struct feed_state *s, const struct node *n, uint32_t i)
{
	double lo, hi;

	if (n->nin != 2 || !other_range(s, n, i, &lo, &hi))
		return true;
	if (n->op->id == OP_Max)
		clamp(s, lo, INFINITY);
	else
		clamp(s, -INFINITY, hi);
	return true;
}

static bool clip(struct feed_state *s, const struct node *n, uint32_t i)
{
	double lo, hi;

	if (i == 0 && node_float_param(n, "min", 1, -INFINITY, &lo))
		clamp(s, lo, INFINITY);
	if (i == 0 && node_float_param(n, "max", 2, INFINITY, &hi))
		clamp(s, -INFINITY, hi);
	return i == 0;
}

/* Sums grow with the number of elements that go into one. */
static bool sum(struct feed_state *s, const struct node *n, uint32_t i)
{
	const struct value *in = node_in(n, 0), *out = node_out(n, 0);
	double axis, same;
	int64_t a, b, k = -1;

	if (i != 0 || !in || !out)
		return false;
	if (n->op->id == OP_CumSum) {
		if (node_in(n, 1) &&
		    feed_const_range(node_in(n, 1), &axis, &same))
			k = feed_dim_of(n, 0, (int64_t)axis);
	} else if (type_count(in->type, &a) && type_count(out->type, &b) &&
		   b > 0) {
		k = a / b;
	}
	if (k <= 0)
		s->weak = true;
	else
		scale(s, (double)k);
	return true;
}

static bool cast(struct feed_trace *t, struct feed_state *s,
		 const struct node *n)
{
	const struct value *out = node_out(n, 0);
	char kind = out ? dtype_kind(out->type->dt) : '\0';

	if (kind == 'b')
		t->need->truth = true;
	if (kind == 'i' || kind == 'u')
		t->need->whole = true;
	if (kind == 'b')
		clamp(s, 0, 1);
	return true;
}

/* Not, And, ...: the elements are truth values, and so are the results. */
static bool logic(struct feed_trace *t, struct feed_state *s)
{
	t->need->truth = true;
	s->a = 0;
	s->lo = 0;
	s->hi = 1;
	return true;
}

static void note_equal(struct feed_trace *t, const struct feed_state *s,
		       const struct value *o)
{
	const struct tensor *k = o ? o->konst : NULL;
	const struct model *m = o ? o->graph->model : NULL;
	double lo, hi, x;
	int64_t i, n = k ? k->n : 1;

	if (!o || s->a == 0 || s->b0 != s->b1 || n > 16 ||
	    !feed_const_range(o, &lo, &hi))
		return;
	for (i = 0; i < n; i++) {
		x = k ? tensor_float(m, k, i) : lo;
		x = (x - s->b0) / s->a;
		vec_push(&t->need->equal, x);
	}
}

static bool compare(struct feed_trace *t, struct feed_state *s,
		    const struct node *n, uint32_t i)
{
	const struct value *o = node_in(n, i == 0 ? 1 : 0);
	double lo, hi;

	if (n->op->id == OP_Equal)
		note_equal(t, s, o);
	/* Something that is told from 0 or 1 is a mask. */
	if (o && feed_const_range(o, &lo, &hi) && lo >= 0 && hi <= 1)
		t->need->truth = true;
	s->a = 0;
	s->lo = 0;
	s->hi = 1;
	return true;
}

/* Operators that move elements of these inputs and keep their values. */
static const struct {
	enum op_id op;
	uint32_t first, last; /* inputs */
} movers[] = {
	{OP_Identity, 0, 0},
	{OP_Reshape, 0, 0},
	{OP_Flatten, 0, 0},
	{OP_Squeeze, 0, 0},
	{OP_Unsqueeze, 0, 0},
	{OP_Transpose, 0, 0},
	{OP_Slice, 0, 0},
	{OP_Gather, 0, 0},
	{OP_GatherElements, 0, 0},
	{OP_GatherND, 0, 0},
	{OP_Expand, 0, 0},
	{OP_Tile, 0, 0},
	{OP_Concat, 0, ARITY_ANY},
	{OP_Split, 0, 0},
	{OP_ReduceMax, 0, 0},
	{OP_ReduceMin, 0, 0},
	{OP_ReduceMean, 0, 0},
	{OP_Compress, 0, 0},
	{OP_ReverseSequence, 0, 0},
	{OP_Trilu, 0, 0},
	{OP_Unique, 0, 0},
	{OP_TopK, 0, 0},
	{OP_Floor, 0, 0},
	{OP_Ceil, 0, 0},
	{OP_Round, 0, 0},
	{OP_Dropout, 0, 0},
	{OP_Pad, 0, 0},
	{OP_Pad, 2, 2},
	{OP_DepthToSpace, 0, 0},
	{OP_SpaceToDepth, 0, 0},
	{OP_ScatterElements, 0, 0},
	{OP_ScatterElements, 2, 2},
	{OP_ScatterND, 0, 0},
	{OP_ScatterND, 2, 2},
	{OP_CastLike, 0, 0},
};

static bool moves(const struct node *n, uint32_t i)
{
	size_t k;

	for (k = 0; k < countof(movers); k++)
		if (movers[k].op == n->op->id && i >= movers[k].first &&
		    i <= movers[k].last)
			return true;
	return false;
}

/* Change s into the state of n's results; false: not followed. */
static bool transfer(struct feed_trace *t, struct feed_state *s,
		     const struct node *n, uint32_t i)
{
	switch (n->op->id) {
	case OP_Add:
	case OP_Sub:
	case OP_Mul:
	case OP_Div:
	case OP_Mod:
		return binary(s, n, i);
	case OP_Neg:
		scale(s, -1);
		return true;
	case OP_Max:
	case OP_Min:
		return extreme(s, n, i);
	case OP_Clip:
		return clip(s, n, i);
	case OP_Abs:
	case OP_Relu:
		clamp(s, 0, INFINITY);
		return true;
	case OP_CumSum:
	case OP_ReduceSum:
		return sum(s, n, i);
	case OP_Cast:
		return cast(t, s, n);
	case OP_Not:
	case OP_And:
	case OP_Or:
	case OP_Xor:
		return logic(t, s);
	case OP_Equal:
	case OP_Less:
	case OP_LessOrEqual:
	case OP_Greater:
	case OP_GreaterOrEqual:
		return compare(t, s, n, i);
	case OP_Where:
		t->need->truth |= i == 0;
		s->weak = true;
		return i > 0;
	default:
		return moves(n, i);
	}
}

/* Into the bodies of control flow and of functions. */
static void enter_body(struct feed_trace *t, const struct feed_state *s,
		       const struct node *n, uint32_t i)
{
	struct graph *body = NULL;
	struct feed_state in = *s;

	if (n->op->id == OP_CALL && n->func)
		body = n->func->body;
	else if (n->op->id == OP_Loop ||
		 (n->op->id == OP_Scan && n->op->since > 8))
		body = node_attr_graph(n, "body");
	if (!body || i >= body->nin)
		return;
	if (n->op->id == OP_Loop) {
		/* What the body makes of it is not followed around. */
		in.weak = true;
		/* The iteration number stays below the trip count. */
		if (i == 0) {
			shift(&in, -1, -1);
			in.lo = 0;
		}
	}
	feed_push(t, body->in[i], in);
}

static void step(struct feed_trace *t, const struct feed_state *s,
		 const struct use *u)
{
	const struct node *n = u->user;
	uint32_t i = (uint32_t)(u - n->in), k;
	struct feed_state out = *s;

	feed_demand(t, s, n, i);
	if (n->op->id == OP_CALL || n->op->id == OP_Loop ||
	    n->op->id == OP_Scan) {
		enter_body(t, s, n, i);
		return;
	}
	if (!transfer(t, &out, n, i))
		return;
	/* Only values go on, not the positions of TopK and Unique. */
	for (k = 0; k < n->nout && (k == 0 || n->op->id == OP_Split); k++)
		feed_push(t, n->out[k], out);
}

void feed_trace(const struct value *input, struct feed_need *need)
{
	struct feed_trace t = {.need = need, .budget = STATES_MAX};
	struct feed_state s = {.a = 1, .lo = -INFINITY, .hi = INFINITY};
	char kind = dtype_kind(input->type->dt);
	const struct use *u;

	*need = (struct feed_need){.lo = -INFINITY, .hi = INFINITY};
	need->whole = kind != 'f';
	feed_push(&t, input, s);
	while (t.work.n) {
		s = vec_pop(&t.work);
		for (u = s.v->uses; u; u = u->next)
			step(&t, &s, u);
	}
	apply_weak(&t);
	vec_release(&t.work);
	vec_release(&t.weak);
	map_release(&t.seen);
}
