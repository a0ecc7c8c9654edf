/* SPDX-License-Identifier: MIT */
/*
 * data_arith.c -- element-wise rules for integer data.
 */
#include "ir/infer/data_p.h"

enum { MAX_POWER = 8 };

typedef struct dim binary_fn(struct model *m, struct dim a, struct dim b);

static struct dim truth(bool yes, bool no)
{
	return yes ? dim_of(1) : no ? dim_of(0) : dim_none();
}

/* Integer division truncates: as floor where both are >= 0. */
static struct dim data_div(struct model *m, struct dim a, struct dim b)
{
	int64_t x, y;

	if (dim_number(m, a, &x) && dim_number(m, b, &y)) {
		if (y == 0 || (y == -1 && x == INT64_MIN))
			return dim_none();
		return dim_num(m, x / y);
	}
	if (!dim_lower(m, a, &x) || x < 0 || !dim_lower(m, b, &y) || y < 0)
		return dim_none();
	return dim_floordiv(m, a, b);
}

static struct dim data_mod(struct model *m, struct dim a, struct dim b)
{
	return dim_mod(m, a, b);
}

static struct dim data_equal(struct model *m, struct dim a, struct dim b)
{
	struct dim one = dim_of(1);

	return truth(dim_equal(a, b), dim_le(m, dim_add(m, a, one), b) ||
					      dim_le(m, dim_add(m, b, one), a));
}

static struct dim data_less(struct model *m, struct dim a, struct dim b)
{
	return truth(dim_le(m, dim_add(m, a, dim_of(1)), b), dim_le(m, b, a));
}

static struct dim data_less_eq(struct model *m, struct dim a, struct dim b)
{
	return truth(dim_le(m, a, b), dim_le(m, dim_add(m, b, dim_of(1)), a));
}

static struct dim data_greater(struct model *m, struct dim a, struct dim b)
{
	return data_less(m, b, a);
}

static struct dim data_greater_eq(struct model *m, struct dim a, struct dim b)
{
	return data_less_eq(m, b, a);
}

static bool is(struct dim d, int64_t v)
{
	return dim_known(d) && d.n == v;
}

static struct dim data_and(struct model *m, struct dim a, struct dim b)
{
	(void)m;
	return truth(is(a, 1) && is(b, 1), is(a, 0) || is(b, 0));
}

static struct dim data_or(struct model *m, struct dim a, struct dim b)
{
	(void)m;
	return truth(is(a, 1) || is(b, 1), is(a, 0) && is(b, 0));
}

static struct dim data_xor(struct model *m, struct dim a, struct dim b)
{
	(void)m;
	if (!dim_known(a) || !dim_known(b))
		return dim_none();
	return dim_of(a.n != b.n);
}

static struct dim data_pow(struct model *m, struct dim a, struct dim b)
{
	struct dim r = dim_of(1);
	int64_t k;

	if (!dim_number(m, b, &k) || k < 0 || k > MAX_POWER)
		return dim_none();
	while (k-- > 0)
		r = dim_mul(m, r, a);
	return r;
}

/* real: for floats, NULL: not followed. */
static const struct {
	enum op_id id;
	binary_fn *fn, *real;
} binaries[] = {
	{OP_Add, dim_add, dim_add},
	{OP_Sub, dim_sub, dim_sub},
	{OP_Mul, dim_mul, real_mul},
	{OP_Div, data_div, real_div},
	{OP_Mod, data_mod, NULL},
	{OP_Pow, data_pow, NULL},
	{OP_Min, dim_min, dim_min},
	{OP_Max, dim_max, dim_max},
	{OP_Sum, dim_add, dim_add},
	{OP_Equal, data_equal, data_equal},
	{OP_Less, data_less, data_less},
	{OP_LessOrEqual, data_less_eq, data_less_eq},
	{OP_Greater, data_greater, data_greater},
	{OP_GreaterOrEqual, data_greater_eq, data_greater_eq},
	{OP_And, data_and, NULL},
	{OP_Or, data_or, NULL},
	{OP_Xor, data_xor, NULL},
};

/*
 * Element k of the output comes from element k of an input of its size, or
 * from the one that an input has; other broadcasts are not followed.
 */
static bool spread(const struct node *n, const struct out *o, uint32_t i,
		   const struct dim **d, uint32_t *step)
{
	const struct type *t = in_type(n, i), *y = n->out[0]->type;
	uint32_t count;

	if (!data_in(n, i, d, &count))
		return false;
	*step = count != 1 || o->n == 1;
	if (count == 1)
		return true;
	if (count != o->n || t->kind != TY_TENSOR)
		return false;
	/* same count: the same place, as only sizes of 1 may be missing */
	return t->rank <= y->rank;
}

/* Ends of Clip, from inputs or attributes. */
static void data_clip(struct node *n, struct out *o)
{
	struct model *m = node_model(n);
	const struct dim *x, *lo = NULL, *hi = NULL;
	uint32_t count, one = 1, k1 = 1;

	if (n->op->since < 11 || !data_known(n, 0, &x, &count) ||
	    count != o->n || (in_given(n, 1) && !data_known(n, 1, &lo, &one)) ||
	    (in_given(n, 2) && !data_known(n, 2, &hi, &k1)) || one != 1 ||
	    k1 != 1)
		return;
	for (uint32_t k = 0; k < count; k++) {
		o->d[k] = lo ? dim_max(m, x[k], *lo) : x[k];
		o->d[k] = hi ? dim_min(m, o->d[k], *hi) : o->d[k];
	}
	o->done = true;
}

static void apply(struct node *n, struct out *o, binary_fn *fn)
{
	struct model *m = node_model(n);

	for (uint32_t i = 0; i < n->nin; i++) {
		const struct dim *x;
		uint32_t step;

		if (is_real(in_dtype(n, i)) != is_real(in_dtype(n, 0)))
			return; /* Pow takes two types */
		if (!spread(n, o, i, &x, &step))
			return;
		for (uint32_t k = 0; k < o->n; k++)
			o->d[k] = i ? fn(m, o->d[k], x[k * step]) : x[k * step];
	}
	o->done = n->nin > 0;
}

static void data_where(struct node *n, struct out *o)
{
	const struct dim *x[3];
	uint32_t step[3];

	for (uint32_t i = 0; i < 3; i++)
		if (!spread(n, o, i, &x[i], &step[i]))
			return;
	for (uint32_t k = 0; k < o->n; k++) {
		struct dim c = x[0][k * step[0]], a = x[1][k * step[1]];
		struct dim b = x[2][k * step[2]];

		if (is(c, 1) || dim_equal(a, b))
			o->d[k] = a;
		else
			o->d[k] = is(c, 0) ? b : dim_none();
	}
	o->done = true;
}

static struct dim unary(struct model *m, enum op_id id, struct dim a)
{
	struct dim minus = dim_sub(m, dim_of(0), a);

	switch (id) {
	case OP_Neg:
		return minus;
	case OP_Abs:
		return dim_max(m, a, minus);
	case OP_Sign:
		if (dim_le(m, a, dim_of(0)))
			return dim_le(m, dim_of(0), a)       ? dim_of(0)
			       : dim_le(m, dim_of(1), minus) ? dim_num(m, -1)
							     : dim_none();
		return dim_le(m, dim_of(1), a) ? dim_of(1) : dim_none();
	default:
		return truth(is(a, 0), is(a, 1));
	}
}

static bool is_old(const struct node *n)
{
	return n->op->since < 7 && node_has_attr(n, "axis");
}

void data_arith(struct node *n, struct out *o)
{
	enum op_id id = n->op->id;
	binary_fn *fn = NULL;
	const struct dim *x;
	uint32_t count;

	if (is_old(n) || node_attr_int(n, "fmod", 0))
		return;
	o->d = dims_new(n, o->n);
	for (size_t i = 0; i < countof(binaries); i++)
		if (binaries[i].id == id)
			fn = is_real(in_dtype(n, 0)) ? binaries[i].real
						     : binaries[i].fn;
	if (fn)
		apply(n, o, fn);
	if (id == OP_Where)
		data_where(n, o);
	if (id == OP_Clip)
		data_clip(n, o);
	if (id != OP_Neg && id != OP_Abs && id != OP_Not &&
	    (id != OP_Sign || o->real))
		return;
	if (!data_known(n, 0, &x, &count) || count != o->n)
		return;
	for (uint32_t k = 0; k < count; k++)
		o->d[k] = unary(node_model(n), id, x[k]);
	o->done = true;
}
