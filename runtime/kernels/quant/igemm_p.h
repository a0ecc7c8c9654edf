/* SPDX-License-Identifier: MIT */
/*
 * igemm_p.h -- products of 8-bit integer matrices, exact in int32 (modulo
 * 2^32).
 *
 * Elements are packed as s16 with their zero point already subtracted, two
 * neighbours in k together, so that one instruction multiplies and adds a
 * pair; nothing saturates.  A: panels of IGEMM_MR rows, [M/6][K/2][6][2]; B:
 * panels of IGEMM_NR columns, [N/16][K/2][16][2]; both padded with zeros.
 */
#ifndef RUNTIME_KERNELS_IGEMM_P_H
#define RUNTIME_KERNELS_IGEMM_P_H

#include "base/util.h"

enum {
	IGEMM_MR = 6,
	IGEMM_NR = 16,
	IGEMM_KC = 512, /* depth of a block, even */
	IGEMM_MC = 96,  /* rows of a block */
};

/* An 8-bit matrix: element (i, j) at p[i * rs + j * cs], minus its zero. */
struct q8_mat {
	const uint8_t *p;
	bool is_signed;
	int64_t rs, cs;
	/* zero[i * zstep] of row i (A) or column i (B). */
	const int32_t *zero;
	int zstep;
};

/* int16s of a packed operand with m rows or columns; false on overflow. */
bool igemm_size(int64_t m, int64_t panel, int64_t k, size_t *n);
void igemm_pack_a(int16_t *dst, const struct q8_mat *a, int64_t m, int64_t k);
void igemm_pack_b(int16_t *dst, const struct q8_mat *b, int64_t k, int64_t n);

/* C[m, n] += A B over `pairs` pairs of k; panels aps and bps int16s apart. */
struct igemm_block {
	int64_t m, n, pairs;
	const int16_t *a, *b;
	int64_t aps, bps;
	int32_t *c;
	int64_t ldc;
};
void igemm_block_run(const struct igemm_block *g);

struct igemm_tile {
	int64_t pairs;
	const int16_t *a, *b;
	int32_t *c;
	int64_t ldc;
};
struct igemm_kernels {
	void (*tile[IGEMM_MR + 1])(const struct igemm_tile *t); /* by rows */
	/* Two by two tiles; NULL: none. */
	void (*quad)(const struct igemm_tile *t, int64_t aps, int64_t bps);
};
const struct igemm_kernels *igemm_kernels(void);

#endif
