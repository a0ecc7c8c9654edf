/* SPDX-License-Identifier: MIT */
/*
 * gemm_kernel.c -- the innermost tiles of the float matrix product.
 *
 * Portable, AVX2 and AVX-512 forms that give equal bits.  A tile is 6 rows by
 * 16 columns: 12 accumulators, 2 vectors of B and 1 broadcast fit the 16
 * registers of AVX2.  AVX-512 runs 2 x 2 tiles at once on the same panels.
 */
#include "runtime/kernels/matmul/gemm_p.h"

#include <math.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "runtime/cpu.h"
#include "runtime/kernels/shared/simd_p.h"

#define ROWS(X) X(1) X(2) X(3) X(4) X(5) X(6)

/* ---- portable ---- */

INLINE const float *row_of_b(const struct gemm_tile *t, int64_t p, bool gather)
{
	return t->b + (gather ? t->boff[p] : p * t->bks);
}

INLINE void tile_portable(const struct gemm_tile *t, int mr, bool gather)
{
	float r[GEMM_MR][GEMM_NR];

	for (int i = 0; i < mr; i++)
		for (int j = 0; j < GEMM_NR; j++)
			r[i][j] = t->init ? t->init[i * t->irs + j * t->ics]
					  : t->c[i * t->ldc + j];
	for (int64_t p = 0; p < t->k; p++) {
		const float *b = row_of_b(t, p, gather);

		for (int i = 0; i < mr; i++) {
			float a = t->a[i * t->ars + p * t->aks];

			for (int j = 0; j < GEMM_NR; j++)
				r[i][j] = fmaf(a, b[j], r[i][j]);
		}
	}
	for (int i = 0; i < mr; i++)
		for (int j = 0; j < GEMM_NR; j++)
			t->c[i * t->ldc + j] = r[i][j];
}

#define PORTABLE(mr)                                                \
	static void direct_portable_##mr(const struct gemm_tile *t) \
	{                                                           \
		tile_portable(t, mr, false);                        \
	}                                                           \
	static void gather_portable_##mr(const struct gemm_tile *t) \
	{                                                           \
		tile_portable(t, mr, true);                         \
	}
ROWS(PORTABLE)

#define ENTRY(name, mr)     [mr] = name##_##mr,
#define DIRECT_PORTABLE(mr) ENTRY(direct_portable, mr)
#define GATHER_PORTABLE(mr) ENTRY(gather_portable, mr)
static const struct gemm_kernels kernels_portable = {
	.direct = {ROWS(DIRECT_PORTABLE)},
	.gather = {ROWS(GATHER_PORTABLE)},
};

#if defined(__x86_64__)

/* ---- what the chains of a row start from: V.. vectors W wide ---- */

#define START_ROW(r, n, t, i, load, set, wide)                              \
	do {                                                                \
		const float *from_ = (t)->init ? (t)->init + (i) * (t)->irs \
					       : (t)->c + (i) * (t)->ldc;   \
		bool one_ = (t)->init && (t)->ics == 0;                     \
                                                                            \
		UNROLL(8)                                                   \
		for (int v_ = 0; v_ < (n); v_++)                            \
			(r)[v_] = one_ ? set(*from_)                        \
				       : load(from_ + v_ * (wide));         \
	} while (0)

/* ---- AVX2 ---- */

#define AVX2 __attribute__((target("avx2,fma")))

AVX2 INLINE void tile_avx2(const struct gemm_tile *t, const int mr,
			   const bool gather)
{
	const float *a = t->a, *b = t->b;
	const int64_t rs = t->ars, ks = t->aks, bks = t->bks, k = t->k;
	const float *a3 = a + 3 * rs;
	__m256 r[GEMM_MR][2];

	UNROLL(6)
	for (int i = 0; i < mr; i++)
		START_ROW(r[i], 2, t, i, _mm256_loadu_ps, _mm256_set1_ps, 8);
	for (int64_t p = 0; p < k; p++) {
		const float *q = gather ? b + t->boff[p] : b;
		__m256 b0 = _mm256_loadu_ps(q), b1 = _mm256_loadu_ps(q + 8);

		UNROLL(6)
		for (int i = 0; i < mr; i++) {
			const float *s = i < 3 ? a + i * rs : a3 + (i - 3) * rs;
			__m256 x = _mm256_broadcast_ss(s);

			r[i][0] = _mm256_fmadd_ps(x, b0, r[i][0]);
			r[i][1] = _mm256_fmadd_ps(x, b1, r[i][1]);
		}
		a += ks;
		a3 += ks;
		b += gather ? 0 : bks;
	}
	UNROLL(6)
	for (int i = 0; i < mr; i++) {
		_mm256_storeu_ps(t->c + i * t->ldc, r[i][0]);
		_mm256_storeu_ps(t->c + i * t->ldc + 8, r[i][1]);
	}
}

#define KERNEL_AVX2(mr)                                              \
	AVX2 static void direct_avx2_##mr(const struct gemm_tile *t) \
	{                                                            \
		tile_avx2(t, mr, false);                             \
	}                                                            \
	AVX2 static void gather_avx2_##mr(const struct gemm_tile *t) \
	{                                                            \
		tile_avx2(t, mr, true);                              \
	}
ROWS(KERNEL_AVX2)

/* One row times four panels: eight chains hide the latency of the FMA. */
AVX2 static void row_avx2(const struct gemm_tile *t, int64_t bps)
{
	const float *b = t->b;
	__m256 r[8];

	START_ROW(r, 8, t, 0, _mm256_loadu_ps, _mm256_set1_ps, 8);
	for (int64_t p = 0; p < t->k; p++) {
		__m256 x = _mm256_broadcast_ss(t->a + p * t->aks);

		UNROLL(8)
		for (int j = 0; j < 8; j++)
			r[j] = _mm256_fmadd_ps(
				x, _mm256_loadu_ps(b + j / 2 * bps + j % 2 * 8),
				r[j]);
		b += t->bks;
	}
	UNROLL(8)
	for (int j = 0; j < 8; j++)
		_mm256_storeu_ps(t->c + 8 * j, r[j]);
}

#define DIRECT_AVX2(mr) ENTRY(direct_avx2, mr)
#define GATHER_AVX2(mr) ENTRY(gather_avx2, mr)
static const struct gemm_kernels kernels_avx2 = {
	.direct = {ROWS(DIRECT_AVX2)},
	.gather = {ROWS(GATHER_AVX2)},
	.row = row_avx2,
};

/* ---- AVX-512 ---- */

#define AVX512 __attribute__((target("avx512f,avx2,fma")))

AVX512 INLINE void quad_avx512(const struct gemm_tile *t, int64_t aps,
			       int64_t bps, const bool gather)
{
	enum { MR = 2 * GEMM_MR };
	const float *a0 = t->a, *a1 = t->a + aps, *b = t->b;
	const int64_t rs = t->ars, ks = t->aks, bks = t->bks;
	__m512 r[MR][2];

	UNROLL(12)
	for (int i = 0; i < MR; i++)
		START_ROW(r[i], 2, t, i, _mm512_loadu_ps, _mm512_set1_ps, 16);
	for (int64_t p = 0; p < t->k; p++) {
		const float *q = gather ? b + t->boff[p] : b;
		__m512 b0 = _mm512_loadu_ps(q), b1 = _mm512_loadu_ps(q + bps);

		UNROLL(12)
		for (int i = 0; i < MR; i++) {
			__m512 x = _mm512_set1_ps(
				i < GEMM_MR ? a0[i * rs] : a1[(i - 6) * rs]);

			r[i][0] = _mm512_fmadd_ps(x, b0, r[i][0]);
			r[i][1] = _mm512_fmadd_ps(x, b1, r[i][1]);
		}
		a0 += ks;
		a1 += ks;
		b += bks;
	}
	UNROLL(12)
	for (int i = 0; i < MR; i++) {
		_mm512_storeu_ps(t->c + i * t->ldc, r[i][0]);
		_mm512_storeu_ps(t->c + i * t->ldc + 16, r[i][1]);
	}
}

AVX512 static void quad_direct(const struct gemm_tile *t, int64_t aps,
			       int64_t bps)
{
	quad_avx512(t, aps, bps, false);
}

AVX512 static void quad_gather(const struct gemm_tile *t, int64_t aps,
			       int64_t bps)
{
	quad_avx512(t, aps, bps, true);
}

static const struct gemm_kernels kernels_avx512 = {
	.direct = {ROWS(DIRECT_AVX2)},
	.gather = {ROWS(GATHER_AVX2)},
	.quad = {quad_direct, quad_gather},
	.row = row_avx2,
};
#endif

const struct gemm_kernels *gemm_kernels(void)
{
#if defined(__x86_64__)
	switch (cpu_level()) {
	case CPU_AVX512:
		return &kernels_avx512;
	case CPU_AVX2:
		return &kernels_avx2;
	default:
		break;
	}
#endif
	return &kernels_portable;
}
