/* SPDX-License-Identifier: MIT */
/*
 * qsimd_p.h -- row operations between floats and 8-bit integers, one table
 * per instruction set; equal bits from each.
 */
#ifndef RUNTIME_KERNELS_QSIMD_P_H
#define RUNTIME_KERNELS_QSIMD_P_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Where a value goes: rounded half to even, plus zero, inside the type.
 * Clamping to [lo, hi] = [min - zero, max - zero] before the rounding gives
 * the same.  NaN goes to the smallest value.
 */
struct q8_range {
	float lo, hi;
	int32_t zero;
};
struct q8_range q8_range(bool is_signed, int32_t zero);

/* Weighted sums of shifted rows, as simd_taps; pairs of weights as two s16
 * in an int32, the second 0 for a last odd tap. */
struct q8_taps {
	const uint8_t *x;   /* u8 or s8 */
	const int64_t *off; /* 2 * pairs entries */
	const int32_t *w;
	int64_t pairs, n; /* n is rounded up to 16 */
	int32_t init;
	bool is_signed;
};

struct qsimd {
	/* y = range(acc * m[i * step]) */
	void (*requant)(uint8_t *y, const int32_t *acc, int64_t n,
			const float *m, int step, struct q8_range r);
	/* y = range(x / scale) */
	void (*quant)(uint8_t *y, const float *x, int64_t n, float scale,
		      struct q8_range r);
	/* y = (x - zero) scale */
	void (*dequant_u8)(float *y, const uint8_t *x, int64_t n, float scale,
			   int32_t zero);
	void (*dequant_s8)(float *y, const uint8_t *x, int64_t n, float scale,
			   int32_t zero);
	/* Of x and 0; NaN does not count. */
	void (*minmax)(const float *x, int64_t n, float *min, float *max);
	void (*taps)(int32_t *y, const struct q8_taps *t);
	/* y[j] = max over t < pairs of x[off[t] + j]; n rounded up to 32 */
	void (*taps_max)(uint8_t *y, const struct q8_taps *t);
	/* Two rows of k, 16 columns each, minus zero, interleaved as s16. */
	void (*pair_u8)(int16_t *dst, const uint8_t *a, const uint8_t *b,
			int32_t zero);
	void (*pair_s8)(int16_t *dst, const uint8_t *a, const uint8_t *b,
			int32_t zero);
};

const struct qsimd *qsimd(void);
extern const struct qsimd qsimd_portable, qsimd_avx2;

#endif
