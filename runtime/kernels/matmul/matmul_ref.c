/* SPDX-License-Identifier: MIT */
/*
 * matmul_ref.c -- Gemm and MatMul for every type, by the definition.
 *
 * Floats: sums in double in order of k, one rounding.  Integers: arithmetic
 * modulo 2^bits, as the element type wraps.
 */
#include "runtime/kernels/shared/activate_p.h"
#include "runtime/kernels/matmul/matmul_p.h"

#include <string.h>

/* Rows of y += a row of A times B: j runs inside for contiguous access. */
static void product_f64(const struct matmul *mm, const double *a,
			const double *b, double *y)
{
	memset(y, 0, (size_t)(mm->m * mm->n) * sizeof *y);
	for (int64_t i = 0; i < mm->m; i++)
		for (int64_t p = 0; p < mm->k; p++) {
			double x = a[i * mm->ars + p * mm->acs];
			const double *row = b + p * mm->brs;
			double *out = y + i * mm->n;

			for (int64_t j = 0; j < mm->n; j++)
				out[j] += x * row[j * mm->bcs];
		}
}

static void product_int(const struct matmul *mm, const struct array *a,
			int64_t a0, const struct array *b, int64_t b0,
			uint64_t *y)
{
	memset(y, 0, (size_t)(mm->m * mm->n) * sizeof *y);
	for (int64_t i = 0; i < mm->m; i++)
		for (int64_t p = 0; p < mm->k; p++) {
			uint64_t x = (uint64_t)dtype_get_int(
				a->dt, a->data,
				(size_t)(a0 + i * mm->ars + p * mm->acs));

			for (int64_t j = 0; j < mm->n; j++) {
				size_t at = (size_t)(b0 + p * mm->brs +
						     j * mm->bcs);

				y[i * mm->n + j] +=
					x * (uint64_t)dtype_get_int(
						    b->dt, b->data, at);
			}
		}
}

static bool int_type(enum dtype t)
{
	return dtype_kind(t) == 'i' || dtype_kind(t) == 'u';
}

static enum status check_types(struct kcall *c, uint32_t n)
{
	for (uint32_t j = 0; j < n && j < c->nin; j++) {
		const struct array *a = c->in[j];

		if (!a && j >= 2)
			continue;
		if (!a || a->kind != ARR_TENSOR || a->dt != c->in[0]->dt ||
		    (!dtype_is_float(a->dt) && !int_type(a->dt)))
			return kcall_error(c, E_type,
					   "input %u is not a number tensor of "
					   "input 0's type",
					   j);
	}
	return c->nin >= 2 ? OK : kcall_error(c, E_arity, "inputs missing");
}

static enum status matmul_int(struct kcall *c, const struct matmul *mm,
			      uint64_t *acc, struct array *y)
{
	int64_t mn = mm->m * mm->n;

	for (int64_t t = 0; t < mm->batch; t++) {
		product_int(mm, c->in[0], mm->amat[t] * mm->ast, c->in[1],
			    mm->bmat[t] * mm->bst, acc);
		for (int64_t i = 0; i < mn; i++)
			dtype_set_int(y->dt, y->data, (size_t)(t * mn + i),
				      (int64_t)acc[i]);
	}
	return OK;
}

enum status k_matmul(struct kcall *c)
{
	struct matmul mm;
	const double *a, *b;
	double *acc, alpha = matmul_alpha(c);
	struct array *y;
	enum status s = check_types(c, 2);

	if (s == OK)
		s = matmul_init(c, &mm, 0, 1);
	if (s != OK)
		return s;
	y = kcall_out(c, 0, c->in[0]->dt, mm.rank, mm.dim);
	acc = y ? nn_temp(c, mm.m * mm.n) : NULL;
	if (!acc)
		return LIMIT;
	if (!dtype_is_float(y->dt))
		return matmul_int(c, &mm, (uint64_t *)acc, y);
	a = nn_load(c, 0);
	b = nn_load(c, 1);
	if (!a || !b)
		return LIMIT;
	for (int64_t t = 0; s == OK && t < mm.batch; t++) {
		int64_t n = mm.m * mm.n;

		product_f64(&mm, a + mm.amat[t] * mm.ast,
			    b + mm.bmat[t] * mm.bst, acc);
		for (int64_t i = 0; alpha != 1 && i < n; i++)
			acc[i] *= alpha;
		s = activate_f64(c, 1, &n, acc);
		nn_save_range(y, t * n, n, acc);
	}
	return s;
}

/* The contributed MatMulInteger16: 32 bits, which may wrap. */
enum status k_matmul_integer16(struct kcall *c)
{
	struct matmul mm;
	struct array *y;
	uint64_t *acc;
	bool both = true;
	enum status s;

	for (uint32_t j = 0; j < 2; j++) {
		enum dtype t = c->in[j]->dt;

		if (t != DT_I16 && t != DT_U16)
			return kcall_error(c, E_type, "input %u is of type %s",
					   j, dtype_name(t));
		both = both && t == DT_U16;
	}
	s = matmul_init(c, &mm, 0, 1);
	if (s != OK)
		return s;
	y = kcall_out(c, 0, both ? DT_U32 : DT_I32, mm.rank, mm.dim);
	acc = y ? nn_scratch(c, mm.m * mm.n, sizeof *acc) : NULL;
	return acc ? matmul_int(c, &mm, acc, y) : LIMIT;
}

/* ---- Gemm ---- */

struct gemm_attrs {
	double alpha, beta;
	bool ta, tb;
};

static struct gemm_attrs gemm_attrs(const struct kcall *c)
{
	return (struct gemm_attrs){
		.alpha = node_attr_float(c->node, "alpha", 1),
		.beta = node_attr_float(c->node, "beta", 1),
		.ta = node_attr_int(c->node, "transA", 0) != 0,
		.tb = node_attr_int(c->node, "transB", 0) != 0,
	};
}

/* acc = alpha acc + beta C over doubles. */
static void bias_f64(const struct gemm_attrs *g, const struct matmul *mm,
		     const double *c, int64_t rs, int64_t cs, double *acc)
{
	for (int64_t i = 0; i < mm->m; i++)
		for (int64_t j = 0; j < mm->n; j++) {
			double *v = acc + i * mm->n + j;

			*v = g->alpha * *v +
			     (c ? g->beta * c[i * rs + j * cs] : 0);
		}
}

static uint64_t scale_int(uint64_t v, double by)
{
	if (by == 1)
		return v;
	return by == 0 ? 0 : (uint64_t)(int64_t)((double)(int64_t)v * by);
}

static void bias_int(const struct gemm_attrs *g, const struct matmul *mm,
		     const struct array *c, int64_t rs, int64_t cs,
		     uint64_t *acc, struct array *y)
{
	for (int64_t i = 0; i < mm->m; i++)
		for (int64_t j = 0; j < mm->n; j++) {
			int64_t at = i * mm->n + j;
			uint64_t v = scale_int(acc[at], g->alpha), b = 0;

			if (c)
				b = (uint64_t)dtype_get_int(
					c->dt, c->data,
					(size_t)(i * rs + j * cs));
			dtype_set_int(y->dt, y->data, (size_t)at,
				      (int64_t)(v + scale_int(b, g->beta)));
		}
}

static enum status gemm_float(struct kcall *c, const struct gemm_attrs *g,
			      const struct matmul *mm, int64_t rs, int64_t cs,
			      double *acc, struct array *y)
{
	const double *a = nn_load(c, 0), *b = nn_load(c, 1), *bias = NULL;
	enum status s;

	if (kcall_has(c, 2))
		bias = nn_load(c, 2);
	if (!a || !b || (kcall_has(c, 2) && !bias))
		return LIMIT;
	product_f64(mm, a, b, acc);
	bias_f64(g, mm, bias, rs, cs, acc);
	s = activate_f64(c, 2, mm->dim, acc);
	nn_save_range(y, 0, mm->m * mm->n, acc);
	return s;
}

enum status k_gemm(struct kcall *c)
{
	struct gemm_attrs g = gemm_attrs(c);
	struct matmul mm;
	int64_t rs = 0, cs = 0;
	struct array *y;
	double *acc;
	enum status s = check_types(c, 3);

	if (s == OK)
		s = matmul_init_2d(c, &mm, 0, 1, g.ta, g.tb);
	if (s == OK && kcall_has(c, 2))
		s = gemm_bias(c, 2, mm.m, mm.n, &rs, &cs);
	if (s != OK)
		return s;
	y = kcall_out(c, 0, c->in[0]->dt, 2, mm.dim);
	acc = y ? nn_temp(c, mm.m * mm.n) : NULL;
	if (!acc)
		return LIMIT;
	if (!dtype_is_float(y->dt) && activates(c))
		return kcall_error(c, E_unsupported,
				   "an activation of integers");
	if (dtype_is_float(y->dt))
		return gemm_float(c, &g, &mm, rs, cs, acc, y);
	product_int(&mm, c->in[0], 0, c->in[1], 0, (uint64_t *)acc);
	bias_int(&g, &mm, kcall_has(c, 2) ? c->in[2] : NULL, rs, cs,
		 (uint64_t *)acc, y);
	return OK;
}
