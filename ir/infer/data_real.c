/* SPDX-License-Identifier: MIT */
/*
 * data_real.c -- floats that a graph computes sizes with:
 * Cast(Floor(Cast(size) * scale)).
 *
 * An element counts in units of 1/INFER_UNIT, so sizes times scales of few
 * bits stay exact and symbolic; what is no multiple of the unit is unknown.
 * Sizes are taken to be below 2^24, where float holds every integer; a model
 * that computes larger ones in float gets them rounded, whatever runs it.
 */
#include "ir/infer/data_p.h"

static struct dim unit(void)
{
	return dim_of(INFER_UNIT);
}

enum { EXACT = 1 << 22 };

void real_check(struct model *m, enum dtype dt, struct out *o)
{
	int64_t v;

	for (uint32_t i = 0; dt == DT_F32 && i < o->n; i++)
		if (dim_number(m, o->d[i], &v) && (double)(float)v != (double)v)
			o->d[i] = dim_none();
}

struct dim real_mul(struct model *m, struct dim a, struct dim b)
{
	return dim_divexact(m, dim_mul(m, a, b), unit());
}

struct dim real_div(struct model *m, struct dim a, struct dim b)
{
	int64_t v;

	if (dim_unknown(b) || (dim_number(m, b, &v) && v == 0))
		return dim_none();
	return dim_divexact(m, dim_mul(m, a, unit()), b);
}

/*
 * a/b rounded, for elements a and b of a Div.  Quotients that are no multiple
 * of the unit can be told, too: below 2^24 a float quotient is an integer only
 * if the exact one is.
 */
static struct dim quotient(struct model *m, struct dim a, struct dim b, bool up)
{
	int64_t v;

	if (dim_unknown(a) || !dim_number(m, b, &v) || v <= 0)
		return dim_none();
	a = up ? dim_ceildiv(m, a, b) : dim_floordiv(m, a, b);
	if (dim_number(m, a, &v) && (v >= EXACT || v <= -EXACT))
		return dim_none();
	return a;
}

/* Element k of input 0 rounded to an integer. */
static struct dim rounded(struct node *n, uint32_t k, bool up)
{
	struct model *m = node_model(n);
	const struct value *v = node_in(n, 0);
	const struct node *def = v ? v->def : NULL;
	const struct dim *x, *y;
	uint32_t nx, ny;

	if (in_real(n, 0, &x, &nx) && k < nx && !dim_unknown(x[k]))
		return quotient(m, x[k], unit(), up);
	if (!def || !node_is(def, OP_Div) || !in_real(def, 0, &x, &nx) ||
	    !in_real(def, 1, &y, &ny) || (nx != 1 && k >= nx) ||
	    (ny != 1 && k >= ny))
		return dim_none();
	return quotient(m, x[nx == 1 ? 0 : k], y[ny == 1 ? 0 : k], up);
}

/* Floor and Ceil. */
void real_round(struct node *n, struct out *o)
{
	bool up = node_is(n, OP_Ceil);

	for (uint32_t k = 0; o->real && k < o->n; k++)
		o->d[k] = dim_mul(node_model(n), rounded(n, k, up), unit());
	o->done = o->real;
}

/* Toward 0: down, for elements that are not negative. */
static struct dim truncated(struct node *n, uint32_t k)
{
	struct model *m = node_model(n);
	struct dim down = rounded(n, k, false);
	int64_t v;

	if (dim_lower(m, down, &v) && v >= 0)
		return down;
	return dim_number(m, down, &v) ? rounded(n, k, true) : dim_none();
}

void real_cast(struct node *n, struct out *o)
{
	enum dtype from = in_dtype(n, 0), to = n->out[0]->type->dt;
	const struct dim *x;
	uint32_t count;

	if (is_real(from) && is_real(to)) {
		data_copy(n, o);
	} else if (is_real(to) && (from == DT_I32 || from == DT_I64) &&
		   in_data(n, 0, &x, &count) && count == o->n) {
		for (uint32_t k = 0; k < count; k++)
			o->d[k] = dim_mul(node_model(n), x[k], unit());
		o->done = true;
	} else if (is_real(from) && (to == DT_I32 || to == DT_I64)) {
		for (uint32_t k = 0; k < o->n; k++)
			o->d[k] = truncated(n, k);
		o->done = true;
	}
}
