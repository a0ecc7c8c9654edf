/* SPDX-License-Identifier: MIT */
/*
 * gemm.c -- blocking, packing and threading of the float matrix product.
 *
 * The loops of Goto and van de Geijn (Anatomy of High-Performance Matrix
 * Multiplication, 2008): a KC x 16 panel of B stays in L1, an MC x KC block
 * of A in L2, and tiles of 6 x 16 run over them.
 */
#include "runtime/kernels/matmul/gemm_p.h"

#include <string.h>

#include "base/pool.h"
#include "runtime/kernels/shared/nn_p.h"

/* ---- packing ---- */

static bool panel_size(int64_t n, int64_t panel, int64_t k, size_t *floats)
{
	int64_t padded, total;

	if (!add_i64(n, panel - 1, &padded) ||
	    !mul_i64(padded / panel * panel, k, &total) ||
	    total > INT64_MAX / 8)
		return false;
	*floats = (size_t)total;
	return true;
}

bool gemm_a_size(int64_t m, int64_t k, size_t *floats)
{
	return panel_size(m, GEMM_MR, k, floats);
}

bool gemm_b_size(int64_t k, int64_t n, size_t *floats)
{
	return panel_size(n, GEMM_NR, k, floats);
}

/* A whole panel of rows that are contiguous in the source. */
static void pack_a_rows(float *dst, const float *src, int64_t rs, int64_t k)
{
	const float *s0 = src, *s1 = s0 + rs, *s2 = s1 + rs, *s3 = s2 + rs;
	const float *s4 = s3 + rs, *s5 = s4 + rs;

	for (int64_t p = 0; p < k; p++, dst += GEMM_MR) {
		dst[0] = s0[p];
		dst[1] = s1[p];
		dst[2] = s2[p];
		dst[3] = s3[p];
		dst[4] = s4[p];
		dst[5] = s5[p];
	}
}

void gemm_pack_a(float *dst, const float *a, int64_t rs, int64_t cs, int64_t m,
		 int64_t k, float alpha)
{
	for (int64_t i = 0; i < m; i += GEMM_MR) {
		const float *src = a + i * rs;
		int rows = (int)min64(m - i, GEMM_MR);

		if (rows == GEMM_MR && cs == 1 && alpha == 1.0f) {
			pack_a_rows(dst, src, rs, k);
			dst += k * GEMM_MR;
			continue;
		}
		for (int64_t p = 0; p < k; p++, dst += GEMM_MR)
			for (int r = 0; r < GEMM_MR; r++)
				dst[r] = r < rows ? src[r * rs + p * cs] * alpha
						  : 0.0f;
	}
}

/* Columns are contiguous in the source: copy rows of 16. */
static void pack_b_rows(float *dst, const float *src, int64_t rs, int64_t k)
{
	for (int64_t p = 0; p < k; p++)
		memcpy(dst + p * GEMM_NR, src + p * rs,
		       GEMM_NR * sizeof(float));
}

/* Rows are contiguous in the source (a transposed B): 16 x 16 squares, so
 * that both sides stay in cache. */
static void pack_b_cols(float *dst, const float *src, int64_t cs, int64_t k)
{
	for (int64_t p0 = 0; p0 < k; p0 += GEMM_NR) {
		int64_t p1 = min64(p0 + GEMM_NR, k);

		for (int j = 0; j < GEMM_NR; j++)
			for (int64_t p = p0; p < p1; p++)
				dst[p * GEMM_NR + j] = src[j * cs + p];
	}
}

static void pack_b_edge(float *dst, const float *src, int64_t rs, int64_t cs,
			int64_t k, int64_t cols)
{
	for (int64_t p = 0; p < k; p++)
		for (int64_t j = 0; j < GEMM_NR; j++)
			dst[p * GEMM_NR + j] =
				j < cols ? src[p * rs + j * cs] : 0.0f;
}

void gemm_pack_b(float *dst, const float *b, int64_t rs, int64_t cs, int64_t k,
		 int64_t n)
{
	for (int64_t j = 0; j < n; j += GEMM_NR, dst += k * GEMM_NR) {
		const float *src = b + j * cs;

		if (j + GEMM_NR > n)
			pack_b_edge(dst, src, rs, cs, k, n - j);
		else if (cs == 1)
			pack_b_rows(dst, src, rs, k);
		else if (rs == 1)
			pack_b_cols(dst, src, cs, k);
		else
			pack_b_edge(dst, src, rs, cs, k, GEMM_NR);
	}
}

/* ---- one block ---- */

/* Where chains that start at zero load from. */
static const float zeros[4 * GEMM_NR];

static struct gemm_tile tile_at(const struct gemm_block *g, int64_t i,
				int64_t j)
{
	struct gemm_tile t = {
		.k = g->k,
		.a = g->a + i / GEMM_MR * g->aps,
		.ars = g->ars,
		.aks = g->aks,
		.b = g->b + j / GEMM_NR * g->bps,
		.bks = g->bks,
		.boff = g->boff,
		.c = g->c + i * g->ldc + j,
		.ldc = g->ldc,
	};

	if (g->start == GEMM_ZERO) {
		t.init = zeros;
	} else if (g->start == GEMM_INIT) {
		t.init = g->init + i * g->irs + j * g->ics;
		t.irs = g->irs;
		t.ics = g->ics;
	}
	return t;
}

/* The tile below. */
static void tile_down(const struct gemm_block *g, struct gemm_tile *t)
{
	t->a += g->aps;
	t->c += GEMM_MR * g->ldc;
	if (t->init)
		t->init += GEMM_MR * t->irs;
}

/* A tile that sticks out on the right, or starts from a spread-out init,
 * goes through a buffer. */
static void tile_edge(gemm_tile_fn *fn, const struct gemm_tile *at,
		      int64_t rows, int64_t cols)
{
	float buf[GEMM_MR * GEMM_NR] = {0};
	struct gemm_tile t = *at;

	for (int64_t r = 0; r < rows; r++)
		for (int64_t q = 0; q < cols; q++)
			buf[r * GEMM_NR + q] =
				t.init ? t.init[r * t.irs + q * t.ics]
				       : t.c[r * t.ldc + q];
	t.c = buf;
	t.ldc = GEMM_NR;
	t.init = NULL;
	fn(&t);
	for (int64_t r = 0; r < rows; r++)
		memcpy(at->c + r * at->ldc, buf + r * GEMM_NR,
		       (size_t)cols * sizeof *buf);
}

/* Rows from i on against the 16 columns at j. */
static void panel_run(const struct gemm_block *g, const struct gemm_kernels *kn,
		      int64_t i, int64_t j)
{
	gemm_tile_fn *const *fn = g->boff ? kn->gather : kn->direct;
	int64_t cols = min64(g->n - j, GEMM_NR);
	struct gemm_tile t = tile_at(g, i, j);
	bool plain = cols == GEMM_NR && t.ics <= 1 && t.ics >= 0;

	for (; i < g->m; i += GEMM_MR) {
		int64_t rows = min64(g->m - i, GEMM_MR);

		if (plain)
			fn[rows](&t);
		else
			tile_edge(fn[rows], &t, rows, cols);
		tile_down(g, &t);
	}
}

/* Two by two tiles while they last, then single ones. */
static void pair_run(const struct gemm_block *g, const struct gemm_kernels *kn,
		     int64_t j)
{
	struct gemm_tile t = tile_at(g, 0, j);
	int64_t i = 0;

	for (; i + 2 * GEMM_MR <= g->m; i += 2 * GEMM_MR) {
		kn->quad[g->boff != NULL](&t, g->aps, g->bps);
		tile_down(g, &t);
		tile_down(g, &t);
	}
	panel_run(g, kn, i, j);
	panel_run(g, kn, i, j + GEMM_NR);
}

/* A single row is bound by the reading of B. */
static int64_t row_run(const struct gemm_block *g,
		       const struct gemm_kernels *kn)
{
	int64_t j = 0;

	for (; j + 4 * GEMM_NR <= g->n; j += 4 * GEMM_NR) {
		struct gemm_tile t = tile_at(g, 0, j);

		kn->row(&t, g->bps);
	}
	return j;
}

void gemm_block_run(const struct gemm_block *g)
{
	const struct gemm_kernels *kn = gemm_kernels();
	bool plain = g->start != GEMM_INIT || g->ics == 0 || g->ics == 1;
	int64_t j = 0;

	if (g->m == 1 && kn->row && !g->boff && plain)
		j = row_run(g, kn);
	while (j < g->n)
		if (kn->quad[0] && plain && g->m >= 2 * GEMM_MR &&
		    j + 2 * GEMM_NR <= g->n) {
			pair_run(g, kn, j);
			j += 2 * GEMM_NR;
		} else {
			panel_run(g, kn, 0, j);
			j += GEMM_NR;
		}
}

/* ---- the whole product ---- */

enum {
	TASK_COLS = 1024, /* columns of one task ... */
	LEAST_COLS = 512, /* fewer, as long as there are few tasks */
	FEW_TASKS = 8,
	PACK_COLS = 96,  /* from here on packing A pays */
	ROW_COLS = 1024, /* columns of a task when there is one row */
};

struct split {
	const struct gemm *g;
	int64_t mstep, nstep, mtasks, ntasks;
};

/* Rows [i0, i1) x columns [j0, j1) of product t on this thread. */
static void part_run(const struct gemm *g, int64_t t, int64_t i0, int64_t i1,
		     int64_t j0, int64_t j1)
{
	float pack[GEMM_MC * GEMM_KC];
	const float *a = g->a + (g->aoff ? g->aoff[t] : 0) + i0 * g->ars;
	bool packs = g->alpha != 1.0f || (g->acs != 1 && i1 - i0 > 1) ||
		     (j1 - j0 >= PACK_COLS && i1 - i0 >= 2 * GEMM_MR);
	int64_t kc = g->m == 1 && !packs && g->k ? g->k : GEMM_KC;
	struct gemm_block blk = {
		.m = i1 - i0,
		.n = j1 - j0,
		.bps = g->k * GEMM_NR,
		.bks = GEMM_NR,
		.c = g->c + (g->coff ? g->coff[t] : 0) + i0 * g->ldc + j0,
		.ldc = g->ldc,
		.start = g->init ? GEMM_INIT : GEMM_ZERO,
		.init = g->init ? g->init + (g->ioff ? g->ioff[t] : 0) +
					  i0 * g->irs + j0 * g->ics
				: NULL,
		.irs = g->irs,
		.ics = g->ics,
	};
	const float *b = g->b + (g->boff ? g->boff[t] : 0) + j0 * g->k;

	for (int64_t p = 0; p < g->k || p == 0; p += kc) {
		blk.k = min64(g->k - p, kc);
		blk.b = b + p * GEMM_NR;
		if (packs) {
			gemm_pack_a(pack, a + p * g->acs, g->ars, g->acs, blk.m,
				    blk.k, g->alpha);
			blk.a = pack;
			blk.aps = blk.k * GEMM_MR;
			blk.ars = 1;
			blk.aks = GEMM_MR;
		} else {
			blk.a = a + p * g->acs;
			blk.aps = GEMM_MR * g->ars;
			blk.ars = g->ars;
			blk.aks = g->acs;
		}
		gemm_block_run(&blk);
		blk.start = GEMM_CONTINUE;
	}
	for (int64_t i = 0; g->tail && g->tail->n && i < i1 - i0; i++)
		tail_run(g->tail, g->c, blk.c - g->c + i * g->ldc, j1 - j0);
}

static void split_task(void *arg, size_t i)
{
	const struct split *s = arg;
	const struct gemm *g = s->g;
	int64_t t = (int64_t)i / (s->mtasks * s->ntasks);
	int64_t r = (int64_t)i % (s->mtasks * s->ntasks);
	int64_t i0 = r / s->ntasks * s->mstep, j0 = r % s->ntasks * s->nstep;

	part_run(g, t, i0, min64(i0 + s->mstep, g->m), j0,
		 min64(j0 + s->nstep, g->n));
}

/* Steps of at most `most`, all of them alike: multiples of `unit`. */
static int64_t even_step(int64_t n, int64_t most, int64_t unit)
{
	int64_t parts = max64(ceil_div(n, most), 1);

	return max64(ceil_div(ceil_div(n, parts), unit) * unit, unit);
}

void gemm_run(const struct gemm *g)
{
	struct split s = {.g = g, .nstep = g->m == 1 ? ROW_COLS : TASK_COLS};

	s.mstep = even_step(g->m, GEMM_MC, GEMM_MR);
	s.mtasks = ceil_div(g->m, s.mstep);
	while (g->m > 1 && s.nstep > LEAST_COLS &&
	       g->batch * s.mtasks * ceil_div(g->n, s.nstep) < FEW_TASKS)
		s.nstep /= 2;
	s.nstep = even_step(g->n, s.nstep, GEMM_NR);
	s.ntasks = ceil_div(g->n, s.nstep);
	pool_for((size_t)(g->batch * s.mtasks * s.ntasks), split_task, &s);
}
