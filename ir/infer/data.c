/* SPDX-License-Identifier: MIT */
/*
 * data.c -- elements of small integer tensors, through the operators that
 * exporters compute shapes with.
 *
 * Elements are numbers, symbolic, or unknown (0 and 1 for booleans).  A rule
 * runs after the node's types are known; without all it needs it says nothing.
 * Only integer and boolean outputs of at most INFER_MAX_DATA elements count.
 */
#include "ir/infer/data_p.h"

struct rule {
	enum op_id id;
	void (*fn)(struct node *n, struct out *o);
};

/* The elements of input i: its data, or as many unknowns as it holds. */
bool data_in(const struct node *n, uint32_t i, const struct dim **d,
	     uint32_t *count)
{
	int64_t c;
	struct dim *u;

	if (in_data(n, i, d, count))
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
static void data_copy(struct node *n, struct out *o)
{
	const struct dim *d;
	uint32_t count;

	if (!in_data(n, 0, &d, &count) || count != o->n)
		return;
	for (uint32_t i = 0; i < count; i++)
		o->d[i] = d[i];
	o->done = true;
}

static bool is_integral(enum dtype dt)
{
	return dt == DT_I64 || dt == DT_I32 || dt == DT_BOOL;
}

/* What does not fit the narrower type is unknown. */
static void data_cast(struct node *n, struct out *o)
{
	enum dtype from = in_dtype(n, 0), to = n->out[0]->type->dt;
	struct model *m = node_model(n);
	int64_t v;

	if (!is_integral(from))
		return;
	data_copy(n, o);
	for (uint32_t i = 0; o->done && i < o->n; i++) {
		bool number = dim_number(m, o->d[i], &v);

		if (to == DT_BOOL && from != DT_BOOL)
			o->d[i] = number ? dim_of(v != 0) : dim_none();
	}
}

static void data_concat(struct node *n, struct out *o)
{
	uint32_t k = 0;

	if (n->out[0]->type->rank != 1)
		return;
	for (uint32_t i = 0; i < n->nin; i++) {
		const struct dim *d;
		uint32_t count;

		if (!data_in(n, i, &d, &count) || count > o->n - k)
			return;
		for (uint32_t j = 0; j < count; j++)
			o->d[k++] = d[j];
	}
	o->done = k == o->n;
}

/* ---- elements chosen by position ---- */

/* Row-major distances of a static shape. */
static void strides_of(const struct type *t, int64_t *s)
{
	int64_t k = 1;

	for (int i = t->rank - 1; i >= 0; i--) {
		s[i] = k;
		k *= t->dim[i].n;
	}
}

/*
 * Fills the output with x[base + sum(index[i]*step[i])], index running over
 * the output's shape.
 */
static void data_walk(const struct node *n, struct out *o, const struct dim *x,
		      uint32_t count, int64_t base, const int64_t *step)
{
	const struct type *t = n->out[0]->type;

	for (uint32_t k = 0; k < o->n; k++) {
		int64_t at = base, rest = k;

		for (int i = t->rank - 1; i >= 0; i--) {
			at += rest % t->dim[i].n * step[i];
			rest /= t->dim[i].n;
		}
		if (at < 0 || at >= count)
			return;
		o->d[k] = x[at];
	}
	o->done = true;
}

/* Input 0: its elements and distances; false unless its shape is known. */
static bool source(struct node *n, const struct dim **x, uint32_t *count,
		   int64_t **stride)
{
	const struct type *t = in_type(n, 0);
	int64_t c;

	if (!in_data(n, 0, x, count) || !type_count(t, &c) || c != *count ||
	    c == 0)
		return false;
	*stride = scratch(n, (size_t)t->rank + 1, sizeof(**stride));
	strides_of(t, *stride);
	return true;
}

static void data_transpose(struct node *n, struct out *o)
{
	const struct dim *x;
	uint32_t count;
	size_t np;
	const int64_t *perm = node_attr_ints(n, "perm", &np);
	int64_t *stride, *step;
	int rank = in_type(n, 0)->rank;

	if (!source(n, &x, &count, &stride) || n->out[0]->type->rank != rank)
		return;
	step = scratch(n, (size_t)rank + 1, sizeof(*step));
	for (int i = 0; i < rank; i++)
		step[i] = stride[perm ? perm[i] : rank - 1 - i];
	data_walk(n, o, x, count, 0, step);
}

/* Starts and steps of Slice per axis, with the axis's size. */
static bool slice_at(struct node *n, const struct type *t, int64_t *first,
		     int64_t *step)
{
	bool attr = n->op->since < 10;
	const int64_t *start, *axes = NULL, *by = NULL;
	uint32_t count = 0, k;
	size_t c;

	if (attr) {
		start = node_attr_ints(n, "starts", &c);
		count = (uint32_t)c;
		axes = node_attr_ints(n, "axes", &c);
		if (!start || (axes && c != count))
			return false;
	} else if (!in_ints(n, 1, &start, &count) ||
		   (in_given(n, 3) &&
		    (!in_ints(n, 3, &axes, &k) || k != count)) ||
		   (in_given(n, 4) &&
		    (!in_ints(n, 4, &by, &k) || k != count))) {
		return false;
	}
	for (uint32_t i = 0; i < count; i++) {
		int64_t a = axes ? axes[i] : i, s = start[i], size;

		a += a < 0 ? t->rank : 0;
		if (a < 0 || a >= t->rank)
			return false;
		size = t->dim[a].n;
		step[a] = by ? by[i] : 1;
		s += s < 0 ? size : 0;
		if (step[a] < 0 && s > size - 1)
			s = size - 1;
		first[a] = s < 0 ? 0 : s > size ? size : s;
	}
	return true;
}

static void data_slice(struct node *n, struct out *o)
{
	const struct type *t = in_type(n, 0);
	const struct dim *x;
	uint32_t count;
	int64_t *stride, *first, *step, base = 0;
	size_t r = t->rank > 0 ? (size_t)t->rank : 0;

	if (!source(n, &x, &count, &stride) || n->out[0]->type->rank != t->rank)
		return;
	first = scratch(n, r + 1, sizeof(*first));
	step = scratch(n, r + 1, sizeof(*step));
	for (size_t i = 0; i < r; i++)
		step[i] = 1;
	if (!slice_at(n, t, first, step))
		return;
	for (size_t i = 0; i < r; i++) {
		base += first[i] * stride[i];
		if (!mul_i64(step[i], stride[i], &step[i]) ||
		    step[i] > INFER_MAX_DATA || step[i] < -INFER_MAX_DATA)
			step[i] = 0; /* one element: the step is not used */
	}
	data_walk(n, o, x, count, base, step);
}

/* Along axis 0 of any shape; other axes of data are rare. */
static void data_gather(struct node *n, struct out *o)
{
	const struct type *t = in_type(n, 0);
	const struct dim *x;
	const int64_t *ix;
	uint32_t count, ni, k = 0;
	int64_t *stride, axis = node_attr_int(n, "axis", 0);

	if (!source(n, &x, &count, &stride) || t->rank < 1 ||
	    (axis != 0 && axis != -t->rank) || !in_ints(n, 1, &ix, &ni) ||
	    (int64_t)ni * stride[0] != o->n)
		return;
	for (uint32_t i = 0; i < ni; i++) {
		int64_t at = ix[i] + (ix[i] < 0 ? t->dim[0].n : 0);

		if (at < 0 || at >= t->dim[0].n)
			return;
		for (int64_t j = 0; j < stride[0]; j++)
			o->d[k++] = x[at * stride[0] + j];
	}
	o->done = true;
}

/* Indices of one axis, updates of the elements: on vectors. */
static void data_scatter(struct node *n, struct out *o)
{
	const struct dim *u;
	const int64_t *ix;
	uint32_t ni, nu;
	bool nd = node_is(n, OP_ScatterND);

	if (in_type(n, 0)->rank != 1 || !in_ints(n, 1, &ix, &ni) ||
	    !data_in(n, 2, &u, &nu) || ni != nu ||
	    !str_is(node_attr_str(n, "reduction", "none"), "none") ||
	    (nd && (in_type(n, 1)->rank < 1 ||
		    in_type(n, 1)->dim[in_type(n, 1)->rank - 1].n != 1)))
		return;
	data_copy(n, o);
	for (uint32_t i = 0; o->done && i < ni; i++) {
		int64_t at = ix[i] + (ix[i] < 0 ? o->n : 0);

		if (at < 0 || at >= o->n)
			o->done = false;
		else
			o->d[at] = u[i];
	}
}

static void data_split(struct node *n, struct out *o)
{
	const struct dim *x;
	uint32_t count, at = 0;

	if (!in_data(n, 0, &x, &count) || in_type(n, 0)->rank != 1)
		return;
	for (uint32_t i = 0; i < n->nout; i++) {
		int64_t c;

		if (!n->out[i] || !type_count(n->out[i]->type, &c) ||
		    c > count - at)
			return;
		out_data(n, i, x + at, (uint32_t)c);
		at += (uint32_t)c;
	}
	(void)o;
}

/* ---- repeated elements ---- */

static void data_expand(struct node *n, struct out *o)
{
	const struct type *t = in_type(n, 0), *y = n->out[0]->type;
	const struct dim *x;
	uint32_t count;
	int64_t *stride, *step;

	if (!source(n, &x, &count, &stride) || y->rank < t->rank)
		return;
	step = scratch(n, (size_t)y->rank + 1, sizeof(*step));
	for (int i = 0; i < t->rank; i++)
		if (t->dim[i].n != 1)
			step[i + y->rank - t->rank] = stride[i];
	data_walk(n, o, x, count, 0, step);
}

static void data_tile(struct node *n, struct out *o)
{
	const struct dim *x;
	uint32_t count;

	if (!in_data(n, 0, &x, &count) || in_type(n, 0)->rank != 1 ||
	    n->op->since < 6)
		return;
	for (uint32_t i = 0; count && i < o->n; i++)
		o->d[i] = x[i % count];
	o->done = count != 0;
}

static void data_fill(struct node *n, struct out *o)
{
	struct model *m = node_model(n);
	const struct tensor *t = node_attr_tensor(n, "value");

	if (!t || t->n != 1 || !is_integral(t->dt) || !tensor_data(m, t))
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
		if (!in_data(n, i, &v[i], &count) || count != 1)
			return;
	for (uint32_t i = 0; i < o->n; i++)
		o->d[i] = dim_add(m, v[0][0], dim_mul(m, v[2][0], dim_of(i)));
	o->done = true;
}

/* Product, sum, least or largest of all elements. */
static void data_reduce(struct node *n, struct out *o)
{
	struct model *m = node_model(n);
	const struct dim *x;
	uint32_t count;

	if (o->n != 1 || in_type(n, 0)->rank > 1 ||
	    !in_data(n, 0, &x, &count) || count == 0)
		return;
	o->d[0] = x[0];
	for (uint32_t i = 1; i < count; i++) {
		if (node_is(n, OP_ReduceProd))
			o->d[0] = dim_mul(m, o->d[0], x[i]);
		else if (node_is(n, OP_ReduceSum))
			o->d[0] = dim_add(m, o->d[0], x[i]);
		else if (node_is(n, OP_ReduceMax))
			o->d[0] = dim_max(m, o->d[0], x[i]);
		else
			o->d[0] = dim_min(m, o->d[0], x[i]);
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
	{OP_Scatter, data_scatter},
	{OP_ScatterElements, data_scatter},
	{OP_ScatterND, data_scatter},
	{OP_Split, data_split},
	{OP_Expand, data_expand},
	{OP_Tile, data_tile},
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

void infer_data(struct node *n)
{
	struct value *v = n->nout ? n->out[0] : NULL;
	struct out o = {0};
	int64_t count;

	if (!v || v->data || v->konst || v->type->kind != TY_TENSOR ||
	    !is_integral(v->type->dt) || !type_count(v->type, &count) ||
	    count > INFER_MAX_DATA)
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
	drop_wide(node_model(n), v->type->dt, &o);
	if (o.done)
		out_data(n, 0, o.d, o.n);
}
