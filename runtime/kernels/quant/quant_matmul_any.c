/* SPDX-License-Identifier: MIT */
/*
 * quant_matmul_any.c -- QLinearMatMul beyond 8-bit integers with one scale or
 * one per row: float8, and scales that go by matrix, too.  In double.
 */
#include <math.h>

#include "runtime/kernels/quant/quant_matmul_p.h"

/* Scales and zero points of one operand. */
struct param {
	const struct array *scale, *zero;
	int64_t vec, mat; /* elements from one vector, one matrix to the next */
};

static bool is_8bit(const struct array *a)
{
	return a->kind == ARR_TENSOR && dtype_bits(a->dt) == 8 &&
	       a->dt != DT_BOOL;
}

/* Inputs j (scale) and j + 1 (zero point of type dt): one, one per vector, or
 * one per vector of each matrix. */
static enum status param_init(struct kcall *c, struct param *p, uint32_t j,
			      enum dtype dt, int64_t vectors, int64_t matrices)
{
	const struct array *s = c->in[j], *z = c->in[j + 1];

	if (!dtype_is_float(s->dt) || z->dt != dt)
		return kcall_error(c, E_type,
				   "scale and zero point are of type %s and %s",
				   dtype_name(s->dt), dtype_name(z->dt));
	if (s->n != z->n ||
	    (s->n != 1 && s->n != vectors && s->n != vectors * matrices))
		return kcall_error(c, E_shape,
				   "%lld scales and %lld zero points for %lld "
				   "vectors",
				   (long long)s->n, (long long)z->n,
				   (long long)vectors);
	*p = (struct param){.scale = s, .zero = z, .vec = s->n != 1};
	if (s->n != 1 && s->n == vectors * matrices)
		p->mat = vectors;
	return OK;
}

static double param_scale(const struct param *p, int64_t mat, int64_t vec)
{
	return dtype_get(p->scale->dt, p->scale->data,
			 (size_t)(mat * p->mat + vec * p->vec));
}

static double param_zero(const struct param *p, int64_t mat, int64_t vec)
{
	return dtype_get(p->zero->dt, p->zero->data,
			 (size_t)(mat * p->mat + vec * p->vec));
}

static double clamp_to(enum dtype dt, double v, double zero)
{
	double lo = dt == DT_U8 ? 0 : -128, hi = dt == DT_U8 ? 255 : 127;

	if (dtype_is_float(dt))
		return v + zero;
	v = nearbyint(v) + zero;
	return v > lo ? v < hi ? v : hi : lo;
}

static void product(const struct matmul *mm, const struct param *p, int64_t t,
		    const double *a, const double *b, struct array *y)
{
	double sy = param_scale(&p[2], 0, 0), zy = param_zero(&p[2], 0, 0);

	a += mm->amat[t] * mm->ast;
	b += mm->bmat[t] * mm->bst;
	for (int64_t i = 0; i < mm->m; i++)
		for (int64_t j = 0; j < mm->n; j++) {
			double za = param_zero(&p[0], mm->amat[t], i);
			double zb = param_zero(&p[1], mm->bmat[t], j), sum = 0;

			for (int64_t k = 0; k < mm->k; k++)
				sum += (a[i * mm->ars + k * mm->acs] - za) *
				       (b[k * mm->brs + j * mm->bcs] - zb);
			sum *= param_scale(&p[0], mm->amat[t], i) *
			       param_scale(&p[1], mm->bmat[t], j) / sy;
			dtype_set(y->dt, y->data,
				  (size_t)((t * mm->m + i) * mm->n + j),
				  clamp_to(y->dt, sum, zy));
		}
}

bool qmatmul_is_any(const struct kcall *c)
{
	if (!node_is(c->node, OP_QLinearMatMul))
		return false;
	return dtype_is_float(c->in[0]->dt) || dtype_is_float(c->in[3]->dt) ||
	       dtype_is_float(c->in[7]->dt) || c->in[1]->rank > 2 ||
	       c->in[4]->rank > 2;
}

enum status qmatmul_any(struct kcall *c)
{
	struct param p[3];
	struct matmul mm;
	const double *a, *b;
	struct array *y;
	enum status s = OK;

	for (uint32_t j = 0; j < 8; j++)
		if ((j == 0 || j == 3 || j == 7) && !is_8bit(c->in[j]))
			return kcall_error(c, E_type,
					   "input %u is not of 8 bits", j);
	s = matmul_init(c, &mm, 0, 3);
	if (s == OK)
		s = param_init(c, &p[0], 1, c->in[0]->dt, mm.m, mm.na);
	if (s == OK)
		s = param_init(c, &p[1], 4, c->in[3]->dt, mm.n, mm.nb);
	if (s == OK)
		s = param_init(c, &p[2], 6, c->in[7]->dt, 1, 1);
	if (s != OK)
		return s;
	a = nn_load(c, 0);
	b = nn_load(c, 3);
	y = kcall_out(c, 0, c->in[7]->dt, mm.rank, mm.dim);
	if (!a || !b || !y)
		return LIMIT;
	for (int64_t t = 0; y->n > 0 && t < mm.batch; t++)
		product(&mm, p, t, a, b, y);
	return OK;
}
