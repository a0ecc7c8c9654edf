/* SPDX-License-Identifier: MIT */
/*
 * gemm_p.h -- float matrix products, C = A B + init, for the fast kernels.
 *
 * Every element of C is one chain of fused multiply-adds in order of k that
 * starts at its init value.  Blocks along k continue the chain by loading C,
 * vectors run across columns and threads split tiles, so neither the
 * instruction set nor a blocking decision shows in the result.
 *
 * Packed forms do not depend on the machine: A as panels of GEMM_MR rows,
 * [M/6][K][6], B as panels of GEMM_NR columns, [N/16][K][16], both padded
 * with zeros.
 */
#ifndef RUNTIME_KERNELS_GEMM_P_H
#define RUNTIME_KERNELS_GEMM_P_H

#include "runtime/kernels/shared/tail_p.h"

enum {
	GEMM_MR = 6,
	GEMM_NR = 16,
	GEMM_KC =
		320,  /* a 16-column panel of this depth leaves L1 room for A */
	GEMM_MC = 96, /* rows of A that stay in L2 next to it */
};

/* What a chain starts from. */
enum gemm_start {
	GEMM_CONTINUE, /* the value in C */
	GEMM_ZERO,
	GEMM_INIT, /* init[i * irs + j * ics] */
};

/*
 * One block: rows [0, m), columns [0, n), depth k.
 *
 * Element (i, p) of A is a[i/6 * aps + i%6 * ars + p * aks].
 * Element (p, j) of B is b[j/16 * bps + (boff ? boff[p] : p * bks) + j%16];
 * 16 floats are read there, also when j%16 is the last column.
 * Unpacked forms are the same thing with other strides.
 */
struct gemm_block {
	int64_t m, n, k;
	const float *a;
	int64_t aps, ars, aks;
	const float *b;
	int64_t bps, bks;
	const int64_t *boff;
	float *c;
	int64_t ldc;
	enum gemm_start start;
	const float *init;
	int64_t irs, ics;
};

void gemm_block_run(const struct gemm_block *g);

/* The tile of at most 6 rows below gemm_block_run: always 16 columns. */
struct gemm_tile {
	int64_t k;
	const float *a;
	int64_t ars, aks;
	const float *b;
	int64_t bks;
	const int64_t *boff;
	float *c;
	int64_t ldc;
	/* Chains start at C (NULL), or at init[i * irs + j * ics], where ics
	 * is 0 or 1. */
	const float *init;
	int64_t irs, ics;
};
typedef void gemm_tile_fn(const struct gemm_tile *t);
/* Kernels for rows 1..6 at the level in force, fn[0] unused. */
struct gemm_kernels {
	gemm_tile_fn *direct[GEMM_MR + 1]; /* B by bks */
	gemm_tile_fn *gather[GEMM_MR + 1]; /* B by boff */
	/* Two by two tiles at once (12 rows, 32 columns), B by bks or by boff;
	 * NULL: none. */
	void (*quad[2])(const struct gemm_tile *t, int64_t aps, int64_t bps);
	/* One row times 64 columns: four panels at once. */
	void (*row)(const struct gemm_tile *t, int64_t bps);
};
const struct gemm_kernels *gemm_kernels(void);

/* Floats of a packed operand; false on overflow. */
bool gemm_a_size(int64_t m, int64_t k, size_t *floats);
bool gemm_b_size(int64_t k, int64_t n, size_t *floats);
/* Element (i, p) of the source is a[i * rs + p * cs]; times alpha. */
void gemm_pack_a(float *dst, const float *a, int64_t rs, int64_t cs, int64_t m,
		 int64_t k, float alpha);
void gemm_pack_b(float *dst, const float *b, int64_t rs, int64_t cs, int64_t k,
		 int64_t n);

/* A whole product with B packed; A row-major or packed; runs on the pool. */
struct gemm {
	int64_t m, n, k;
	const float *a; /* element (i, p) at i * ars + p * acs */
	int64_t ars, acs;
	float alpha;    /* applied to A */
	const float *b; /* gemm_pack_b form */
	float *c;
	int64_t ldc;
	const float *init; /* NULL: zero; strides may be 0 */
	int64_t irs, ics;
	int64_t batch; /* independent products, at least 1 */
	/* Where product t begins, in floats; NULL: all at 0. */
	const int64_t *aoff, *boff, *coff, *ioff;
	const struct tail *tail; /* on what begins at c; NULL: none */
};
void gemm_run(const struct gemm *g);

#endif
