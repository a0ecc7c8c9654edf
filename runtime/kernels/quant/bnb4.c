/* SPDX-License-Identifier: MIT */
/*
 * bnb4.c -- the contributed MatMulBnb4: a weight whose elements are one of 16
 * numbers (FP4 or NF4 of Dettmers et al., QLoRA, 2023), times the largest
 * magnitude of their block.  Blocks run along the flattened [N, K] weight.
 */
#include "runtime/kernels/matmul/gemm_p.h"
#include "runtime/kernels/shared/nn_p.h"

#include "base/pool.h"

static const float fp4[16] = {
	0.0f,         5.208333333e-03f,
	0.66666667f,  1.0f,
	0.33333333f,  0.5f,
	0.16666667f,  0.25f,
	0.0f,         -5.208333333e-03f,
	-0.66666667f, -1.0f,
	-0.33333333f, -0.5f,
	-0.16666667f, -0.25f,
};

/* Quantiles of the normal distribution, scaled to [-1, 1]. */
static const float nf4[16] = {
	-1.0f,
	-0.6961928009986877f,
	-0.5250730514526367f,
	-0.39491748809814453f,
	-0.28444138169288635f,
	-0.18477343022823334f,
	-0.09105003625154495f,
	0.0f,
	0.07958029955625534f,
	0.16093020141124725f,
	0.24611230194568634f,
	0.33791524171829224f,
	0.44070982933044434f,
	0.5626170039176941f,
	0.7229568362236023f,
	1.0f,
};

struct bnb4 {
	int64_t m, rows, cols; /* Y [m, rows] = A [m, cols] W' */
	int64_t n, k, block;
	bool trans; /* of the stored [n, k] */
	const float *table;
	const uint8_t *q;
	const struct array *top;
	int rank;
	int64_t dim[KERNEL_MAX_RANK];
};

static enum status weight(struct kcall *c, struct bnb4 *w)
{
	int64_t type = node_attr_int(c->node, "quant_type", 0), count;

	w->n = node_attr_int(c->node, "N", 0);
	w->k = node_attr_int(c->node, "K", 0);
	w->block = node_attr_int(c->node, "block_size", 0);
	if (w->n < 1 || w->k < 1 || !mul_i64(w->n, w->k, &count) ||
	    w->block < 16 || type < 0 || type > 1)
		return kcall_error(c, E_value,
				   "%lld x %lld weights of type %lld in blocks "
				   "of %lld",
				   (long long)w->n, (long long)w->k,
				   (long long)type, (long long)w->block);
	if (c->in[1]->dt != DT_U8 || c->in[1]->n != ceil_div(count, 2) ||
	    c->in[2]->dt != c->in[0]->dt ||
	    c->in[2]->n != ceil_div(count, w->block))
		return kcall_error(c, E_shape, "the weight's data do not fit");
	w->table = type ? nf4 : fp4;
	w->q = c->in[1]->data;
	w->top = c->in[2];
	return OK;
}

static enum status bnb4_init(struct kcall *c, struct bnb4 *w)
{
	const struct array *a = c->in[0];
	int64_t count;
	enum status s = nn_floats(c, 1, 1);

	*w = (struct bnb4){0};
	if (s == OK)
		s = nn_rank(c, 0, 1, KERNEL_MAX_RANK);
	if (s == OK)
		s = weight(c, w);
	if (s != OK)
		return s;
	w->trans = node_attr_int(c->node, "transB", 1) != 0;
	w->rows = w->trans ? w->n : w->k;
	w->cols = w->trans ? w->k : w->n;
	if (a->dim[a->rank - 1] != w->cols)
		return kcall_error(c, E_shape, "A has %lld columns, not %lld",
				   (long long)a->dim[a->rank - 1],
				   (long long)w->cols);
	w->m = nn_product(a->dim, 0, a->rank - 1);
	w->rank = a->rank;
	for (int i = 0; i < a->rank; i++)
		w->dim[i] = i < a->rank - 1 ? a->dim[i] : w->rows;
	return nn_count(w->rank, w->dim, &count)
		       ? OK
		       : kcall_error(c, E_dims, "dimensions overflow");
}

/* Element i of the flattened weight; the first of a byte is its high half. */
static double element(const struct bnb4 *w, int64_t i)
{
	int q = w->q[i / 2] >> (i % 2 ? 0 : 4) & 15;

	return (double)w->table[q] *
	       dtype_get(w->top->dt, w->top->data, (size_t)(i / w->block));
}

static int64_t place(const struct bnb4 *w, int64_t row, int64_t col)
{
	return w->trans ? row * w->k + col : col * w->k + row;
}

enum status k_matmul_bnb4(struct kcall *c)
{
	struct bnb4 w;
	const double *a;
	double *b, *y;
	enum status s = bnb4_init(c, &w);

	if (s != OK)
		return s;
	a = nn_load(c, 0);
	b = nn_temp(c, w.cols);
	y = nn_temp(c, w.m * w.rows);
	if (!a || !b || !y)
		return LIMIT;
	for (int64_t j = 0; j < w.rows; j++) {
		for (int64_t k = 0; k < w.cols; k++)
			b[k] = element(&w, place(&w, j, k));
		for (int64_t i = 0; i < w.m; i++) {
			double sum = 0;

			for (int64_t k = 0; k < w.cols; k++)
				sum += a[i * w.cols + k] * b[k];
			y[i * w.rows + j] = sum;
		}
	}
	return nn_save(c, 0, c->in[0]->dt, w.rank, w.dim, y);
}

/* ---- float32: a panel of 16 columns at a time ---- */

enum { BNB_COLS = 256 };

struct bnb4_job {
	const struct bnb4 *w;
	int64_t j0;
	float *b;
};

static void unpack_task(void *arg, size_t i)
{
	const struct bnb4_job *p = arg;
	const struct bnb4 *w = p->w;
	int64_t j0 = p->j0 + (int64_t)i * GEMM_NR;
	float *b = p->b + (int64_t)i * GEMM_NR * w->cols;

	for (int64_t j = 0; j < GEMM_NR; j++)
		for (int64_t k = 0; k < w->cols; k++)
			b[k * GEMM_NR + j] =
				j0 + j < w->rows
					? (float)element(w, place(w, j0 + j, k))
					: 0;
}

enum status k_matmul_bnb4_f32(struct kcall *c)
{
	struct bnb4 w;
	struct bnb4_job p = {.w = &w};
	struct array *y;
	int64_t floats;
	enum status s = bnb4_init(c, &w);

	if (s != OK)
		return s;
	if (c->in[0]->dt != DT_F32)
		return k_matmul_bnb4(c);
	y = kcall_out(c, 0, DT_F32, w.rank, w.dim);
	if (!y || !mul_i64(w.cols, BNB_COLS, &floats))
		return LIMIT;
	p.b = nn_temp_f32(c, floats);
	if (!p.b)
		return LIMIT;
	for (; y->n > 0 && p.j0 < w.rows; p.j0 += BNB_COLS) {
		struct gemm g = {
			.m = w.m,
			.n = min64(w.rows - p.j0, BNB_COLS),
			.k = w.cols,
			.a = c->in[0]->data,
			.ars = w.cols,
			.acs = 1,
			.alpha = 1,
			.b = p.b,
			.c = (float *)y->data + p.j0,
			.ldc = w.rows,
			.batch = 1,
		};

		pool_for((size_t)ceil_div(g.n, GEMM_NR), unpack_task, &p);
		gemm_run(&g);
	}
	return OK;
}
