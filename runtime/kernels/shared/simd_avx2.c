/* SPDX-License-Identifier: MIT */
/*
 * simd_avx2.c -- the row operations for AVX2 and FMA.
 */
#include "runtime/kernels/shared/simd_p.h"

#include <stdbool.h>

#if defined(__x86_64__)
#include <immintrin.h>

#define SIMD       __attribute__((target("avx2,fma")))
#define SIMD_TABLE simd_avx2

typedef __m256 vf;

#define vload(p)      _mm256_loadu_ps(p)
#define vstore(p, a)  _mm256_storeu_ps(p, a)
#define vset(a)       _mm256_set1_ps(a)
#define vadd(a, b)    _mm256_add_ps(a, b)
#define vsub(a, b)    _mm256_sub_ps(a, b)
#define vmul(a, b)    _mm256_mul_ps(a, b)
#define vdiv(a, b)    _mm256_div_ps(a, b)
#define vfma(a, b, c) _mm256_fmadd_ps(a, b, c)
#define vmax(a, b)    _mm256_max_ps(a, b)
#define vmin(a, b)    _mm256_min_ps(a, b)

#define SIGN_BIT _mm256_set1_ps(-0.0f)

SIMD INLINE vf vneg(vf a)
{
	return _mm256_xor_ps(a, SIGN_BIT);
}

SIMD INLINE vf vabs(vf a)
{
	return _mm256_andnot_ps(SIGN_BIT, a);
}

/* The magnitude of a with the sign of s. */
SIMD INLINE vf vsign(vf a, vf s)
{
	return _mm256_or_ps(vabs(a), _mm256_and_ps(s, SIGN_BIT));
}

/* a, but 0 where x < lim */
SIMD INLINE vf vzero_lt(vf a, vf x, vf lim)
{
	return _mm256_andnot_ps(_mm256_cmp_ps(x, lim, _CMP_LT_OQ), a);
}

/* x < lim ? a : b */
SIMD INLINE vf vpick_lt(vf x, vf lim, vf a, vf b)
{
	return _mm256_blendv_ps(b, a, _mm256_cmp_ps(x, lim, _CMP_LT_OQ));
}

/* 8 bytes, their low halves, their high halves, as floats. */
SIMD INLINE vf vbytes(const uint8_t *p)
{
	__m128i b = _mm_loadl_epi64((const __m128i *)(const void *)p);

	return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(b));
}

SIMD INLINE vf vlow(const uint8_t *p)
{
	__m128i b = _mm_loadl_epi64((const __m128i *)(const void *)p);

	b = _mm_and_si128(b, _mm_set1_epi8(15));
	return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(b));
}

SIMD INLINE vf vhigh(const uint8_t *p)
{
	__m128i b = _mm_loadl_epi64((const __m128i *)(const void *)p);

	b = _mm_and_si128(_mm_srli_epi16(b, 4), _mm_set1_epi8(15));
	return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(b));
}

/* Elements 0, 2, 4, 6 of a and b in the order that is cheapest. */
SIMD INLINE vf vpairs(vf a, vf b)
{
	return _mm256_shuffle_ps(a, b, 0x88);
}

/* First those of a, then those of b. */
SIMD INLINE vf vinorder(vf a)
{
	__m256d v = _mm256_castps_pd(a);

	return _mm256_castpd_ps(_mm256_permute4x64_pd(v, 0xd8));
}

/* p 2^n in two exact steps, where t = n + 1.5 2^23 */
SIMD INLINE vf vscale2(vf p, vf t)
{
	__m256i bias = _mm256_set1_epi32(127);
	__m256i n = _mm256_sub_epi32(_mm256_castps_si256(t),
				     _mm256_set1_epi32(0x4b400000));
	__m256i h = _mm256_srai_epi32(n, 1), l = _mm256_sub_epi32(n, h);

	h = _mm256_slli_epi32(_mm256_add_epi32(h, bias), 23);
	l = _mm256_slli_epi32(_mm256_add_epi32(l, bias), 23);
	return _mm256_mul_ps(_mm256_mul_ps(p, _mm256_castsi256_ps(h)),
			     _mm256_castsi256_ps(l));
}

#include "runtime/kernels/shared/simd_body.h"
#endif
