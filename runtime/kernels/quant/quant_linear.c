/* SPDX-License-Identifier: MIT */
/*
 * quant_linear.c -- QuantizeLinear, DequantizeLinear and
 * DynamicQuantizeLinear, all versions and types.
 *
 * y = saturate(round_half_even(x / scale) + zero), the division in the type
 * that the node asks for, by default the scale's; y = (x - zero) scale.
 * A scale serves the tensor, a slice along the axis, or a block of a slice.
 */
#include <math.h>

#include "base/pool.h"
#include "runtime/kernels/shared/nn_p.h"
#include "runtime/kernels/quant/qsimd_p.h"
#include "runtime/kernels/quant/quant_p.h"

/* X is [outer, n, inner]; scale of element (o, i, k): */
struct grid {
	enum { PER_TENSOR, PER_AXIS, BLOCKED } kind;
	int64_t outer, n, inner, block, blocks;
};

static int64_t scale_index(const struct grid *g, int64_t o, int64_t i,
			   int64_t k)
{
	if (g->kind == PER_TENSOR)
		return 0;
	if (g->kind == PER_AXIS)
		return i;
	return (o * g->blocks + i / g->block) * g->inner + k;
}

static enum status blocked_grid(struct kcall *c, struct grid *g, int axis)
{
	const struct array *x = c->in[0], *s = c->in[1];

	g->kind = BLOCKED;
	g->blocks = ceil_div(g->n, g->block);
	if (s->rank != x->rank)
		return kcall_error(c, E_shape, "scale of rank %d for blocks",
				   s->rank);
	for (int i = 0; i < x->rank; i++)
		if (s->dim[i] != (i == axis ? g->blocks : x->dim[i]))
			return kcall_error(c, E_shape,
					   "scale has dimension %lld at %d",
					   (long long)s->dim[i], i);
	return OK;
}

static enum status grid_init(struct kcall *c, struct grid *g)
{
	const struct array *x = c->in[0], *s = c->in[1];
	enum status st;
	int axis;

	*g = (struct grid){.kind = PER_TENSOR, .outer = 1, .n = 1};
	g->block = node_attr_int(c->node, "block_size", 0);
	g->inner = x->n;
	if (g->block < 0)
		return kcall_error(c, E_value, "attribute block_size is %lld",
				   (long long)g->block);
	if (g->block == 0 && (s->rank == 0 || (s->rank == 1 && s->n == 1)))
		return OK;
	st = x->rank == 0 ? kcall_error(c, E_shape,
					"scale of rank %d for a "
					"scalar",
					s->rank)
			  : kcall_axis(c, node_attr_int(c->node, "axis", 1),
				       x->rank, &axis);
	if (st != OK)
		return st;
	g->outer = nn_product(x->dim, 0, axis);
	g->n = x->dim[axis];
	g->inner = nn_product(x->dim, axis + 1, x->rank);
	if (g->block > 0)
		return blocked_grid(c, g, axis);
	g->kind = PER_AXIS;
	if (s->rank != 1 || s->n != g->n)
		return kcall_error(c, E_shape,
				   "scale of %lld elements for an axis of %lld",
				   (long long)s->n, (long long)g->n);
	return OK;
}

/* Inputs 0 to 2 are tensors; the zero point, where given, fits the scale. */
static enum status check_inputs(struct kcall *c)
{
	const struct array *z;

	for (uint32_t j = 0; j < 3; j++) {
		if (j == 2 && !kcall_has(c, 2))
			break;
		if (!kcall_has(c, j) || c->in[j]->kind != ARR_TENSOR ||
		    c->in[j]->dt == DT_STRING ||
		    dtype_kind(c->in[j]->dt) == 'c')
			return kcall_error(c, E_type,
					   "input %u is not a number tensor",
					   j);
	}
	/* QuantizeLinear may divide by integers. */
	if (!dtype_is_float(c->in[1]->dt) &&
	    !(c->in[1]->dt == DT_I32 && node_is(c->node, OP_QuantizeLinear)))
		return kcall_error(c, E_type, "the scale is not a float");
	z = kcall_has(c, 2) ? c->in[2] : NULL;
	if (z && z->n != c->in[1]->n)
		return kcall_error(c, E_shape,
				   "%lld zero points for %lld scales",
				   (long long)z->n, (long long)c->in[1]->n);
	return OK;
}

/* ---- one element ---- */

static void int_limits(enum dtype t, double *lo, double *hi)
{
	unsigned bits = dtype_bits(t);

	*lo = dtype_kind(t) == 'u' ? 0 : -ldexp(1, (int)bits - 1);
	*hi = dtype_kind(t) == 'u' ? ldexp(1, (int)bits) - 1
				   : ldexp(1, (int)bits - 1) - 1;
}

/* Round a double to a float type and back. */
static double as_type(enum dtype t, double v)
{
	uint64_t slot = 0;

	if (t == DT_F64)
		return v;
	if (t == DT_F32)
		return (double)(float)v;
	dtype_set(t, &slot, 0, v);
	return dtype_get(t, &slot, 0);
}

struct quantizer {
	enum dtype to, precision;
	bool saturate;
	double lo, hi;
};

static void quantize_one(const struct quantizer *q, struct array *y, size_t at,
			 double x, double scale, double zero)
{
	double v;

	/* The operands take the division's type first. */
	v = as_type(q->precision,
		    as_type(q->precision, x) / as_type(q->precision, scale));
	if (dtype_is_float(q->to)) {
		v += zero;
		if (!q->saturate && dtype_bits(q->to) == 8)
			dtype_set_unsaturated(q->to, y->data, at, v);
		else
			dtype_set(q->to, y->data, at, v);
		return;
	}
	v = nearbyint(v) + zero;
	v = v > q->lo ? v : q->lo;
	v = v < q->hi ? v : q->hi;
	dtype_set_int(q->to, y->data, at, (int64_t)v);
}

/* ---- QuantizeLinear ---- */

static enum status quantizer_init(struct kcall *c, struct quantizer *q)
{
	int64_t to = node_attr_int(c->node, "output_dtype", 0);
	int64_t precision = node_attr_int(c->node, "precision", 0);

	if (kcall_has(c, 2)) {
		if (to != 0 && to != (int64_t)c->in[2]->dt)
			return kcall_error(c, E_type,
					   "output_dtype differs from the zero "
					   "point's type");
		to = c->in[2]->dt;
	} else if (to == 0) {
		to = DT_U8;
	}
	if (!dtype_valid(to) || to == DT_STRING || to == DT_BOOL)
		return kcall_error(c, E_value, "attribute output_dtype is %lld",
				   (long long)to);
	if (precision == 0 && c->in[1]->dt == DT_I32)
		precision = DT_F64;
	if (precision == 0)
		precision =
			dtype_bits(c->in[1]->dt) < 16 ? DT_F32 : c->in[1]->dt;
	if (!dtype_valid(precision) || !dtype_is_float((enum dtype)precision))
		return kcall_error(c, E_value, "attribute precision is %lld",
				   (long long)precision);
	q->to = (enum dtype)to;
	q->precision = (enum dtype)precision;
	q->saturate = node_attr_int(c->node, "saturate", 1) != 0;
	int_limits(q->to, &q->lo, &q->hi);
	return OK;
}

static void quantize_all(struct kcall *c, const struct grid *g,
			 const struct quantizer *q, struct array *y)
{
	const struct array *x = c->in[0], *s = c->in[1];
	const struct array *z = kcall_has(c, 2) ? c->in[2] : NULL;
	size_t at = 0;

	for (int64_t o = 0; o < g->outer; o++)
		for (int64_t i = 0; i < g->n; i++)
			for (int64_t k = 0; k < g->inner; k++, at++) {
				size_t p = (size_t)scale_index(g, o, i, k);
				double zero = 0;

				if (z)
					zero = dtype_get(z->dt, z->data, p);
				quantize_one(
					q, y, at, dtype_get(x->dt, x->data, at),
					dtype_get(s->dt, s->data, p), zero);
			}
}

static enum status quantize(struct kcall *c, struct grid *g,
			    struct quantizer *q, struct array **y)
{
	enum status s = check_inputs(c);

	if (s == OK)
		s = grid_init(c, g);
	if (s == OK)
		s = quantizer_init(c, q);
	if (s != OK)
		return s;
	*y = kcall_out(c, 0, q->to, c->in[0]->rank, c->in[0]->dim);
	return *y ? OK : LIMIT;
}

enum status k_quantize_linear(struct kcall *c)
{
	struct quantizer q;
	struct array *y;
	struct grid g;
	enum status s = quantize(c, &g, &q, &y);

	if (s == OK)
		quantize_all(c, &g, &q, y);
	return s;
}

/* ---- DequantizeLinear ---- */

static double dequantize_one(enum dtype from, enum dtype to, const void *x,
			     size_t at, double scale, const struct array *z,
			     size_t p)
{
	double v;

	if (dtype_is_float(from)) {
		v = dtype_get(from, x, at);
		if (z)
			v -= dtype_get(from, z->data, p);
	} else {
		v = (double)(dtype_get_int(from, x, at) -
			     (z ? dtype_get_int(from, z->data, p) : 0));
	}
	/* 32-bit integers have more bits than a float. */
	if (to == DT_F32)
		return (double)((float)v * (float)scale);
	return v * scale;
}

static enum status dequantize(struct kcall *c, struct grid *g, struct array **y)
{
	enum status s = check_inputs(c);
	int64_t to;

	if (s == OK)
		s = grid_init(c, g);
	if (s != OK)
		return s;
	if (kcall_has(c, 2) && c->in[2]->dt != c->in[0]->dt)
		return kcall_error(
			c, E_type, "the zero point is of type %s, x of %s",
			dtype_name(c->in[2]->dt), dtype_name(c->in[0]->dt));
	to = node_attr_int(c->node, "output_dtype", 0);
	if (to == 0)
		to = dtype_bits(c->in[1]->dt) < 16 ? DT_F32 : c->in[1]->dt;
	if (!dtype_valid(to) || !dtype_is_float((enum dtype)to))
		return kcall_error(c, E_value, "attribute output_dtype is %lld",
				   (long long)to);
	*y = kcall_out(c, 0, (enum dtype)to, c->in[0]->rank, c->in[0]->dim);
	return *y ? OK : LIMIT;
}

static void dequantize_all(struct kcall *c, const struct grid *g,
			   struct array *y)
{
	const struct array *x = c->in[0], *s = c->in[1];
	const struct array *z = kcall_has(c, 2) ? c->in[2] : NULL;
	size_t at = 0;

	for (int64_t o = 0; o < g->outer; o++)
		for (int64_t i = 0; i < g->n; i++)
			for (int64_t k = 0; k < g->inner; k++, at++) {
				size_t p = (size_t)scale_index(g, o, i, k);

				dtype_set(y->dt, y->data, at,
					  dequantize_one(
						  x->dt, y->dt, x->data, at,
						  dtype_get(s->dt, s->data, p),
						  z, p));
			}
}

enum status k_dequantize_linear(struct kcall *c)
{
	struct array *y;
	struct grid g;
	enum status s = dequantize(c, &g, &y);

	if (s == OK)
		dequantize_all(c, &g, y);
	return s;
}

/* ---- float32 to and from 8 bits, per tensor or axis ---- */

enum { RUN = 4096 }; /* elements of one task */

struct q8_job {
	const struct grid *g;
	const struct qsimd *s;
	const float *scale;
	const struct array *zero;
	const void *x;
	void *y;
	bool is_signed;
	int64_t runs; /* per slice of the axis */
};

static int32_t zero_at(const struct array *z, int64_t p)
{
	return z ? (int32_t)dtype_get_int(z->dt, z->data, (size_t)p) : 0;
}

static void q8_place(const struct q8_job *j, size_t i, int64_t *p, int64_t *at,
		     int64_t *n)
{
	int64_t slice = (int64_t)i / j->runs, run = (int64_t)i % j->runs;

	*p = j->g->kind == PER_AXIS ? slice % j->g->n : 0;
	*at = slice * j->g->inner + run * RUN;
	*n = min64(j->g->inner - run * RUN, RUN);
}

static void quant_task(void *arg, size_t i)
{
	const struct q8_job *j = arg;
	int64_t p, at, n;

	q8_place(j, i, &p, &at, &n);
	j->s->quant((uint8_t *)j->y + at, (const float *)j->x + at, n,
		    j->scale[p], q8_range(j->is_signed, zero_at(j->zero, p)));
}

static void dequant_task(void *arg, size_t i)
{
	const struct q8_job *j = arg;
	int64_t p, at, n;

	q8_place(j, i, &p, &at, &n);
	(j->is_signed ? j->s->dequant_s8 : j->s->dequant_u8)(
		(float *)j->y + at, (const uint8_t *)j->x + at, n, j->scale[p],
		zero_at(j->zero, p));
}

static bool is_8bit(enum dtype t)
{
	return t == DT_U8 || t == DT_I8;
}

static void q8_run(struct kcall *c, const struct grid *g, struct array *y,
		   bool is_signed, void (*task)(void *arg, size_t i))
{
	struct q8_job j = {
		.g = g,
		.s = qsimd(),
		.scale = c->in[1]->data,
		.zero = kcall_has(c, 2) ? c->in[2] : NULL,
		.x = c->in[0]->data,
		.y = y->data,
		.is_signed = is_signed,
		.runs = ceil_div(g->inner, RUN),
	};

	pool_for((size_t)(g->outer * g->n * j.runs), task, &j);
}

enum status k_quantize_linear_f32(struct kcall *c)
{
	struct quantizer q;
	struct array *y;
	struct grid g;
	enum status s = quantize(c, &g, &q, &y);

	if (s != OK)
		return s;
	if (c->in[0]->dt == DT_F32 && c->in[1]->dt == DT_F32 &&
	    q.precision == DT_F32 && is_8bit(q.to) && g.kind != BLOCKED)
		q8_run(c, &g, y, q.to == DT_I8, quant_task);
	else
		quantize_all(c, &g, &q, y);
	return OK;
}

enum status k_dequantize_linear_f32(struct kcall *c)
{
	struct array *y;
	struct grid g;
	enum status s = dequantize(c, &g, &y);

	if (s != OK)
		return s;
	if (is_8bit(c->in[0]->dt) && c->in[1]->dt == DT_F32 &&
	    y->dt == DT_F32 && g.kind != BLOCKED)
		q8_run(c, &g, y, c->in[0]->dt == DT_I8, dequant_task);
	else
		dequantize_all(c, &g, y);
	return OK;
}

/* ---- DynamicQuantizeLinear ---- */

void q8_dynamic(const float *x, int64_t n, uint8_t *y, float *scale,
		int32_t *zero)
{
	const struct qsimd *q = qsimd();
	float lo, hi, z;

	q->minmax(x, n, &lo, &hi);
	*scale = hi > lo ? (hi - lo) / 255.0f : 1.0f;
	z = 0 - lo / *scale;
	z = z > 0 ? z : 0;
	*zero = (int32_t)nearbyintf(z < 255 ? z : 255);
	q->quant(y, x, n, *scale, q8_range(false, *zero));
}

/* Also serves the fast set: float arithmetic as specified, equal bits. */
enum status k_dynamic_quantize_linear(struct kcall *c)
{
	struct array *y, *ys, *yz;
	const struct array *x;
	int32_t zero;
	enum status s = nn_rank(c, 0, 0, KERNEL_MAX_RANK);

	if (s != OK)
		return s;
	x = c->in[0];
	if (x->dt != DT_F32)
		return kcall_error(c, E_type, "input 0 is not float32");
	y = kcall_out(c, 0, DT_U8, x->rank, x->dim);
	ys = kcall_out(c, 1, DT_F32, 0, NULL);
	yz = kcall_out(c, 2, DT_U8, 0, NULL);
	if (!y || !ys || !yz)
		return LIMIT;
	q8_dynamic(x->data, x->n, y->data, ys->data, &zero);
	*(uint8_t *)yz->data = (uint8_t)zero;
	return OK;
}
