/* SPDX-License-Identifier: MIT */
/*
 * data_arith.c -- element-wise rules for integer data.
 */
#include "ir/infer/data_p.h"

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

static const struct {
	enum op_id id;
	binary_fn *fn;
} binaries[] = {
	{OP_Add, dim_add},
	{OP_Sub, dim_sub},
	{OP_Mul, dim_mul},
	{OP_Div, data_div},
	{OP_Mod, data_mod},
	{OP_Min, dim_min},
	{OP_Max, dim_max},
	{OP_Sum, dim_add},
	{OP_Equal, data_equal},
	{OP_Less, data_less},
	{OP_LessOrEqual, data_less_eq},
	{OP_Greater, data_greater},
	{OP_GreaterOrEqual, data_greater_eq},
	{OP_And, data_and},
	{OP_Or, data_or},
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

static void apply(struct node *n, struct out *o, binary_fn *fn)
{
	struct model *m = node_model(n);

	for (uint32_t i = 0; i < n->nin; i++) {
		const struct dim *x;
		uint32_t step;

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
	const struct dim *x;
	uint32_t count;

	if (is_old(n) || node_attr_int(n, "fmod", 0))
		return;
	o->d = dims_new(n, o->n);
	for (size_t i = 0; i < countof(binaries); i++)
		if (binaries[i].id == id)
			apply(n, o, binaries[i].fn);
	if (id == OP_Where)
		data_where(n, o);
	if (id != OP_Neg && id != OP_Abs && id != OP_Not)
		return;
	if (!in_data(n, 0, &x, &count) || count != o->n)
		return;
	for (uint32_t k = 0; k < count; k++)
		o->d[k] = unary(node_model(n), id, x[k]);
	o->done = true;
}
