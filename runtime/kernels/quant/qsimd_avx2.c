/* SPDX-License-Identifier: MIT */
/*
 * qsimd_avx2.c -- the 8-bit row operations for AVX2.
 */
#include "runtime/kernels/quant/qsimd_p.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "runtime/kernels/shared/simd_p.h"

#define AVX2 __attribute__((target("avx2,fma")))

/* Eight floats to 32-bit integers in range, zero added. */
AVX2 INLINE __m256i to_range8(__m256 v, __m256 lo, __m256 hi, __m256i zero)
{
	v = _mm256_min_ps(_mm256_max_ps(v, lo), hi);
	return _mm256_add_epi32(_mm256_cvtps_epi32(v), zero);
}

/* The low bytes of 32 integers, in order. */
AVX2 INLINE void store_low32(uint8_t *y, const __m256i v[4])
{
	const __m256i mask = _mm256_set1_epi32(255);
	__m256i a = _mm256_packus_epi32(_mm256_and_si256(v[0], mask),
					_mm256_and_si256(v[1], mask));
	__m256i b = _mm256_packus_epi32(_mm256_and_si256(v[2], mask),
					_mm256_and_si256(v[3], mask));
	__m256i c = _mm256_packus_epi16(a, b);

	c = _mm256_permutevar8x32_epi32(
		c, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
	_mm256_storeu_si256((__m256i *)(void *)y, c);
}

/* The low bytes of 8 integers. */
AVX2 INLINE void store_low8(uint8_t *y, __m256i v)
{
	v = _mm256_and_si256(v, _mm256_set1_epi32(255));
	v = _mm256_packus_epi32(v, v);
	v = _mm256_packus_epi16(v, v);
	v = _mm256_permutevar8x32_epi32(
		v, _mm256_setr_epi32(0, 4, 0, 0, 0, 0, 0, 0));
	_mm_storel_epi64((__m128i *)(void *)y, _mm256_castsi256_si128(v));
}

AVX2 static void requant(uint8_t *y, const int32_t *acc, int64_t n,
			 const float *m, int step, struct q8_range r)
{
	__m256 lo = _mm256_set1_ps(r.lo), hi = _mm256_set1_ps(r.hi);
	__m256i zero = _mm256_set1_epi32(r.zero), v[4];
	int64_t i = 0;

	for (; i + 32 <= n; i += 32) {
		UNROLL(4)
		for (int k = 0; k < 4; k++) {
			const void *p = acc + i + 8 * k;
			__m256 a = _mm256_cvtepi32_ps(
				_mm256_loadu_si256((const __m256i *)p));
			__m256 s = step ? _mm256_loadu_ps(m + i + 8 * k)
					: _mm256_set1_ps(*m);

			v[k] = to_range8(_mm256_mul_ps(a, s), lo, hi, zero);
		}
		store_low32(y + i, v);
	}
	for (; i + 8 <= n; i += 8) {
		__m256 a = _mm256_cvtepi32_ps(_mm256_loadu_si256(
			(const __m256i *)(const void *)(acc + i)));
		__m256 s = step ? _mm256_loadu_ps(m + i) : _mm256_set1_ps(*m);

		store_low8(y + i, to_range8(_mm256_mul_ps(a, s), lo, hi, zero));
	}
	if (i < n)
		qsimd_portable.requant(y + i, acc + i, n - i, m + i * step,
				       step, r);
}

AVX2 static void quant(uint8_t *y, const float *x, int64_t n, float scale,
		       struct q8_range r)
{
	__m256 lo = _mm256_set1_ps(r.lo), hi = _mm256_set1_ps(r.hi);
	__m256 s = _mm256_set1_ps(scale);
	__m256i zero = _mm256_set1_epi32(r.zero), v[4];
	int64_t i = 0;

	for (; i + 32 <= n; i += 32) {
		UNROLL(4)
		for (int k = 0; k < 4; k++)
			v[k] = to_range8(
				_mm256_div_ps(_mm256_loadu_ps(x + i + 8 * k),
					      s),
				lo, hi, zero);
		store_low32(y + i, v);
	}
	if (i < n)
		qsimd_portable.quant(y + i, x + i, n - i, scale, r);
}

AVX2 INLINE __m256i load_widen(const uint8_t *x, bool is_signed)
{
	__m128i v = _mm_loadl_epi64((const __m128i *)(const void *)x);

	return is_signed ? _mm256_cvtepi8_epi32(v) : _mm256_cvtepu8_epi32(v);
}

AVX2 INLINE int64_t dequant(float *y, const uint8_t *x, int64_t n, float scale,
			    int32_t zero, bool is_signed)
{
	__m256i z = _mm256_set1_epi32(zero);
	__m256 s = _mm256_set1_ps(scale);
	int64_t i = 0;

	for (; i + 8 <= n; i += 8) {
		__m256i v = _mm256_sub_epi32(load_widen(x + i, is_signed), z);

		_mm256_storeu_ps(y + i,
				 _mm256_mul_ps(_mm256_cvtepi32_ps(v), s));
	}
	return i;
}

AVX2 static void dequant_u8(float *y, const uint8_t *x, int64_t n, float scale,
			    int32_t zero)
{
	int64_t i = dequant(y, x, n, scale, zero, false);

	qsimd_portable.dequant_u8(y + i, x + i, n - i, scale, zero);
}

AVX2 static void dequant_s8(float *y, const uint8_t *x, int64_t n, float scale,
			    int32_t zero)
{
	int64_t i = dequant(y, x, n, scale, zero, true);

	qsimd_portable.dequant_s8(y + i, x + i, n - i, scale, zero);
}

AVX2 static void minmax(const float *x, int64_t n, float *min, float *max)
{
	__m256 lo = _mm256_setzero_ps(), hi = lo;
	float l[8], h[8];
	int64_t i = 0;

	for (; i + 8 <= n; i += 8) {
		__m256 v = _mm256_loadu_ps(x + i);

		lo = _mm256_min_ps(v, lo);
		hi = _mm256_max_ps(v, hi);
	}
	_mm256_storeu_ps(l, lo);
	_mm256_storeu_ps(h, hi);
	*min = l[0];
	*max = h[0];
	for (int k = 1; k < 8; k++) {
		*min = l[k] < *min ? l[k] : *min;
		*max = h[k] > *max ? h[k] : *max;
	}
	for (; i < n; i++) {
		*min = x[i] < *min ? x[i] : *min;
		*max = x[i] > *max ? x[i] : *max;
	}
}

/* 16 bytes as s16. */
AVX2 INLINE __m256i widen16(const uint8_t *x, bool is_signed)
{
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)x);

	return is_signed ? _mm256_cvtepi8_epi16(v) : _mm256_cvtepu8_epi16(v);
}

/*
 * Interleaving works in 128-bit halves: the sums of columns 0-3 and 8-11 are
 * in one vector, 4-7 and 12-15 in the other, put in order at the end.
 */
AVX2 INLINE void taps16(int32_t *y, const struct q8_taps *t, int64_t j,
			bool is_signed)
{
	__m256i a = _mm256_set1_epi32(t->init), b = a;

	for (int64_t p = 0; p < t->pairs; p++) {
		__m256i u = widen16(t->x + t->off[2 * p] + j, is_signed);
		__m256i v = widen16(t->x + t->off[2 * p + 1] + j, is_signed);
		__m256i w = _mm256_set1_epi32(t->w[p]);

		a = _mm256_add_epi32(
			a, _mm256_madd_epi16(_mm256_unpacklo_epi16(u, v), w));
		b = _mm256_add_epi32(
			b, _mm256_madd_epi16(_mm256_unpackhi_epi16(u, v), w));
	}
	_mm256_storeu_si256((__m256i *)(void *)(y + j),
			    _mm256_permute2x128_si256(a, b, 0x20));
	_mm256_storeu_si256((__m256i *)(void *)(y + j + 8),
			    _mm256_permute2x128_si256(a, b, 0x31));
}

AVX2 static void taps(int32_t *y, const struct q8_taps *t)
{
	for (int64_t j = 0; j < t->n; j += 16)
		if (t->is_signed)
			taps16(y, t, j, true);
		else
			taps16(y, t, j, false);
}

AVX2 INLINE void taps_max32(uint8_t *y, const struct q8_taps *t, int64_t j,
			    bool is_signed)
{
	__m256i m = _mm256_set1_epi8(is_signed ? -128 : 0);

	for (int64_t p = 0; p < t->pairs; p++) {
		__m256i v = _mm256_loadu_si256(
			(const __m256i *)(const void *)(t->x + t->off[p] + j));

		m = is_signed ? _mm256_max_epi8(m, v) : _mm256_max_epu8(m, v);
	}
	_mm256_storeu_si256((__m256i *)(void *)(y + j), m);
}

AVX2 static void taps_max(uint8_t *y, const struct q8_taps *t)
{
	for (int64_t j = 0; j < t->n; j += 32)
		if (t->is_signed)
			taps_max32(y, t, j, true);
		else
			taps_max32(y, t, j, false);
}

AVX2 INLINE void pair(int16_t *dst, const uint8_t *a, const uint8_t *b,
		      int32_t zero, bool is_signed)
{
	__m256i z = _mm256_set1_epi16((int16_t)zero);
	__m256i u = _mm256_sub_epi16(widen16(a, is_signed), z);
	__m256i v = _mm256_sub_epi16(widen16(b, is_signed), z);
	__m256i lo = _mm256_unpacklo_epi16(u, v);
	__m256i hi = _mm256_unpackhi_epi16(u, v);

	_mm256_storeu_si256((__m256i *)(void *)dst,
			    _mm256_permute2x128_si256(lo, hi, 0x20));
	_mm256_storeu_si256((__m256i *)(void *)(dst + 16),
			    _mm256_permute2x128_si256(lo, hi, 0x31));
}

AVX2 static void pair_u8(int16_t *dst, const uint8_t *a, const uint8_t *b,
			 int32_t zero)
{
	pair(dst, a, b, zero, false);
}

AVX2 static void pair_s8(int16_t *dst, const uint8_t *a, const uint8_t *b,
			 int32_t zero)
{
	pair(dst, a, b, zero, true);
}

const struct qsimd qsimd_avx2 = {
	.requant = requant,
	.quant = quant,
	.dequant_u8 = dequant_u8,
	.dequant_s8 = dequant_s8,
	.minmax = minmax,
	.taps = taps,
	.taps_max = taps_max,
	.pair_u8 = pair_u8,
	.pair_s8 = pair_s8,
};
#endif
