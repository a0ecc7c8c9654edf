/* SPDX-License-Identifier: MIT */
/*
 * igemm_kernel.c -- the innermost tiles of the integer product: portable,
 * AVX2 (vpmaddwd), AVX-512 with VNNI (vpdpwssd).  All are exact.
 */
#include "runtime/kernels/quant/igemm_p.h"

#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "runtime/cpu.h"
#include "runtime/kernels/shared/simd_p.h"

#define ROWS(X) X(1) X(2) X(3) X(4) X(5) X(6)

INLINE void tile_portable(const struct igemm_tile *t, int mr)
{
	for (int i = 0; i < mr; i++) {
		uint32_t r[IGEMM_NR];
		const int16_t *b = t->b;

		memcpy(r, t->c + i * t->ldc, sizeof r);
		for (int64_t p = 0; p < t->pairs; p++) {
			const int16_t *a = t->a + (p * IGEMM_MR + i) * 2;

			for (int j = 0; j < IGEMM_NR; j++, b += 2)
				r[j] += (uint32_t)(a[0] * b[0] + a[1] * b[1]);
		}
		memcpy(t->c + i * t->ldc, r, sizeof r);
	}
}

#define PORTABLE(mr)                                          \
	static void portable_##mr(const struct igemm_tile *t) \
	{                                                     \
		tile_portable(t, mr);                         \
	}
ROWS(PORTABLE)

#define PORTABLE_ENTRY(mr) [mr] = portable_##mr,
static const struct igemm_kernels kernels_portable = {
	.tile = {ROWS(PORTABLE_ENTRY)},
};

#if defined(__x86_64__)

#define AVX2 __attribute__((target("avx2")))

/* gcc 12 would move the products ahead of the sums and run out of registers:
 * the empty asm keeps them in place. */
#define PIN(a, b) __asm__("" : "+x"(a), "+x"(b))

AVX2 INLINE __m256i load8(const void *p)
{
	return _mm256_loadu_si256(p);
}

AVX2 INLINE void tile_avx2(const struct igemm_tile *t, const int mr)
{
	const int16_t *a = t->a, *b = t->b;
	__m256i r[IGEMM_MR][2];

	UNROLL(6)
	for (int i = 0; i < mr; i++) {
		r[i][0] = load8(t->c + i * t->ldc);
		r[i][1] = load8(t->c + i * t->ldc + 8);
	}
	for (int64_t p = 0; p < t->pairs; p++) {
		__m256i b0 = load8(b), b1 = load8(b + 16);

		UNROLL(6)
		for (int i = 0; i < mr; i++) {
			__m256i x = _mm256_castps_si256(_mm256_broadcast_ss(
				(const float *)(const void *)(a + 2 * i)));

			r[i][0] = _mm256_add_epi32(r[i][0],
						   _mm256_madd_epi16(x, b0));
			r[i][1] = _mm256_add_epi32(r[i][1],
						   _mm256_madd_epi16(x, b1));
			PIN(r[i][0], r[i][1]);
		}
		a += 2 * IGEMM_MR;
		b += 2 * IGEMM_NR;
	}
	UNROLL(6)
	for (int i = 0; i < mr; i++) {
		void *c = t->c + i * t->ldc;

		_mm256_storeu_si256(c, r[i][0]);
		_mm256_storeu_si256((__m256i *)c + 1, r[i][1]);
	}
}

#define KERNEL_AVX2(mr)                                        \
	AVX2 static void avx2_##mr(const struct igemm_tile *t) \
	{                                                      \
		tile_avx2(t, mr);                              \
	}
ROWS(KERNEL_AVX2)

#define AVX2_ENTRY(mr) [mr] = avx2_##mr,
static const struct igemm_kernels kernels_avx2 = {
	.tile = {ROWS(AVX2_ENTRY)},
};

#define VNNI __attribute__((target("avx512f,avx512bw,avx512vnni")))

VNNI static void quad_vnni(const struct igemm_tile *t, int64_t aps, int64_t bps)
{
	enum { MR = 2 * IGEMM_MR };
	const int16_t *a0 = t->a, *a1 = t->a + aps, *b = t->b;
	__m512i r[MR][2];

	UNROLL(12)
	for (int i = 0; i < MR; i++) {
		r[i][0] = _mm512_loadu_si512(t->c + i * t->ldc);
		r[i][1] = _mm512_loadu_si512(t->c + i * t->ldc + 16);
	}
	for (int64_t p = 0; p < t->pairs; p++) {
		__m512i b0 = _mm512_loadu_si512(b);
		__m512i b1 = _mm512_loadu_si512(b + bps);

		UNROLL(12)
		for (int i = 0; i < MR; i++) {
			int32_t pair;
			__m512i x;

			memcpy(&pair,
			       i < IGEMM_MR ? a0 + 2 * i
					    : a1 + 2 * (i - IGEMM_MR),
			       sizeof pair);
			x = _mm512_set1_epi32(pair);
			r[i][0] = _mm512_dpwssd_epi32(r[i][0], x, b0);
			r[i][1] = _mm512_dpwssd_epi32(r[i][1], x, b1);
		}
		a0 += 2 * IGEMM_MR;
		a1 += 2 * IGEMM_MR;
		b += 2 * IGEMM_NR;
	}
	UNROLL(12)
	for (int i = 0; i < MR; i++) {
		_mm512_storeu_si512(t->c + i * t->ldc, r[i][0]);
		_mm512_storeu_si512(t->c + i * t->ldc + 16, r[i][1]);
	}
}

static const struct igemm_kernels kernels_vnni = {
	.tile = {ROWS(AVX2_ENTRY)},
	.quad = quad_vnni,
};
#endif

const struct igemm_kernels *igemm_kernels(void)
{
#if defined(__x86_64__)
	if (cpu_has_vnni())
		return &kernels_vnni;
	if (cpu_level() >= CPU_AVX2)
		return &kernels_avx2;
#endif
	return &kernels_portable;
}
