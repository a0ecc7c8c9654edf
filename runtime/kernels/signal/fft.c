/* SPDX-License-Identifier: MIT */
/*
 * fft.c -- discrete Fourier transforms of any length, in double.
 *
 * Stockham's self-sorting form with radix 4 and every prime up to 31.  A
 * length with a larger prime becomes a convolution with a chirp (Bluestein,
 * 1970): k t = (k^2 + t^2 - (k - t)^2) / 2.  Roots of unity are reduced to an
 * eighth of the circle first.  Cost O(n log n), 8 n doubles at most 4 times.
 */
#include <string.h>

#include "runtime/kernels/signal/fft_p.h"
#include "runtime/kernels/shared/nn_p.h"
#include "runtime/mathd.h"

enum { RADIX_MAX = 31 };

void fft_root(int64_t k, int64_t n, double *re, double *im)
{
	const double half_pi = 0x1.921fb54442d18p+0;
	int64_t quarter = 4 * k / n, rest = 4 * k - quarter * n;
	bool upper = 2 * rest > n;
	double a = half_pi * (double)(upper ? n - rest : rest) / (double)n;
	double co = md_cos(a), si = md_sin(a);
	double x = upper ? si : co, y = upper ? co : si;

	*re = quarter == 0 ? x : quarter == 1 ? -y : quarter == 2 ? -x : y;
	*im = quarter == 0 ? -y : quarter == 1 ? -x : quarter == 2 ? y : x;
}

/* ---- tables ---- */

/* Factors, 4 before 2; false if a prime above RADIX_MAX is left. */
static bool factorize(struct fft_plan *p, int64_t n)
{
	p->n = n;
	p->count = 0;
	for (int64_t r = 4; n > 1 && r <= RADIX_MAX; r = r == 4   ? 2
							 : r == 2 ? 3
								  : r + 2)
		while (n % r == 0) {
			p->factor[p->count++] = r;
			n /= r;
		}
	return n == 1;
}

static enum status plan_roots(struct kcall *c, struct fft_plan *p)
{
	double *root = p->n > INT64_MAX / 32
			       ? NULL
			       : nn_scratch(c, p->n, 2 * sizeof *root);

	if (!root)
		return LIMIT;
	for (int64_t i = 0; i < p->n; i++)
		fft_root(i, p->n, &root[2 * i], &root[2 * i + 1]);
	p->root = root;
	return OK;
}

static enum status chirp_init(struct kcall *c, struct fft *f)
{
	int64_t n = f->n, m = 1, square = 0;
	double *wave, *kernel, *work;

	while (m < 2 * n - 1)
		m *= 2;
	factorize(&f->plan, m);
	wave = nn_scratch(c, n, 2 * sizeof *wave);
	kernel = nn_scratch(c, m, 2 * sizeof *kernel);
	work = nn_scratch(c, m, 4 * sizeof *work);
	if (!wave || !kernel || !work || plan_roots(c, &f->plan))
		return LIMIT;
	memset(kernel, 0, (size_t)m * 2 * sizeof *kernel);
	for (int64_t k = 0; k < n; k++) {
		int64_t back = k ? m - k : 0;

		fft_root(square, 2 * n, &wave[2 * k], &wave[2 * k + 1]);
		kernel[2 * k] = kernel[2 * back] = wave[2 * k];
		kernel[2 * k + 1] = kernel[2 * back + 1] = -wave[2 * k + 1];
		square = (square + 2 * k + 1) % (2 * n); /* k^2 mod 2n */
	}
	f->wave = NULL;
	f->n = m;
	fft_run(f, kernel, work);
	f->n = n;
	f->wave = wave;
	f->kernel = kernel;
	return OK;
}

enum status fft_init(struct kcall *c, struct fft *f, int64_t n)
{
	*f = (struct fft){.n = n};
	if (n > INT64_MAX / 256) {
		kcall_error(c, E_memory, "a transform of length %lld",
			    (long long)n);
		return LIMIT;
	}
	return factorize(&f->plan, n) ? plan_roots(c, &f->plan)
				      : chirp_init(c, f);
}

int64_t fft_work(const struct fft *f)
{
	return f->wave ? 4 * f->plan.n : 2 * f->n;
}

/* ---- stages: x[q + s (j + m r)] to y[q + s (radix j + k)] ---- */

struct stage {
	const double *root;
	int64_t n, radix, m, s;
};

static void times(double re, double im, const double *w, double *y)
{
	y[0] = re * w[0] - im * w[1];
	y[1] = re * w[1] + im * w[0];
}

static void radix2(const struct stage *g, const double *x, double *y)
{
	for (int64_t j = 0; j < g->m; j++)
		for (int64_t q = 0; q < g->s; q++) {
			const double *a = x + 2 * (q + g->s * j);
			const double *b = a + 2 * g->s * g->m;
			double *to = y + 2 * (q + 2 * g->s * j);

			to[0] = a[0] + b[0];
			to[1] = a[1] + b[1];
			times(a[0] - b[0], a[1] - b[1],
			      g->root + 2 * (j * g->s), to + 2 * g->s);
		}
}

static void radix4_one(const double *x, int64_t step, const double *const *w,
		       double *y, int64_t s)
{
	const double *a = x, *b = a + step, *c = b + step, *d = c + step;
	double ac0 = a[0] + c[0], ac1 = a[1] + c[1];
	double bd0 = b[0] + d[0], bd1 = b[1] + d[1];
	double am0 = a[0] - c[0], am1 = a[1] - c[1];
	double bm0 = b[0] - d[0], bm1 = b[1] - d[1];

	y[0] = ac0 + bd0;
	y[1] = ac1 + bd1;
	times(am0 + bm1, am1 - bm0, w[0], y + 2 * s);
	times(ac0 - bd0, ac1 - bd1, w[1], y + 4 * s);
	times(am0 - bm1, am1 + bm0, w[2], y + 6 * s);
}

static void radix4(const struct stage *g, const double *x, double *y)
{
	for (int64_t j = 0; j < g->m; j++) {
		const double *w[3] = {g->root + 2 * (j * g->s),
				      g->root + 4 * (j * g->s),
				      g->root + 6 * (j * g->s)};

		for (int64_t q = 0; q < g->s; q++)
			radix4_one(x + 2 * (q + g->s * j), 2 * g->s * g->m, w,
				   y + 2 * (q + 4 * g->s * j), g->s);
	}
}

/* One butterfly by the definition. */
static void butterfly(const struct stage *g, int64_t j, const double *x,
		      double *y)
{
	int64_t p = g->radix, unit = g->n / p;

	for (int64_t k = 0; k < p; k++) {
		double re = 0, im = 0;

		for (int64_t r = 0; r < p; r++) {
			const double *v = x + 2 * g->s * g->m * r;
			double t[2];

			times(v[0], v[1], g->root + 2 * (r * k % p * unit), t);
			re += t[0];
			im += t[1];
		}
		times(re, im, g->root + 2 * (j * k * g->s), y + 2 * g->s * k);
	}
}

static void run_stage(const struct stage *g, const double *x, double *y)
{
	if (g->radix == 2) {
		radix2(g, x, y);
	} else if (g->radix == 4) {
		radix4(g, x, y);
	} else {
		for (int64_t j = 0; j < g->m; j++)
			for (int64_t q = 0; q < g->s; q++)
				butterfly(g, j, x + 2 * (q + g->s * j),
					  y + 2 * (q + g->radix * g->s * j));
	}
}

static void run_plan(const struct fft_plan *p, double *x, double *work)
{
	struct stage g = {.root = p->root, .n = p->n, .m = p->n, .s = 1};
	double *from = x, *to = work, *t;

	for (int i = 0; i < p->count; i++) {
		g.radix = p->factor[i];
		g.m /= g.radix;
		run_stage(&g, from, to);
		g.s *= g.radix;
		t = from;
		from = to;
		to = t;
	}
	if (from != x)
		memcpy(x, from, (size_t)p->n * 2 * sizeof *x);
}

/* x times the chirp, convolved with its conjugate, times the chirp. */
static void run_chirp(const struct fft *f, double *x, double *work)
{
	int64_t m = f->plan.n;
	double *a = work, *space = work + 2 * m, scale = 1 / (double)m;

	memset(a, 0, (size_t)m * 2 * sizeof *a);
	for (int64_t k = 0; k < f->n; k++)
		times(x[2 * k], x[2 * k + 1], f->wave + 2 * k, a + 2 * k);
	run_plan(&f->plan, a, space);
	/* Back again by the forward transform: real and imaginary parts
	 * change places before and after. */
	for (int64_t k = 0; k < m; k++) {
		double t[2];

		times(a[2 * k], a[2 * k + 1], f->kernel + 2 * k, t);
		a[2 * k] = t[1];
		a[2 * k + 1] = t[0];
	}
	run_plan(&f->plan, a, space);
	for (int64_t k = 0; k < f->n; k++)
		times(a[2 * k + 1] * scale, a[2 * k] * scale, f->wave + 2 * k,
		      x + 2 * k);
}

void fft_run(const struct fft *f, double *x, double *work)
{
	if (f->wave)
		run_chirp(f, x, work);
	else
		run_plan(&f->plan, x, work);
}
