/* SPDX-License-Identifier: MIT */
/*
 * igemm.c -- packing and blocking of the integer product.
 */
#include "runtime/kernels/quant/igemm_p.h"

#include <string.h>

#include "runtime/kernels/shared/nn_p.h"
#include "runtime/kernels/quant/qsimd_p.h"

bool igemm_size(int64_t m, int64_t panel, int64_t k, size_t *n)
{
	int64_t rows, total;

	if (!add_i64(m, panel - 1, &rows) || k > INT64_MAX - 1 ||
	    !mul_i64(rows / panel * panel, (k + 1) / 2 * 2, &total) ||
	    total > INT64_MAX / 8)
		return false;
	*n = (size_t)total;
	return true;
}

static int16_t centred(const struct q8_mat *m, int64_t at, int32_t zero)
{
	int32_t v = m->is_signed ? (int8_t)m->p[at] : m->p[at];

	return (int16_t)(v - zero);
}

void igemm_pack_a(int16_t *dst, const struct q8_mat *a, int64_t m, int64_t k)
{
	int64_t each = IGEMM_MR * ((k + 1) / 2 * 2);

	for (int64_t i0 = 0; i0 < m; i0 += IGEMM_MR, dst += each) {
		int64_t rows = min64(m - i0, IGEMM_MR);

		memset(dst, 0, (size_t)each * sizeof *dst);
		for (int64_t i = 0; i < rows; i++) {
			int32_t zero = a->zero[(i0 + i) * a->zstep];

			for (int64_t p = 0; p < k; p++)
				dst[(p / 2 * IGEMM_MR + i) * 2 + p % 2] =
					centred(a, (i0 + i) * a->rs + p * a->cs,
						zero);
		}
	}
}

/* 16 columns next to each other: two rows of k at a time. */
static void pack_b_fast(int16_t *dst, const struct q8_mat *b, int64_t j,
			int64_t k)
{
	const struct qsimd *q = qsimd();
	const uint8_t *src = b->p + j;
	int32_t zero = b->zero[0];

	for (int64_t p = 0; p + 1 < k; p += 2, dst += 2 * IGEMM_NR)
		(b->is_signed ? q->pair_s8 : q->pair_u8)(
			dst, src + p * b->rs, src + (p + 1) * b->rs, zero);
	if (k % 2 == 0)
		return;
	for (int c = 0; c < IGEMM_NR; c++) {
		dst[2 * c] = centred(b, (k - 1) * b->rs + j + c, zero);
		dst[2 * c + 1] = 0;
	}
}

void igemm_pack_b(int16_t *dst, const struct q8_mat *b, int64_t k, int64_t n)
{
	int64_t each = IGEMM_NR * ((k + 1) / 2 * 2);

	for (int64_t j0 = 0; j0 < n; j0 += IGEMM_NR, dst += each) {
		int64_t cols = min64(n - j0, IGEMM_NR);

		if (cols == IGEMM_NR && b->cs == 1 && b->zstep == 0) {
			pack_b_fast(dst, b, j0, k);
			continue;
		}
		memset(dst, 0, (size_t)each * sizeof *dst);
		for (int64_t p = 0; p < k; p++)
			for (int64_t j = 0; j < cols; j++)
				dst[(p / 2 * IGEMM_NR + j) * 2 + p % 2] =
					centred(b, p * b->rs + (j0 + j) * b->cs,
						b->zero[(j0 + j) * b->zstep]);
	}
}

static struct igemm_tile tile_at(const struct igemm_block *g, int64_t i,
				 int64_t j)
{
	return (struct igemm_tile){
		.pairs = g->pairs,
		.a = g->a + i / IGEMM_MR * g->aps,
		.b = g->b + j / IGEMM_NR * g->bps,
		.c = g->c + i * g->ldc + j,
		.ldc = g->ldc,
	};
}

static void tile_edge(const struct igemm_block *g,
		      const struct igemm_kernels *kn, struct igemm_tile *t,
		      int64_t rows, int64_t cols)
{
	int32_t buf[IGEMM_MR * IGEMM_NR] = {0}, *c = t->c;
	size_t bytes = (size_t)cols * sizeof *c;

	for (int64_t r = 0; r < rows; r++)
		memcpy(buf + r * IGEMM_NR, c + r * g->ldc, bytes);
	t->c = buf;
	t->ldc = IGEMM_NR;
	kn->tile[rows](t);
	for (int64_t r = 0; r < rows; r++)
		memcpy(c + r * g->ldc, buf + r * IGEMM_NR, bytes);
}

static void panel_run(const struct igemm_block *g,
		      const struct igemm_kernels *kn, int64_t i, int64_t j)
{
	for (; i < g->m; i += IGEMM_MR) {
		int64_t rows = min64(g->m - i, IGEMM_MR);
		struct igemm_tile t = tile_at(g, i, j);

		if (j + IGEMM_NR > g->n)
			tile_edge(g, kn, &t, rows, g->n - j);
		else
			kn->tile[rows](&t);
	}
}

void igemm_block_run(const struct igemm_block *g)
{
	const struct igemm_kernels *kn = igemm_kernels();
	int64_t j = 0;

	for (; kn->quad && j + 2 * IGEMM_NR <= g->n; j += 2 * IGEMM_NR) {
		int64_t i = 0;

		for (; i + 2 * IGEMM_MR <= g->m; i += 2 * IGEMM_MR) {
			struct igemm_tile t = tile_at(g, i, j);

			kn->quad(&t, g->aps, g->bps);
		}
		panel_run(g, kn, i, j);
		panel_run(g, kn, i, j + IGEMM_NR);
	}
	for (; j < g->n; j += IGEMM_NR)
		panel_run(g, kn, 0, j);
}
