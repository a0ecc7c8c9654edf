/* SPDX-License-Identifier: MIT */
/*
 * quant_matmul.c -- MatMulInteger and QLinearMatMul.
 *
 * Sums are exact int32; a result is round(sum * m) + zero with the float
 * m = a_scale b_scale / y_scale.  The zero point of A may go by row, that of B
 * and its scale by column.  The fast set packs and blocks, the reference set
 * adds up one element after the other; both give the same bits.
 */
#include <string.h>

#include "base/pool.h"
#include "runtime/kernels/igemm_p.h"
#include "runtime/kernels/matmul_p.h"
#include "runtime/kernels/qsimd_p.h"
#include "runtime/kernels/quant_p.h"

enum { QCOLS = 256 }; /* columns of a task */

struct qmatmul {
	struct matmul mm;
	struct q8_mat a, b; /* of matrix 0 */
	bool requant;       /* QLinearMatMul */
	uint32_t ja, jb, jbz;
	enum dtype to;
	struct q8_range range;
	float *mult;            /* m x n grid by steps */
	int row_step, col_step; /* 1: scales differ along the axis */
	const int16_t *packed;
	size_t each; /* int16s of one packed matrix of B */
	struct array *y;
};

/* ---- parameters ---- */

static enum status operand(struct kcall *c, uint32_t j, uint32_t jz, int64_t n,
			   int64_t rs, int64_t cs, struct q8_mat *m)
{
	enum status s = q8_tensor(c, j);

	if (s != OK)
		return s;
	m->p = c->in[j]->data;
	m->is_signed = c->in[j]->dt == DT_I8;
	m->rs = rs;
	m->cs = cs;
	return q8_zeros(c, jz, c->in[j]->dt, n, &m->zero, &m->zstep);
}

static enum status operands(struct kcall *c, struct qmatmul *q, uint32_t jaz)
{
	struct matmul *mm = &q->mm;
	enum status s = matmul_init(c, mm, q->ja, q->jb);

	if (s == OK)
		s = operand(c, q->ja, jaz, mm->m, mm->ars, mm->acs, &q->a);
	if (s == OK)
		s = operand(c, q->jb, q->jbz, mm->n, mm->brs, mm->bcs, &q->b);
	return s;
}

static enum status init_integer(struct kcall *c, struct qmatmul *q)
{
	*q = (struct qmatmul){.ja = 0, .jb = 1, .jbz = 3, .to = DT_I32};
	return operands(c, q, 2);
}

/* mult[i * cols + j]: rows if a_scale goes by row, cols if b_scale by
 * column. */
static enum status multipliers(struct kcall *c, struct qmatmul *q)
{
	const float *a, *b;
	int64_t rows, cols;
	float y;
	enum status s = q8_scales(c, 1, q->mm.m, &a, &q->row_step);

	if (s == OK)
		s = q8_scales(c, 4, q->mm.n, &b, &q->col_step);
	if (s == OK)
		s = q8_scale(c, 6, &y);
	if (s != OK)
		return s;
	rows = q->row_step ? q->mm.m : 1;
	cols = q->col_step ? q->mm.n : 1;
	q->mult = nn_temp_f32(c, rows * cols);
	if (!q->mult)
		return LIMIT;
	for (int64_t i = 0; i < rows; i++)
		for (int64_t j = 0; j < cols; j++)
			q->mult[i * cols + j] = a[i] * b[j] / y;
	return OK;
}

static enum status init_linear(struct kcall *c, struct qmatmul *q)
{
	int32_t zero = 0;
	enum status s;

	*q = (struct qmatmul){.ja = 0, .jb = 3, .jbz = 5, .requant = true};
	s = operands(c, q, 2);
	if (s == OK)
		s = q8_tensor(c, 7);
	if (s != OK)
		return s;
	q->to = c->in[7]->dt;
	s = q8_zero(c, 7, q->to, &zero);
	q->range = q8_range(q->to == DT_I8, zero);
	return s == OK ? multipliers(c, q) : s;
}

/* ---- reference ---- */

static int32_t element(const struct qmatmul *q, const uint8_t *a,
		       const uint8_t *b, int64_t i, int64_t j)
{
	int32_t za = q->a.zero[i * q->a.zstep], zb = q->b.zero[j * q->b.zstep];
	uint32_t sum = 0;

	for (int64_t p = 0; p < q->mm.k; p++) {
		int32_t x = a[i * q->a.rs + p * q->a.cs];
		int32_t y = b[p * q->b.rs + j * q->b.cs];

		x = q->a.is_signed ? (int8_t)x : x;
		y = q->b.is_signed ? (int8_t)y : y;
		sum += (uint32_t)((x - za) * (y - zb));
	}
	return (int32_t)sum;
}

/* Stores n sums of row i from column j at element `at` of the result. */
static void store_row(const struct qmatmul *q, const struct qsimd *s,
		      int64_t at, const int32_t *sum, int64_t i, int64_t j,
		      int64_t n)
{
	int64_t cols = q->col_step ? q->mm.n : 1;
	const float *m;

	if (!q->requant) {
		memcpy((int32_t *)q->y->data + at, sum,
		       (size_t)n * sizeof *sum);
		return;
	}
	m = q->mult + i * q->row_step * cols + j * q->col_step;
	s->requant((uint8_t *)q->y->data + at, sum, n, m, q->col_step,
		   q->range);
}

static enum status run_reference(struct kcall *c, struct qmatmul *q)
{
	const struct matmul *mm = &q->mm;

	q->y = kcall_out(c, 0, q->to, mm->rank, mm->dim);
	if (!q->y)
		return LIMIT;
	for (int64_t t = 0; t < mm->batch; t++)
		for (int64_t i = 0; i < mm->m; i++)
			for (int64_t j = 0; j < mm->n; j++) {
				int32_t sum = element(
					q, q->a.p + mm->amat[t] * mm->m * mm->k,
					q->b.p + mm->bmat[t] * mm->k * mm->n, i,
					j);

				store_row(q, &qsimd_portable,
					  (t * mm->m + i) * mm->n + j, &sum, i,
					  j, 1);
			}
	return OK;
}

enum status k_matmul_integer(struct kcall *c)
{
	struct qmatmul q;
	enum status s = init_integer(c, &q);

	return s == OK ? run_reference(c, &q) : s;
}

enum status k_qlinear_matmul(struct kcall *c)
{
	struct qmatmul q;
	enum status s = init_linear(c, &q);

	return s == OK ? run_reference(c, &q) : s;
}

/* ---- fast ---- */

static void pack_all(const struct qmatmul *q, int16_t *dst)
{
	const struct matmul *mm = &q->mm;

	for (int64_t t = 0; t < mm->nb; t++) {
		struct q8_mat b = q->b;

		b.p += t * mm->k * mm->n;
		igemm_pack_b(dst + (size_t)t * q->each, &b, mm->k, mm->n);
	}
}

static void make_integer(struct kcall *c, void *dst)
{
	struct qmatmul q;

	if (init_integer(c, &q) == OK &&
	    igemm_size(q.mm.n, IGEMM_NR, q.mm.k, &q.each))
		pack_all(&q, dst);
}

static void make_linear(struct kcall *c, void *dst)
{
	struct qmatmul q;

	if (init_linear(c, &q) == OK &&
	    igemm_size(q.mm.n, IGEMM_NR, q.mm.k, &q.each))
		pack_all(&q, dst);
}

static const int16_t *packed_b(struct kcall *c, struct qmatmul *q)
{
	size_t total, bytes;
	int16_t *dst;

	if (!igemm_size(q->mm.n, IGEMM_NR, q->mm.k, &q->each) ||
	    !mul_size(q->each, (size_t)q->mm.nb, &total) ||
	    !mul_size(total, sizeof(int16_t), &bytes)) {
		kcall_error(c, E_dims, "matrices are too large");
		return NULL;
	}
	if (kcall_is_const(c, q->jb) &&
	    (!kcall_has(c, q->jbz) || kcall_is_const(c, q->jbz)))
		return kcall_cached(c, bytes ? bytes : 1,
				    q->requant ? make_linear : make_integer);
	dst = nn_scratch(c, (int64_t)bytes, 1);
	if (dst)
		pack_all(q, dst);
	return dst;
}

/* Task: matrix, rows, columns. */
static void block_task(void *arg, size_t task)
{
	const struct qmatmul *q = arg;
	const struct matmul *mm = &q->mm;
	int64_t ntasks = ceil_div(mm->n, QCOLS);
	int64_t mtasks = ceil_div(mm->m, IGEMM_MC);
	int64_t t = (int64_t)task / (mtasks * ntasks);
	int64_t i0 = (int64_t)task / ntasks % mtasks * IGEMM_MC;
	int64_t j0 = (int64_t)task % ntasks * QCOLS;
	int64_t rows = min64(mm->m - i0, IGEMM_MC);
	int64_t cols = min64(mm->n - j0, QCOLS), k2 = (mm->k + 1) / 2 * 2;
	int16_t pack[IGEMM_MC * IGEMM_KC];
	int32_t sum[IGEMM_MC * QCOLS];
	struct q8_mat a = q->a;
	struct igemm_block g = {
		.m = rows,
		.n = cols,
		.a = pack,
		.bps = k2 * IGEMM_NR,
		.c = sum,
		.ldc = QCOLS,
	};
	const int16_t *b = q->packed + (size_t)mm->bmat[t] * q->each + j0 * k2;

	for (int64_t i = 0; i < rows; i++)
		memset(sum + i * QCOLS, 0, (size_t)cols * sizeof *sum);
	a.p += mm->amat[t] * mm->m * mm->k + i0 * a.rs;
	a.zero += i0 * a.zstep;
	for (int64_t p = 0; p < mm->k; p += IGEMM_KC) {
		int64_t kc = min64(mm->k - p, IGEMM_KC);

		igemm_pack_a(pack, &a, rows, kc);
		g.pairs = (kc + 1) / 2;
		g.aps = g.pairs * 2 * IGEMM_MR;
		g.b = b + p * IGEMM_NR;
		igemm_block_run(&g);
		a.p += kc * a.cs;
	}
	for (int64_t i = 0; i < rows; i++)
		store_row(q, qsimd(), (t * mm->m + i0 + i) * mm->n + j0,
			  sum + i * QCOLS, i0 + i, j0, cols);
}

static enum status run_fast(struct kcall *c, struct qmatmul *q)
{
	struct matmul *mm = &q->mm;

	q->y = kcall_out(c, 0, q->to, mm->rank, mm->dim);
	if (!q->y)
		return LIMIT;
	if (q->y->n == 0)
		return OK;
	/* One B for all of A: the batch is just more rows. */
	if (mm->nb == 1 && mm->na == mm->batch && !q->a.zstep && !q->row_step) {
		mm->m *= mm->batch;
		mm->batch = 1;
	}
	q->packed = packed_b(c, q);
	if (!q->packed)
		return LIMIT;
	pool_for((size_t)(mm->batch * ceil_div(mm->m, IGEMM_MC) *
			  ceil_div(mm->n, QCOLS)),
		 block_task, q);
	return OK;
}

enum status k_matmul_integer_fast(struct kcall *c)
{
	struct qmatmul q;
	enum status s = init_integer(c, &q);

	return s == OK ? run_fast(c, &q) : s;
}

enum status k_qlinear_matmul_fast(struct kcall *c)
{
	struct qmatmul q;
	enum status s = init_linear(c, &q);

	return s == OK ? run_fast(c, &q) : s;
}
