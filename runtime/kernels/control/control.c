/* SPDX-License-Identifier: MIT */
/*
 * control.c -- If, Loop, Scan.
 *
 * Bodies run in frames of their own.  Scan outputs are collected per
 * iteration and stacked at the end.
 */
#include <stdlib.h>
#include <string.h>

#include "runtime/kernels/shared/move_p.h"

static enum status read_bool(struct kcall *c, const struct array *a, bool *v)
{
	if (!a || a->kind != ARR_TENSOR || a->dt != DT_BOOL || a->n != 1)
		return kcall_error(c, E_type, "the condition is not one bool");
	*v = *(const uint8_t *)a->data != 0;
	return OK;
}

static struct graph *body_of(struct kcall *c, const char *name, uint32_t nin,
			     uint32_t nout)
{
	struct graph *g = node_attr_graph(c->node, name);

	if (!g)
		kcall_error(c, E_attr, "'%s' is missing", name);
	else if (g->nin != nin || g->ret->nin != nout) {
		kcall_error(c, E_arity,
			    "'%s' has %u inputs and %u outputs, expected %u "
			    "and %u",
			    name, g->nin, g->ret->nin, nin, nout);
		g = NULL;
	}
	return g;
}

/* ---- If ---- */

enum status k_if(struct kcall *c)
{
	struct graph *g;
	bool cond = false;
	enum status st = read_bool(c, c->in[0], &cond);

	if (st)
		return st;
	g = body_of(c, cond ? "then_branch" : "else_branch", 0, c->nout);
	return g ? kcall_body(c, g, NULL, c->out) : BAD_MODEL;
}

/* ---- collected outputs ---- */

struct stack {
	VEC(struct array *) v;
};

static enum status stack_push(struct kcall *c, struct stack *s, struct array *a)
{
	if (!a || a->kind != ARR_TENSOR) {
		array_unref(a);
		return kcall_error(c, E_type, "a scan output is no tensor");
	}
	vec_push(&s->v, a);
	return OK;
}

/* Declared dims of a scan output that no iteration made. */
static void empty_dims(const struct type *t, int *rank, int64_t *dim,
		       enum dtype *dt)
{
	*rank = 0;
	*dt = t->dt ? t->dt : DT_F32;
	for (int i = 0; i < t->rank && *rank < KERNEL_MAX_RANK - 1; i++)
		dim[(*rank)++] = dim_known(t->dim[i]) ? t->dim[i].n : 0;
}

/* Output i: the arrays along a new axis, in their order or reversed. */
static enum status stack_out(struct kcall *c, uint32_t i, const struct stack *s,
			     const struct type *t, int64_t axis, bool reverse)
{
	int64_t dim[KERNEL_MAX_RANK], inner[KERNEL_MAX_RANK], outer;
	struct elems in, out;
	enum dtype dt;
	struct array *y;
	int rank, a;
	enum status st;

	empty_dims(t, &rank, inner, &dt);
	if (s->v.n) {
		rank = s->v.p[0]->rank;
		dt = s->v.p[0]->dt;
		st = move_rank(c, rank + 1);
		if (st)
			return st;
		memcpy(inner, s->v.p[0]->dim, (size_t)rank * sizeof *inner);
	}
	st = kcall_axis(c, axis, rank + 1, &a);
	if (st)
		return st;
	memcpy(dim, inner, (size_t)a * sizeof *dim);
	dim[a] = (int64_t)s->v.n;
	memcpy(dim + a + 1, inner + a, (size_t)(rank - a) * sizeof *dim);
	st = move_out(c, i, dt, rank + 1, dim, &y, &out);
	if (st || y->n == 0)
		return st;
	outer = dims_product(y, 0, a);
	for (size_t k = 0; k < s->v.n; k++) {
		const struct array *x = s->v.p[k];
		size_t at = reverse ? s->v.n - 1 - k : k, part;

		if (x->dt != dt || !array_same_dims(x, s->v.p[0]))
			return kcall_error(c, E_shape,
					   "a scan output changes its shape");
		st = elems_in(c, x, &in);
		if (st)
			return st;
		part = (size_t)(x->n / outer) * in.size;
		for (int64_t o = 0; o < outer; o++)
			memcpy(out.p + ((size_t)o * s->v.n + at) * part,
			       in.p + (size_t)o * part, part);
	}
	elems_done(&out);
	return array_own_strings(c->d, y); /* before the parts go */
}

/* ---- running a body over and over ---- */

struct iterate {
	struct graph *g;
	uint32_t nstate, nscan;     /* scan: outputs collected */
	uint32_t lead_in, lead_out; /* before the states: Loop's */
	struct array **in, **out;   /* of the body */
	struct stack *scan;
};

static void iterate_init(struct iterate *t)
{
	t->in = xcalloc((size_t)t->g->nin + 1, sizeof *t->in);
	t->out = xcalloc((size_t)t->g->ret->nin + 1, sizeof *t->out);
	t->scan = xcalloc((size_t)t->nscan + 1, sizeof *t->scan);
}

static void iterate_release(struct iterate *t)
{
	for (uint32_t i = 0; i < t->g->nin; i++)
		array_unref(t->in[i]);
	for (uint32_t i = 0; i < t->g->ret->nin; i++)
		array_unref(t->out[i]);
	for (uint32_t i = 0; i < t->nscan; i++) {
		for (size_t k = 0; k < t->scan[i].v.n; k++)
			array_unref(t->scan[i].v.p[k]);
		vec_release(&t->scan[i].v);
	}
	free(t->in);
	free(t->out);
	free(t->scan);
}

/* One run: new states replace the old ones, scan outputs are collected. */
static enum status iterate_once(struct kcall *c, struct iterate *t)
{
	enum status st = kcall_body(c, t->g, t->in, t->out);

	for (uint32_t i = 0; !st && i < t->nstate; i++) {
		array_unref(t->in[t->lead_in + i]);
		t->in[t->lead_in + i] = t->out[t->lead_out + i];
		t->out[t->lead_out + i] = NULL;
	}
	for (uint32_t i = 0; !st && i < t->nscan; i++) {
		uint32_t k = t->lead_out + t->nstate + i;
		struct array *a = t->out[k];

		t->out[k] = NULL;
		st = stack_push(c, &t->scan[i], a);
	}
	return st;
}

static const struct type *scan_type(const struct iterate *t, uint32_t i)
{
	const struct value *v = t->g->ret->in[t->lead_out + t->nstate + i].v;

	return v ? v->type : type_unknown();
}

/* ---- Loop ---- */

static enum status scalar_out(struct kcall *c, enum dtype dt, int64_t v,
			      struct array **out)
{
	struct array *a = array_create(c->d, dt, 0, NULL);

	array_unref(*out);
	*out = a;
	if (!a)
		return LIMIT;
	dtype_set_int(dt, a->data, 0, v);
	return OK;
}

static enum status loop_run(struct kcall *c, struct iterate *t, int64_t trips,
			    bool cond)
{
	enum status st = OK;

	for (int64_t i = 0; !st && cond && i < trips; i++) {
		if (!limit_time_ok())
			return kcall_error(c, E_time, "after %lld iterations",
					   (long long)i);
		st = scalar_out(c, DT_I64, i, &t->in[0]);
		if (!st)
			st = scalar_out(c, DT_BOOL, cond, &t->in[1]);
		if (!st)
			st = iterate_once(c, t);
		if (!st)
			st = read_bool(c, t->out[0], &cond);
		array_unref(t->out[0]);
		t->out[0] = NULL;
	}
	for (uint32_t i = 0; !st && i < t->nstate; i++)
		kcall_pass(c, i, t->in[2 + i]);
	for (uint32_t i = 0; !st && i < t->nscan; i++)
		st = stack_out(c, t->nstate + i, &t->scan[i], scan_type(t, i),
			       0, false);
	return st;
}

enum status k_loop(struct kcall *c)
{
	struct iterate t = {.lead_in = 2, .lead_out = 1};
	int64_t trips;
	bool cond = true;
	enum status st = kcall_int(c, 0, INT64_MAX, &trips);

	if (!st && kcall_has(c, 1))
		st = read_bool(c, c->in[1], &cond);
	if (st)
		return st;
	t.nstate = c->nin > 2 ? c->nin - 2 : 0;
	if (c->nout < t.nstate)
		return kcall_error(c, E_arity, "fewer outputs than states");
	t.nscan = c->nout - t.nstate;
	t.g = body_of(c, "body", 2 + t.nstate, 1 + c->nout);
	if (!t.g)
		return BAD_MODEL;
	iterate_init(&t);
	for (uint32_t i = 0; i < t.nstate; i++)
		t.in[2 + i] = array_ref(c->in[2 + i]);
	st = loop_run(c, &t, trips, cond);
	iterate_release(&t);
	return st;
}

/* ---- Scan ---- */

struct scan {
	struct iterate t;
	uint32_t nin; /* scanned inputs */
	struct array **x;
	int axis[64];
	bool back[64];
	int64_t len;
};

static int64_t list_at(const struct kcall *c, const char *name, uint32_t i)
{
	size_t n;
	const int64_t *v = node_attr_ints(c->node, name, &n);

	return i < n ? v[i] : 0;
}

static bool list_fits(const struct kcall *c, const char *name, uint32_t n)
{
	size_t have;

	node_attr_ints(c->node, name, &have);
	return have == 0 || have == n;
}

static enum status scan_inputs(struct kcall *c, struct scan *s)
{
	for (uint32_t i = 0; i < s->nin; i++) {
		const struct array *x = s->x[i];
		enum status st;

		if (!x || x->kind != ARR_TENSOR || x->rank < 1 ||
		    x->rank > KERNEL_MAX_RANK)
			return kcall_error(c, E_type,
					   "scanned input %u is no tensor of "
					   "rank 1 or more",
					   i);
		st = kcall_axis(c, list_at(c, "scan_input_axes", i), x->rank,
				&s->axis[i]);
		if (st)
			return st;
		s->back[i] = list_at(c, "scan_input_directions", i) != 0;
		if (i && x->dim[s->axis[i]] != s->len)
			return kcall_error(c, E_shape,
					   "scanned inputs of lengths %lld "
					   "and %lld",
					   (long long)s->len,
					   (long long)x->dim[s->axis[i]]);
		s->len = x->dim[s->axis[i]];
	}
	return OK;
}

/* Element t of x along the axis. */
static struct array *scan_pick(struct kcall *c, const struct array *x, int axis,
			       int64_t t)
{
	int64_t dim[KERNEL_MAX_RANK], len = x->dim[axis];
	int64_t outer = dims_product(x, 0, axis);
	struct elems in, out;
	struct array *y;
	size_t part;
	int rank = 0;

	for (int d = 0; d < x->rank; d++)
		if (d != axis)
			dim[rank++] = x->dim[d];
	y = array_create(c->d, x->dt, rank, dim);
	if (!y || elems_in(c, x, &in) || elems_out(c, y, &out)) {
		array_unref(y);
		return NULL;
	}
	part = (size_t)dims_product(x, axis + 1, x->rank) * in.size;
	for (int64_t o = 0; y->n && o < outer; o++)
		memcpy(out.p + (size_t)o * part,
		       in.p + (size_t)(o * len + t) * part, part);
	elems_done(&out);
	if (array_own_strings(c->d, y)) {
		array_unref(y);
		return NULL;
	}
	return y;
}

static enum status scan_run(struct kcall *c, struct scan *s)
{
	struct iterate *t = &s->t;
	enum status st = OK;

	for (int64_t i = 0; !st && i < s->len; i++) {
		for (uint32_t k = 0; k < s->nin; k++) {
			struct array **slot = &t->in[t->nstate + k];
			int64_t at = s->back[k] ? s->len - 1 - i : i;

			array_unref(*slot);
			*slot = scan_pick(c, s->x[k], s->axis[k], at);
			if (!*slot)
				return LIMIT;
		}
		st = iterate_once(c, t);
	}
	return st;
}

enum status k_scan(struct kcall *c)
{
	int64_t n = node_attr_int(c->node, "num_scan_inputs", 0);
	struct scan s = {.nin = (uint32_t)n};
	struct iterate *t = &s.t;
	enum status st;

	if (n < 1 || n > c->nin || n > (int64_t)countof(s.axis))
		return kcall_error(c, E_attr, "%lld scanned inputs of %u",
				   (long long)n, c->nin);
	t->nstate = c->nin - s.nin;
	if (c->nout < t->nstate)
		return kcall_error(c, E_arity, "fewer outputs than states");
	t->nscan = c->nout - t->nstate;
	t->g = body_of(c, "body", c->nin, c->nout);
	if (!t->g)
		return BAD_MODEL;
	if (!list_fits(c, "scan_input_axes", s.nin) ||
	    !list_fits(c, "scan_input_directions", s.nin) ||
	    !list_fits(c, "scan_output_axes", t->nscan) ||
	    !list_fits(c, "scan_output_directions", t->nscan))
		return kcall_error(c, E_attr, "a list has the wrong length");
	s.x = c->in + t->nstate;
	st = scan_inputs(c, &s);
	if (st)
		return st;
	iterate_init(t);
	for (uint32_t i = 0; i < t->nstate; i++)
		t->in[i] = array_ref(c->in[i]);
	st = scan_run(c, &s);
	for (uint32_t i = 0; !st && i < t->nstate; i++)
		kcall_pass(c, i, t->in[i]);
	for (uint32_t i = 0; !st && i < t->nscan; i++)
		st = stack_out(c, t->nstate + i, &t->scan[i], scan_type(t, i),
			       list_at(c, "scan_output_axes", i),
			       list_at(c, "scan_output_directions", i) != 0);
	iterate_release(t);
	return st;
}
