/* SPDX-License-Identifier: MIT */
/*
 * simd_p.h -- row operations on floats, one table per instruction set.
 *
 * simd_body.h is compiled once per instruction set; only the width of the
 * vectors differs, never the operations on an element, so results have the
 * same bits.  Reductions keep 16 partial results, element i going to lane
 * i mod 16, and combine lanes l and l + 8, then 4, 2, 1.
 */
#ifndef RUNTIME_KERNELS_SIMD_P_H
#define RUNTIME_KERNELS_SIMD_P_H

#include <stdbool.h>
#include <stdint.h>

#define INLINE static inline __attribute__((always_inline))

/* gcc leaves short constant loops over registers rolled at -O2; clang does
 * not and knows no such pragma. */
#if defined(__GNUC__) && !defined(__clang__)
#define PRAGMA_(x) _Pragma(#x)
#define UNROLL(n)  PRAGMA_(GCC unroll n)
#else
#define UNROLL(n)
#endif

/* Taps: y[j] combines x[off[t] + j] over t, for j < n rounded up to 16. */
struct simd_taps {
	const float *x;
	const int64_t *off;
	const float *w; /* per tap; weighted sums only */
	int64_t taps, n;
	float init;
};

/*
 * Taps of an image: y[r cols + j] combines x[off[t] + r ldx + j step], for
 * r < rows and j < cols, written without gaps; step is 1 or 2.  Up to 24
 * floats are read past the last tap.  square3: step is 1 and the taps are 3
 * neighbours in each of 3 rows.
 */
struct simd_rows {
	const float *x, *w;
	const int64_t *off;
	int64_t taps, ldx, step;
	float init;
	bool square3;
	float *y;
	int64_t rows, cols;
};

struct simd {
	float (*max)(const float *x, int64_t n); /* n > 0 */
	float (*sum)(const float *x, int64_t n);
	/* sum of (x - mean)^2 */
	float (*sum_sq)(const float *x, int64_t n, float mean);
	/* y = exp(x - m); returns the sum */
	float (*exp_sum)(float *y, const float *x, int64_t n, float m);
	/* y = x a + b */
	void (*affine)(float *y, const float *x, int64_t n, float a, float b);
	/* y = (x - mean) inv * g + b; b may be NULL */
	void (*norm)(float *y, const float *x, int64_t n, float mean, float inv,
		     const float *g, const float *b);
	/* y = y + x, y = y + a x */
	void (*add_into)(float *y, const float *x, int64_t n);
	void (*axpy)(float *y, const float *x, int64_t n, float a);
	/* y[i] = x[2 i]; reads x[0 .. 2 n - 2] */
	void (*every_second)(float *y, const float *x, int64_t n);
	/* Chains init, fma(w, x), ... in order of t. */
	void (*taps_fma)(float *y, const struct simd_taps *t);
	void (*rows_fma)(const struct simd_rows *t);
	void (*taps_max)(float *y, const struct simd_taps *t);
	void (*taps_sum)(float *y, const struct simd_taps *t);
	/* y[r][i] = (q[r][i] - zero[i]) scale[i] over rows of 16 integers, as
	 * bytes or, 8 bytes to a row, with i and i + 8 in a byte's halves */
	void (*unpack8)(float *y, const uint8_t *q, int64_t rows,
			const float *scale, const float *zero);
	void (*unpack4)(float *y, const uint8_t *q, int64_t rows,
			const float *scale, const float *zero);
	void (*sigmoid)(float *y, const float *x, int64_t n);
	void (*tanh)(float *y, const float *x, int64_t n);
};

/* The table of the level in force. */
const struct simd *simd(void);
extern const struct simd simd_portable, simd_avx2;

#endif
