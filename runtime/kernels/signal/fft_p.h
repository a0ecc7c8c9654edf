/* SPDX-License-Identifier: MIT */
/*
 * fft_p.h -- discrete Fourier transforms of any length, in double.
 */
#ifndef RUNTIME_KERNELS_FFT_P_H
#define RUNTIME_KERNELS_FFT_P_H

#include "runtime/kernel.h"

/* exp(-2 pi i k / n) for 0 <= k < n. */
void fft_root(int64_t k, int64_t n, double *re, double *im);

struct fft_plan { /* a length whose prime factors are small */
	int64_t n;
	int count;
	int64_t factor[64];
	const double *root; /* n complex: powers of exp(-2 pi i / n) */
};

struct fft {
	int64_t n;            /* length of the transform */
	struct fft_plan plan; /* of n, or of the convolution */
	const double *wave;   /* chirp, n complex; NULL: no convolution */
	const double *kernel; /* transform of the chirp's conjugate */
};

/* Tables for length n > 0, valid until the call returns; E-memory. */
enum status fft_init(struct kcall *c, struct fft *f, int64_t n);
/* Doubles of work space that fft_run needs, beyond the data. */
int64_t fft_work(const struct fft *f);
/* X[k] = sum of x[t] exp(-2 pi i k t / n), in place; x: n complex. */
void fft_run(const struct fft *f, double *x, double *work);

#endif
