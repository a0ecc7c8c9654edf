/* SPDX-License-Identifier: MIT */
/*
 * qsimd.c -- the 8-bit row operations in portable C, and the table's choice.
 */
#include "runtime/kernels/quant/qsimd_p.h"

#include "runtime/cpu.h"

struct q8_range q8_range(bool is_signed, int32_t zero)
{
	return (struct q8_range){
		.lo = (float)((is_signed ? -128 : 0) - zero),
		.hi = (float)((is_signed ? 127 : 255) - zero),
		.zero = zero,
	};
}

/* Half to even by the addition of 1.5 2^23, exact for small numbers. */
static uint8_t to_range(float v, struct q8_range r)
{
	float t;

	v = v > r.lo ? v : r.lo;
	v = v < r.hi ? v : r.hi;
	t = v + 12582912.0f;
	return (uint8_t)((int32_t)(t - 12582912.0f) + r.zero);
}

static void requant(uint8_t *y, const int32_t *acc, int64_t n, const float *m,
		    int step, struct q8_range r)
{
	for (int64_t i = 0; i < n; i++)
		y[i] = to_range((float)acc[i] * m[i * step], r);
}

static void quant(uint8_t *y, const float *x, int64_t n, float scale,
		  struct q8_range r)
{
	for (int64_t i = 0; i < n; i++)
		y[i] = to_range(x[i] / scale, r);
}

static void dequant_u8(float *y, const uint8_t *x, int64_t n, float scale,
		       int32_t zero)
{
	for (int64_t i = 0; i < n; i++)
		y[i] = (float)(x[i] - zero) * scale;
}

static void dequant_s8(float *y, const uint8_t *x, int64_t n, float scale,
		       int32_t zero)
{
	for (int64_t i = 0; i < n; i++)
		y[i] = (float)((int8_t)x[i] - zero) * scale;
}

static void minmax(const float *x, int64_t n, float *min, float *max)
{
	*min = *max = 0;
	for (int64_t i = 0; i < n; i++) {
		*min = x[i] < *min ? x[i] : *min;
		*max = x[i] > *max ? x[i] : *max;
	}
}

static int32_t widen(uint8_t x, bool is_signed)
{
	return is_signed ? (int8_t)x : x;
}

static void taps(int32_t *y, const struct q8_taps *t)
{
	for (int64_t j = 0; j < t->n; j++) {
		uint32_t sum = (uint32_t)t->init;

		for (int64_t p = 0; p < t->pairs; p++) {
			int32_t a =
				widen(t->x[t->off[2 * p] + j], t->is_signed);
			int32_t b = widen(t->x[t->off[2 * p + 1] + j],
					  t->is_signed);

			sum += (uint32_t)(a * (int16_t)t->w[p]) +
			       (uint32_t)(b * (t->w[p] >> 16));
		}
		y[j] = (int32_t)sum;
	}
}

static void taps_max(uint8_t *y, const struct q8_taps *t)
{
	for (int64_t j = 0; j < t->n; j++) {
		int32_t m = -128;

		for (int64_t p = 0; p < t->pairs; p++) {
			int32_t v = widen(t->x[t->off[p] + j], t->is_signed);

			m = v > m ? v : m;
		}
		y[j] = (uint8_t)m;
	}
}

static void pair_u8(int16_t *dst, const uint8_t *a, const uint8_t *b,
		    int32_t zero)
{
	for (int j = 0; j < 16; j++) {
		dst[2 * j] = (int16_t)(a[j] - zero);
		dst[2 * j + 1] = (int16_t)(b[j] - zero);
	}
}

static void pair_s8(int16_t *dst, const uint8_t *a, const uint8_t *b,
		    int32_t zero)
{
	for (int j = 0; j < 16; j++) {
		dst[2 * j] = (int16_t)((int8_t)a[j] - zero);
		dst[2 * j + 1] = (int16_t)((int8_t)b[j] - zero);
	}
}

const struct qsimd qsimd_portable = {
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

const struct qsimd *qsimd(void)
{
#if defined(__x86_64__)
	if (cpu_level() >= CPU_AVX2)
		return &qsimd_avx2;
#endif
	return &qsimd_portable;
}
