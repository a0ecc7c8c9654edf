/* SPDX-License-Identifier: MIT */
/*
 * elementwise.c -- the kernels of the operators that ew_table.c lists, and of
 * those with rules of their own: Pow, Clip, Where, PRelu.
 */
#include <math.h>
#include <string.h>

#include "runtime/kernels/elementwise/ew_p.h"
#include "runtime/kernels/shared/move_p.h"
#include "runtime/mathd.h"

/* Before version 7 the second operand was aligned by attributes: a view with
 * trailing ones, to be released; the operand itself otherwise. */
static enum status old_broadcast(struct kcall *c, struct array **b)
{
	struct array *a = c->in[0], *x = c->in[1];
	int64_t dim[KERNEL_MAX_RANK];
	int axis, n;

	*b = NULL;
	if (!a || !x) /* told later */
		return OK;
	if (c->node->op->since >= 7 || c->node->op->domain != DOM_ONNX ||
	    array_same_dims(a, x)) {
		*b = array_ref(x);
		return OK;
	}
	n = x->rank;
	axis = a->rank - n;
	if (!node_attr_int(c->node, "broadcast", 0))
		return kcall_error(c, E_shape, "the inputs' shapes differ");
	if (a->rank > KERNEL_MAX_RANK || n > a->rank)
		return kcall_error(c, E_shape,
				   "input 1 has a higher rank than input 0");
	if (node_has_attr(c->node, "axis") && x->n != 1 &&
	    !axis_fix(node_attr_int(c->node, "axis", 0), a->rank, &axis))
		return kcall_error(c, E_value, "bad axis for broadcasting");
	for (int i = 0; i < a->rank - axis; i++) {
		dim[i] = i < n ? x->dim[i] : 1;
		if (axis + n > a->rank ||
		    (dim[i] != 1 && dim[i] != a->dim[axis + i]))
			return kcall_error(c, E_shape,
					   "input 1 does not span a part of "
					   "input 0");
	}
	*b = array_view(x, a->rank - axis, dim);
	return OK;
}

/* PRelu's slope, which spans a part of the input; before version 7 one per
 * channel. */
static struct array *slope_view(struct kcall *c, struct array *slope)
{
	const struct array *x = c->in[0];
	int64_t dim[KERNEL_MAX_RANK];
	int rank;

	if (c->node->op->since < 7 && slope->rank == 1 && slope->n != 1 &&
	    x->rank > 2 && x->rank <= KERNEL_MAX_RANK &&
	    slope->n == x->dim[1]) {
		for (int i = 0; i < x->rank - 1; i++)
			dim[i] = i ? 1 : slope->n;
		return array_view(slope, x->rank - 1, dim);
	}
	if (slope->n == 1 && slope->rank > x->rank)
		return array_view(slope, 0, NULL);
	if (broadcast_dims(x, slope, &rank, dim) && rank == x->rank &&
	    (!rank || !memcmp(dim, x->dim, (size_t)rank * sizeof dim[0])))
		return array_ref(slope);
	kcall_error(c, E_shape, "the slope does not repeat to input 0");
	return NULL;
}

static bool has_zero(const struct array *a)
{
	for (int64_t i = 0; i < a->n; i++)
		if (dtype_get_int(a->dt, a->data, (size_t)i) == 0)
			return true;
	return false;
}

static enum status choose_lane(struct ew_job *j, const struct ew_row *r,
			       bool fast)
{
	enum dtype dt = j->in[0].a->dt;

	for (uint32_t k = 1; k < j->nin; k++)
		if (j->in[k].a->dt != dt)
			return kcall_error(
				j->c, E_type, "inputs of types %s and %s",
				dtype_name(dt), dtype_name(j->in[k].a->dt));
	j->fn = NULL;
	if (!lane_of(dt, &j->lane))
		return kcall_error(j->c, E_unsupported, "elements of type %s",
				   dtype_name(dt));
	if (fast && dt == DT_F32 && r->q) {
		j->lane = LANE_F32;
		j->fn = ew_fast(r->q);
	} else if (j->lane == LANE_F64) {
		j->fn = r->f;
	} else {
		j->fn = dt == DT_U64 && r->u ? r->u : r->i;
	}
	if (!j->fn)
		return kcall_error(j->c, E_type, "elements of type %s",
				   dtype_name(dt));
	if ((r->flags & EW_DIVIDES) && j->lane == LANE_I64 &&
	    has_zero(j->in[1].a))
		return kcall_error(j->c, E_value, "division by zero");
	return OK;
}

static enum status string_equal(struct kcall *c);

enum status ew_row_par(struct kcall *c, const struct ew_row *r,
		       struct ew_par *p)
{
	for (uint32_t k = 0; k < countof(r->attr) && r->attr[k]; k++)
		p->a[k] = node_attr_float(c->node, r->attr[k],
					  (double)r->dflt[k]);
	return r->prep ? r->prep(c, p) : OK;
}

static enum status run_row(struct kcall *c, const struct ew_row *r,
			   struct ew_job *j, bool fast)
{
	enum status st = ew_row_par(c, r, &j->par);

	j->heavy = (r->flags & EW_HEAVY) != 0;
	if (!st)
		st = choose_lane(j, r, fast);
	if (!st)
		st = ew_prepare(j,
				r->flags & EW_BOOL ? DT_BOOL : j->in[0].a->dt);
	if (st)
		return st;
	if ((r->flags & EW_INTO) && !array_same_dims(j->out, c->in[0]))
		return kcall_error(c, E_shape,
				   "input 1 is larger than input 0");
	ew_run(j);
	return OK;
}

static enum status elementwise(struct kcall *c, bool fast)
{
	const struct ew_row *r = ew_find(c->node->op->id);
	uint32_t want =
		r->flags & EW_VARIADIC ? c->nin : (uint32_t)c->node->op->in_min;
	struct ew_job j = {.pairwise = (r->flags & EW_VARIADIC) != 0};
	struct array *b = NULL;
	enum status st;

	if (c->in[0]->dt == DT_STRING && r->id == OP_Equal)
		return string_equal(c);
	if ((r->flags & EW_BIAS) && kcall_has(c, 1))
		want = 2;
	st = ew_inputs(&j, c, want);
	if (!st && want == 2 && r->id == OP_PRelu)
		st = (b = slope_view(c, c->in[1])) ? OK : BAD_MODEL;
	else if (!st && want == 2)
		st = old_broadcast(c, &b);
	if (st)
		return st;
	for (uint32_t k = 0; k < want; k++) {
		j.in[k].a = k == 1 && b ? b : c->in[k];
		if (!j.in[k].a)
			st = kcall_error(c, E_value, "input %u is missing", k);
	}
	if (r->flags & EW_MEAN)
		j.divide = want;
	if (!st)
		st = run_row(c, r, &j, fast);
	array_unref(b);
	return st;
}

enum status k_elementwise(struct kcall *c)
{
	return elementwise(c, false);
}

enum status k_elementwise_f32(struct kcall *c)
{
	return elementwise(c, true);
}

/* ---- Pow ---- */

static int64_t int_pow(int64_t base, int64_t e)
{
	uint64_t r = 1, b = (uint64_t)base;

	if (e < 0) /* the reciprocal, cut toward zero */
		return base == 1 ? 1 : base == -1 ? (e & 1 ? -1 : 1) : 0;
	for (; e; e >>= 1) {
		if (e & 1)
			r *= b;
		b *= b;
	}
	return (int64_t)r;
}

static void pow_int(const struct ew_par *p, size_t n, void *y,
		    const void *const *x)
{
	const int64_t *a = x[0], *b = x[1];
	int64_t *out = y;

	(void)p;
	for (size_t k = 0; k < n; k++)
		out[k] = int_pow(a[k], b[k]);
}

static bool all_same(const double *v, size_t n)
{
	for (size_t k = 1; k < n; k++)
		if (v[k] != v[0])
			return false;
	return true;
}

/* Squares, the usual case, without a call per element; md_pow computes them
 * the same way. */
static void pow_float(const struct ew_par *p, size_t n, void *y,
		      const void *const *x)
{
	const double *a = x[0], *b = x[1];
	double *out = y;

	(void)p;
	if (b[0] == 2 && all_same(b, n)) {
		for (size_t k = 0; k < n; k++)
			out[k] = a[k] * a[k];
		return;
	}
	for (size_t k = 0; k < n; k++)
		out[k] = md_pow(a[k], b[k]);
}

/* The float loop for an exponent that is one number, if it has one: the
 * products and roots of floats in double, rounded, are those in float. */
static ew_fn *pow_loop(const struct array *a, const struct array *b)
{
	double e;

	if (a->dt != DT_F32 || b->n != 1 || b->rank > a->rank)
		return NULL;
	e = dtype_get(b->dt, b->data, 0);
	return e == 2 ? q_square : e == 0.5 ? q_root : NULL;
}

static enum status power(struct kcall *c, bool fast)
{
	struct ew_job j = {0};
	enum lane la, lb;
	ew_fn *loop;
	struct array *b;
	enum status st;

	if (!lane_of(c->in[0]->dt, &la) || !lane_of(c->in[1]->dt, &lb))
		return kcall_error(c, E_type, "operands are not numbers");
	st = ew_inputs(&j, c, 2);
	if (!st)
		st = old_broadcast(c, &b);
	if (st)
		return st;
	j.in[0].a = c->in[0];
	j.in[1].a = b;
	j.lane = la == LANE_I64 && lb == LANE_I64 ? LANE_I64 : LANE_F64;
	j.fn = j.lane == LANE_I64 ? pow_int : pow_float;
	j.heavy = true;
	loop = fast ? pow_loop(j.in[0].a, b) : NULL;
	if (loop) {
		j.nin = 1;
		j.lane = LANE_F32;
		j.fn = ew_fast(loop);
		j.heavy = false;
	}
	st = ew_prepare(&j, c->in[0]->dt);
	if (!st)
		ew_run(&j);
	array_unref(b);
	return st;
}

enum status k_pow(struct kcall *c)
{
	return power(c, false);
}

enum status k_pow_f32(struct kcall *c)
{
	return power(c, true);
}

/* ---- Clip ---- */

void ew_clip_f64(const struct ew_par *p, size_t n, void *y,
		 const void *const *x)
{
	const double *a = x[0];
	double *out = y;

	for (size_t k = 0; k < n; k++) {
		double v = a[k] < p->a[0] ? p->a[0] : a[k];

		out[k] = v > p->a[1] ? p->a[1] : v;
	}
}

static void clip_i64(const struct ew_par *p, size_t n, void *y,
		     const void *const *x)
{
	const int64_t *a = x[0];
	int64_t *out = y;

	for (size_t k = 0; k < n; k++) {
		int64_t v = a[k] < p->i[0] ? p->i[0] : a[k];

		out[k] = v > p->i[1] ? p->i[1] : v;
	}
}

static void clip_u64(const struct ew_par *p, size_t n, void *y,
		     const void *const *x)
{
	const uint64_t *a = x[0];
	uint64_t lo = (uint64_t)p->i[0], hi = (uint64_t)p->i[1], *out = y;

	for (size_t k = 0; k < n; k++) {
		uint64_t v = a[k] < lo ? lo : a[k];

		out[k] = v > hi ? hi : v;
	}
}

/* One bound: attribute before version 11, else an optional scalar input. */
static enum status clip_bound(struct kcall *c, struct ew_par *p, int which)
{
	const char *name = which ? "max" : "min";
	uint32_t j = 1 + (uint32_t)which;
	enum status st = OK;

	if (c->node->op->since < 11) {
		if (node_has_attr(c->node, name))
			p->a[which] = node_attr_float(c->node, name, 0);
		return OK;
	}
	if (!kcall_has(c, j))
		return OK;
	if (c->in[j]->dt != c->in[0]->dt)
		return kcall_error(c, E_type, "%s has another type", name);
	st = kcall_float(c, j, 0, &p->a[which]);
	if (!st && !dtype_is_float(c->in[j]->dt))
		p->i[which] = dtype_get_int(c->in[j]->dt, c->in[j]->data, 0);
	return st;
}

enum status ew_clip_par(struct kcall *c, struct ew_par *p)
{
	enum status st;

	*p = (struct ew_par){.a = {-INFINITY, INFINITY},
			     .i = {INT64_MIN, INT64_MAX}};
	if (c->in[0]->dt == DT_U64) {
		p->i[0] = 0;
		p->i[1] = -1;
	}
	st = clip_bound(c, p, 0);
	return st ? st : clip_bound(c, p, 1);
}

static enum status clip(struct kcall *c, bool fast)
{
	enum dtype dt = c->in[0]->dt;
	struct ew_job j = {0};
	enum status st = ew_inputs(&j, c, 1);

	if (st)
		return st;
	j.in[0].a = c->in[0];
	if (!lane_of(dt, &j.lane) || dt == DT_BOOL)
		return kcall_error(c, E_type, "elements of type %s",
				   dtype_name(dt));
	j.fn = j.lane == LANE_F64 ? ew_clip_f64 : clip_i64;
	if (dt == DT_U64)
		j.fn = clip_u64;
	if (fast && dt == DT_F32) {
		j.lane = LANE_F32;
		j.fn = ew_fast(q_clip);
	}
	st = ew_clip_par(c, &j.par);
	if (!st)
		st = ew_prepare(&j, dt);
	if (!st)
		ew_run(&j);
	return st;
}

enum status k_clip(struct kcall *c)
{
	return clip(c, false);
}

enum status k_clip_f32(struct kcall *c)
{
	return clip(c, true);
}

/* ---- operands of any type, element by element ---- */

struct walk { /* of broadcast inputs, in output order */
	int rank;
	int64_t dim[KERNEL_MAX_RANK], idx[KERNEL_MAX_RANK];
	int64_t stride[EW_MAX_IN][KERNEL_MAX_RANK], off[EW_MAX_IN];
};

static void walk_next(struct walk *w, uint32_t nin)
{
	for (int d = w->rank - 1; d >= 0; d--) {
		for (uint32_t k = 0; k < nin; k++)
			w->off[k] += w->stride[k][d];
		if (++w->idx[d] < w->dim[d])
			return;
		for (uint32_t k = 0; k < nin; k++)
			w->off[k] -= w->dim[d] * w->stride[k][d];
		w->idx[d] = 0;
	}
}

static void walk_of(struct walk *w, const struct ew_job *j)
{
	w->rank = j->rank;
	memcpy(w->dim, j->dim, sizeof w->dim);
	for (uint32_t k = 0; k < j->nin; k++)
		memcpy(w->stride[k], j->in[k].stride, sizeof w->stride[k]);
}

static enum status string_equal(struct kcall *c)
{
	struct ew_job j = {0};
	struct walk w = {0};
	enum status st = ew_inputs(&j, c, 2);

	if (st)
		return st;
	if (c->in[1]->dt != DT_STRING)
		return kcall_error(c, E_type, "a string against a number");
	j.in[0].a = c->in[0];
	j.in[1].a = c->in[1];
	st = ew_prepare(&j, DT_BOOL);
	if (st)
		return st;
	walk_of(&w, &j);
	for (int64_t i = 0; i < j.out->n; i++, walk_next(&w, 2)) {
		const struct str *a = c->in[0]->data, *b = c->in[1]->data;

		((uint8_t *)j.out->data)[i] = str_eq(a[w.off[0]], b[w.off[1]]);
	}
	return OK;
}

static void select_elements(const struct ew_job *j, const struct elems *x,
			    const struct elems *y, struct elems *out)
{
	const uint8_t *cond = j->in[0].a->data;
	size_t es = out->size;
	struct walk w = {0};

	walk_of(&w, j);
	for (int64_t i = 0; i < j->out->n; i++, walk_next(&w, 3)) {
		const uint8_t *src = cond[w.off[0]]
					     ? x->p + (size_t)w.off[1] * es
					     : y->p + (size_t)w.off[2] * es;

		memcpy(out->p + (size_t)i * es, src, es);
	}
}

enum status k_where(struct kcall *c)
{
	struct ew_job j = {0};
	struct elems x, y, out;
	enum status st = ew_inputs(&j, c, 3);

	if (st)
		return st;
	if (c->in[0]->dt != DT_BOOL || c->in[1]->dt != c->in[2]->dt)
		return kcall_error(c, E_type,
				   "condition must be bool, and X "
				   "and Y of one type");
	for (uint32_t k = 0; k < 3; k++)
		j.in[k].a = c->in[k];
	st = ew_prepare(&j, c->in[1]->dt);
	if (!st)
		st = elems_in(c, c->in[1], &x);
	if (!st)
		st = elems_in(c, c->in[2], &y);
	if (!st)
		st = elems_out(c, j.out, &out);
	if (st)
		return st;
	select_elements(&j, &x, &y, &out);
	elems_done(&out);
	return OK;
}
