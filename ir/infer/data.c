/* SPDX-License-Identifier: MIT */
/*
 * data.c -- elements of small tensors, through the operators that exporters
 * compute shapes with.
 *
 * Elements are numbers, symbolic, or unknown (0 and 1 for booleans).  A rule
 * runs after the node's types are known; without all it needs it says nothing.
 * Integers and booleans of at most INFER_MAX_DATA elements count, and floats
 * that stand for sizes on their way to a rounding (data_real.c).
 */
#include "ir/infer/data_p.h"

struct rule {
	enum op_id id;
	void (*fn)(struct node *n, struct out *o);
};

bool data_known(const struct node *n, uint32_t i, const struct dim **d,
		uint32_t *count)
{
	return dtype_is_float(in_dtype(n, i)) ? in_real(n, i, d, count)
					      : in_data(n, i, d, count);
}

bool data_in(const struct node *n, uint32_t i, const struct dim **d,
	     uint32_t *count)
{
	int64_t c;
	struct dim *u;

	if (data_known(n, i, d, count))
		return true;
	if (!type_count(in_type(n, i), &c) || c > INFER_MAX_DATA)
		return false;
	u = dims_new(n, (size_t)c);
	for (int64_t k = 0; k < c; k++)
		u[k] = dim_none();
	*d = u;
	*count = (uint32_t)c;
	return true;
}

/* The elements of input 0 as they are. */
void data_copy(struct node *n, struct out *o)
{
	const struct dim *d;
	uint32_t count;

	if (!data_known(n, 0, &d, &count) || count != o->n)
		return;
	for (uint32_t i = 0; i < count; i++)
		o->d[i] = d[i];
	o->done = true;
}

static bool is_integral(enum dtype dt)
{
	return dt == DT_I64 || dt == DT_I32 || dt == DT_BOOL;
}

static void data_cast(struct node *n, struct out *o)
{
	enum dtype from = in_dtype(n, 0), to = n->out[0]->type->dt;
	struct model *m = node_model(n);
	int64_t v;

	if (is_real(from) || is_real(to)) {
		real_cast(n, o);
		return;
	}
	if (!is_integral(from))
		return;
	data_copy(n, o);
	for (uint32_t i = 0; o->done && i < o->n; i++) {
		bool number = dim_number(m, o->d[i], &v);

		if (to == DT_BOOL && from != DT_BOOL)
			o->d[i] = number ? dim_of(v != 0) : dim_none();
	}
}

/* Sizes of input i before and from the axis on; false unless all are known. */
static bool halves(const struct node *n, uint32_t i, int axis, int64_t *before,
		   int64_t *after)
{
	const struct type *t = in_type(n, i);
	int64_t all;

	if (!type_count(t, &all) || axis >= t->rank)
		return false;
	*before = 1;
	for (int k = 0; k < axis; k++)
		*before *= t->dim[k].n;
	*after = *before ? all / *before : 0;
	return true;
}

static void data_concat(struct node *n, struct out *o)
{
	int rank = n->out[0]->type->rank, axis;
	int64_t before = 0, after, row = 0, at = 0;
	const struct dim *d;
	uint32_t count;

	if (rank < 1 || axis_attr(n, "axis", 1, rank, &axis))
		return;
	for (uint32_t i = 0; i < n->nin; i++) {
		if (!halves(n, i, axis, &before, &after))
			return;
		row += after;
	}
	if (!n->nin || before * row != o->n)
		return;
	for (uint32_t i = 0; i < n->nin; i++, at += after) {
		if (!data_in(n, i, &d, &count) ||
		    !halves(n, i, axis, &before, &after) ||
		    count != before * after)
			return;
		for (int64_t k = 0; k < count; k++)
			o->d[k / after * row + at + k % after] = d[k];
	}
	o->done = true;
}

/* ---- made and reduced ---- */

static void data_fill(struct node *n, struct out *o)
{
	struct model *m = node_model(n);
	const struct tensor *t = node_attr_tensor(n, "value");

	if (!t || t->n != 1 || !is_integral(t->dt) || !tensor_data(m, t) ||
	    o->real)
		return;
	for (uint32_t i = 0; i < o->n; i++)
		o->d[i] = dim_num(m, tensor_int(m, t, 0));
	o->done = true;
}

static void data_range(struct node *n, struct out *o)
{
	struct model *m = node_model(n);
	const struct dim *v[3];
	uint32_t count;

	for (uint32_t i = 0; i < 3; i++)
		if (!data_known(n, i, &v[i], &count) || count != 1)
			return;
	for (uint32_t i = 0; i < o->n; i++)
		o->d[i] = dim_add(m, v[0][0], dim_mul(m, v[2][0], dim_of(i)));
	o->done = true;
}

/* r and x put together by the node's reduction. */
static struct dim reduced(const struct node *n, struct dim r, struct dim x)
{
	struct model *m = node_model(n);

	switch (n->op->id) {
	case OP_ReduceProd:
		return dim_mul(m, r, x);
	case OP_ReduceSum:
		return dim_add(m, r, x);
	case OP_ReduceMax:
		return dim_max(m, r, x);
	default:
		return dim_min(m, r, x);
	}
}

/* Product, sum, least or largest of elements along the axes. */
static void data_reduce(struct node *n, struct out *o)
{
	const struct type *t = in_type(n, 0);
	int64_t *step, size = 1, c;
	const struct dim *x;
	const int *axes;
	uint32_t count;
	size_t naxes;
	bool known, *seen, *over;

	if (!data_known(n, 0, &x, &count) || !type_count(t, &c) || c != count ||
	    count == 0 || (o->real && node_is(n, OP_ReduceProd)) ||
	    axes_of(n, "axes", 1, t->rank, &known, &axes, &naxes) || !known ||
	    (naxes == 0 && node_attr_int(n, "noop_with_empty_axes", 0)))
		return;
	over = scratch(n, (size_t)t->rank + 1, sizeof(*over));
	step = scratch(n, (size_t)t->rank + 1, sizeof(*step));
	for (int i = 0; i < t->rank; i++)
		over[i] = naxes == 0;
	for (size_t i = 0; i < naxes; i++)
		over[axes[i]] = true;
	for (int i = t->rank - 1; i >= 0; i--) {
		step[i] = over[i] ? 0 : size;
		size *= over[i] ? 1 : t->dim[i].n;
	}
	if (size != o->n)
		return;
	seen = scratch(n, o->n, sizeof(*seen));
	for (uint32_t k = 0; k < count; k++) {
		int64_t at = data_offset(t, k, step);

		o->d[at] = seen[at] ? reduced(n, o->d[at], x[k]) : x[k];
		seen[at] = true;
	}
	o->done = true;
}

static const struct rule rules[] = {
	{OP_Identity, data_copy},
	{OP_Squeeze, data_copy},
	{OP_Unsqueeze, data_copy},
	{OP_Reshape, data_copy},
	{OP_Flatten, data_copy},
	{OP_Cast, data_cast},
	{OP_CastLike, data_cast},
	{OP_Concat, data_concat},
	{OP_Transpose, data_transpose},
	{OP_Slice, data_slice},
	{OP_Gather, data_gather},
	{OP_GatherElements, data_gather_elements},
	{OP_GatherND, data_gather_nd},
	{OP_NonZero, data_nonzero},
	{OP_Scatter, data_scatter},
	{OP_ScatterElements, data_scatter},
	{OP_ScatterND, data_scatter},
	{OP_Split, data_split},
	{OP_Expand, data_expand},
	{OP_Tile, data_tile},
	{OP_CumSum, data_cumsum},
	{OP_Floor, real_round},
	{OP_Ceil, real_round},
	{OP_ConstantOfShape, data_fill},
	{OP_Range, data_range},
	{OP_ReduceProd, data_reduce},
	{OP_ReduceSum, data_reduce},
	{OP_ReduceMax, data_reduce},
	{OP_ReduceMin, data_reduce},
};

/* Arithmetic wraps in 32 bits where ours does not. */
static void drop_wide(struct model *m, enum dtype dt, struct out *o)
{
	int64_t v;

	for (uint32_t i = 0; o->done && dt == DT_I32 && i < o->n; i++)
		if (dim_number(m, o->d[i], &v) && (int32_t)v != v)
			o->d[i] = dim_none();
}

bool infer_nonzero_element(struct model *m, struct dim d, bool *is)
{
	int64_t v;

	if (dim_number(m, d, &v)) {
		*is = v != 0;
		return true;
	}
	*is = true;
	return dim_lower(m, d, &v) && v > 0;
}

void infer_data(struct node *n)
{
	struct value *v = n->nout ? n->out[0] : NULL;
	struct out o = {0};
	int64_t count;

	if (!v || v->data || v->konst || v->type->kind != TY_TENSOR ||
	    !type_count(v->type, &count) || v->real ||
	    !(is_integral(v->type->dt) || is_real(v->type->dt)))
		return;
	o.real = is_real(v->type->dt);
	if (count > (o.real ? INFER_MAX_REALS : INFER_MAX_DATA))
		return;
	o.n = (uint32_t)count;
	for (size_t i = 0; i < countof(rules); i++) {
		if (rules[i].id != n->op->id)
			continue;
		o.d = dims_new(n, o.n);
		rules[i].fn(n, &o);
	}
	if (!o.d)
		data_arith(n, &o);
	o.done |= o.n == 0;
	if (o.done)
		real_check(node_model(n), v->type->dt, &o);
	drop_wide(node_model(n), v->type->dt, &o);
	if (o.done)
		out_data(n, 0, o.d, o.n);
}
