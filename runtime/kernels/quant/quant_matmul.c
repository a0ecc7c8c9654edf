/* SPDX-License-Identifier: MIT */
/*
 * quant_matmul.c -- products of 8-bit matrices.
 *
 * The fast set packs and blocks, the reference set adds up one element after
 * the other; both give the same bits.
 */
#include <string.h>

#include "base/pool.h"
#include "runtime/kernels/quant/quant_matmul_p.h"

enum { QCOLS = 256 }; /* columns of a task */

/* ---- reference ---- */

static int32_t element(const struct qmatmul *q, const uint8_t *a,
		       const uint8_t *b, int64_t i, int64_t j)
{
	int32_t za = q->a.zero[i * q->a.zstep], zb = q->b.zero[j * q->b.zstep];
	uint32_t sum =
		q->bias ? (uint32_t)q->bias[i * q->bias_rs + j * q->bias_cs]
			: 0;

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
	float *y;

	if (q->to == DT_I32) {
		memcpy((int32_t *)q->y->data + at, sum,
		       (size_t)n * sizeof *sum);
		return;
	}
	m = q->mult + i * q->row_step * cols + j * q->col_step;
	if (q->to != DT_F32) {
		s->requant((uint8_t *)q->y->data + at, sum, n, m, q->col_step,
			   q->range);
		return;
	}
	y = (float *)q->y->data + at;
	for (int64_t k = 0; k < n; k++)
		y[k] = (float)sum[k] * m[k * q->col_step] +
		       (q->fbias ? q->fbias[j + k] : 0.0f);
}

static void run_reference(const struct qmatmul *q)
{
	const struct matmul *mm = &q->mm;

	for (int64_t t = 0; t < mm->batch; t++)
		for (int64_t i = 0; i < mm->m; i++)
			for (int64_t j = 0; j < mm->n; j++) {
				int32_t sum = element(
					q, q->a.p + mm->amat[t] * mm->ast,
					q->b.p + mm->bmat[t] * mm->bst, i, j);

				store_row(q, &qsimd_portable,
					  (t * mm->m + i) * mm->n + j, &sum, i,
					  j, 1);
			}
}

static enum status make_result(struct kcall *c, struct qmatmul *q)
{
	q->y = kcall_out(c, 0, q->to, q->mm.rank, q->mm.dim);
	return q->y ? OK : LIMIT;
}

enum status k_qmatmul(struct kcall *c)
{
	struct qmatmul q;
	enum status s;

	if (qmatmul_is_any(c))
		return qmatmul_any(c);
	s = qmatmul_init(c, &q);
	if (s == OK)
		s = make_result(c, &q);
	if (s == OK)
		run_reference(&q);
	return s;
}

/* ---- fast ---- */

static void pack_all(const struct qmatmul *q, int16_t *dst)
{
	const struct matmul *mm = &q->mm;

	for (int64_t t = 0; t < mm->nb; t++) {
		struct q8_mat b = q->b;

		b.p += t * mm->bst;
		igemm_pack_b(dst + (size_t)t * q->each, &b, mm->k, mm->n);
	}
}

static void make_packed(struct kcall *c, void *dst)
{
	struct qmatmul q;

	if (qmatmul_init(c, &q) == OK &&
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
		return kcall_cached(c, bytes ? bytes : 1, make_packed);
	dst = nn_scratch(c, (int64_t)bytes, 1);
	if (dst)
		pack_all(q, dst);
	return dst;
}

static void start_row(const struct qmatmul *q, int64_t i, int64_t j, int64_t n,
		      int32_t *sum)
{
	const int32_t *b = q->bias;

	if (!b) {
		memset(sum, 0, (size_t)n * sizeof *sum);
		return;
	}
	b += i * q->bias_rs + j * q->bias_cs;
	for (int64_t k = 0; k < n; k++)
		sum[k] = b[k * q->bias_cs];
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
		start_row(q, i0 + i, j0, cols, sum + i * QCOLS);
	a.p += mm->amat[t] * mm->ast + i0 * a.rs;
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

	if (mm->batch == 0 || mm->m == 0 || mm->n == 0)
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

enum status k_qmatmul_fast(struct kcall *c)
{
	struct qmatmul q;
	enum status s;

	if (qmatmul_is_any(c))
		return qmatmul_any(c);
	s = qmatmul_init(c, &q);
	if (s == OK)
		s = make_result(c, &q);
	return s == OK ? run_fast(c, &q) : s;
}

enum status qmatmul_floats(struct kcall *c, struct qmatmul *q, bool fast,
			   float *y)
{
	struct array into = {.data = y};
	enum status s = OK;

	q->y = &into;
	if (fast)
		s = run_fast(c, q);
	else
		run_reference(q);
	return s;
}
