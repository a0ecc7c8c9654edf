/* SPDX-License-Identifier: MIT */
/*
 * simd_body.h -- the row operations, over a vector `vf` of 8 floats.
 *
 * The including file defines the type vf, its operations, the function
 * attribute SIMD and the table's name SIMD_TABLE.
 */
#include <string.h>

enum { LANES = 16, WIDE = 8 };

/* ---- reductions: two vectors of partial results ---- */

SIMD INLINE float fold(vf a, vf b, bool max)
{
	float l[8];

	vstore(l, max ? vmax(a, b) : vadd(a, b));
	for (int h = 4; h > 0; h /= 2)
		for (int i = 0; i < h; i++) {
			float s = l[i] + l[i + h];

			l[i] = !max ? s : l[i] > l[i + h] ? l[i] : l[i + h];
		}
	return l[0];
}

/* The last n < 16 elements, padded with `pad`. */
SIMD INLINE void load_tail(float *t, const float *x, int64_t n, float pad)
{
	for (int i = 0; i < LANES; i++)
		t[i] = i < n ? x[i] : pad;
}

SIMD static float row_max(const float *x, int64_t n)
{
	float t[LANES];
	int64_t i = 0;
	vf a = vset(x[0]), b = a;

	for (; i + LANES <= n; i += LANES) {
		a = vmax(a, vload(x + i));
		b = vmax(b, vload(x + i + 8));
	}
	if (i < n) {
		load_tail(t, x + i, n - i, x[0]);
		a = vmax(a, vload(t));
		b = vmax(b, vload(t + 8));
	}
	return fold(a, b, true);
}

SIMD static float row_sum(const float *x, int64_t n)
{
	float t[LANES];
	int64_t i = 0;
	vf a = vset(0), b = a;

	for (; i + LANES <= n; i += LANES) {
		a = vadd(a, vload(x + i));
		b = vadd(b, vload(x + i + 8));
	}
	if (i < n) {
		load_tail(t, x + i, n - i, 0);
		a = vadd(a, vload(t));
		b = vadd(b, vload(t + 8));
	}
	return fold(a, b, false);
}

SIMD static float row_sum_sq(const float *x, int64_t n, float mean)
{
	float t[LANES];
	int64_t i = 0;
	vf a = vset(0), b = a, m = vset(mean), d;

	for (; i + LANES <= n; i += LANES) {
		d = vsub(vload(x + i), m);
		a = vfma(d, d, a);
		d = vsub(vload(x + i + 8), m);
		b = vfma(d, d, b);
	}
	if (i < n) {
		load_tail(t, x + i, n - i, mean);
		d = vsub(vload(t), m);
		a = vfma(d, d, a);
		d = vsub(vload(t + 8), m);
		b = vfma(d, d, b);
	}
	return fold(a, b, false);
}

/* ---- element by element ---- */

SIMD static void row_affine(float *y, const float *x, int64_t n, float a,
			    float b)
{
	const vf va = vset(a), vb = vset(b);
	int64_t i = 0;

	for (; i + 16 <= n; i += 16) {
		vf p = vadd(vmul(vload(x + i), va), vb);
		vf q = vadd(vmul(vload(x + i + 8), va), vb);

		vstore(y + i, p);
		vstore(y + i + 8, q);
	}
	for (; i < n; i++)
		y[i] = x[i] * a + b;
}

SIMD static void row_axpy(float *y, const float *x, int64_t n, float a)
{
	const vf va = vset(a);
	int64_t i = 0;

	for (; i + 16 <= n; i += 16) {
		vf p = vadd(vload(y + i), vmul(vload(x + i), va));
		vf q = vadd(vload(y + i + 8), vmul(vload(x + i + 8), va));

		vstore(y + i, p);
		vstore(y + i + 8, q);
	}
	for (; i < n; i++)
		y[i] = y[i] + x[i] * a;
}

SIMD static void row_add_into(float *y, const float *x, int64_t n)
{
	int64_t i = 0;

	for (; i + 8 <= n; i += 8)
		vstore(y + i, vadd(vload(y + i), vload(x + i)));
	for (; i < n; i++)
		y[i] = y[i] + x[i];
}

SIMD static void row_every_second(float *y, const float *x, int64_t n)
{
	int64_t i = 0;

	/* The last vector would read one element too many. */
	for (; i + 8 < n; i += 8)
		vstore(y + i, vinorder(vpairs(vload(x + 2 * i),
					      vload(x + 2 * i + 8))));
	for (; i < n; i++)
		y[i] = x[2 * i];
}

/* ---- exp, sigmoid, tanh: the formulas of runtime/mathf.h, same bits ---- */

/* a x + b in two roundings, as there */
SIMD INLINE vf poly(vf a, vf x, float b)
{
	return vadd(vmul(a, x), vset(b));
}

SIMD INLINE vf exp8(vf x)
{
	const vf magic = vset(12582912.0f);
	vf v = vmin(vset(89.0f), vmax(vset(-88.0f), x));
	vf t = vadd(vmul(v, vset(0x1.715476p+0f)), magic);
	vf n = vsub(t, magic);
	vf r = vsub(vsub(v, vmul(n, vset(0x1.628p-1f))),
		    vmul(n, vset(0x1.90bfbep-11f)));
	vf p = vset(0x1.6d1606p-10f);

	p = poly(p, r, 0x1.12106cp-7f);
	p = poly(p, r, 0x1.555516p-5f);
	p = poly(p, r, 0x1.5554d8p-3f);
	p = poly(p, r, 0x1.0p-1f);
	p = vadd(vset(1.0f), vadd(r, vmul(vmul(r, r), p)));
	return vzero_lt(vscale2(p, t), x, vset(-87.33654f));
}

SIMD INLINE vf sigmoid8(vf x)
{
	return vdiv(vset(1.0f), vadd(vset(1.0f), exp8(vneg(x))));
}

SIMD INLINE vf tanh8(vf x)
{
	vf a = vabs(x), z = vmul(x, x), p = vset(-0x1.8437a2p-8f), q;

	p = poly(p, z, 0x1.55fda4p-6f);
	p = poly(p, z, -0x1.b8ec9ap-5f);
	p = poly(p, z, 0x1.110d22p-3f);
	p = poly(p, z, -0x1.555552p-2f);
	p = vadd(x, vmul(vmul(x, z), p));
	q = vadd(exp8(vmul(vset(2.0f), a)), vset(1.0f));
	q = vsub(vset(1.0f), vdiv(vset(2.0f), q));
	return vpick_lt(a, vset(0.65f), vsign(p, x), vsign(q, x));
}

#define MAP8(name, fn)                                             \
	SIMD static void name(float *y, const float *x, int64_t n) \
	{                                                          \
		float t[8] = {0};                                  \
		int64_t i = 0;                                     \
                                                                   \
		for (; i + 8 <= n; i += 8)                         \
			vstore(y + i, fn(vload(x + i)));           \
		if (i == n)                                        \
			return;                                    \
		memcpy(t, x + i, (size_t)(n - i) * sizeof *y);     \
		vstore(t, fn(vload(t)));                           \
		memcpy(y + i, t, (size_t)(n - i) * sizeof *y);     \
	}

MAP8(row_sigmoid, sigmoid8)
MAP8(row_tanh, tanh8)

SIMD static float row_exp_sum(float *y, const float *x, int64_t n, float m)
{
	float t[LANES];
	int64_t i = 0;
	vf a = vset(0), b = a, s = vset(m), e;

	for (; i + LANES <= n; i += LANES) {
		e = exp8(vsub(vload(x + i), s));
		vstore(y + i, e);
		a = vadd(a, e);
		e = exp8(vsub(vload(x + i + 8), s));
		vstore(y + i + 8, e);
		b = vadd(b, e);
	}
	if (i < n) {
		load_tail(t, x + i, n - i, m);
		vstore(t, exp8(vsub(vload(t), s)));
		vstore(t + 8, exp8(vsub(vload(t + 8), s)));
		memcpy(y + i, t, (size_t)(n - i) * sizeof *y);
		load_tail(t, y + i, n - i, 0);
		a = vadd(a, vload(t));
		b = vadd(b, vload(t + 8));
	}
	return fold(a, b, false);
}

SIMD static void row_norm(float *y, const float *x, int64_t n, float mean,
			  float inv, const float *g, const float *b)
{
	vf m = vset(mean), s = vset(inv);
	int64_t i = 0;

	for (; i + 8 <= n; i += 8) {
		vf v = vmul(vmul(vsub(vload(x + i), m), s), vload(g + i));

		vstore(y + i, b ? vadd(v, vload(b + i)) : v);
	}
	for (; i < n; i++) {
		float v = (x[i] - mean) * inv * g[i];

		y[i] = b ? v + b[i] : v;
	}
}

/* ---- integers of 8 and 4 bits ---- */

SIMD static void rows_unpack8(float *y, const uint8_t *q, int64_t rows,
			      const float *scale, const float *zero)
{
	const vf s0 = vload(scale), s1 = vload(scale + 8);
	const vf z0 = vload(zero), z1 = vload(zero + 8);

	for (int64_t r = 0; r < rows; r++) {
		vstore(y, vmul(vsub(vbytes(q), z0), s0));
		vstore(y + 8, vmul(vsub(vbytes(q + 8), z1), s1));
		y += LANES;
		q += 16;
	}
}

SIMD static void rows_unpack4(float *y, const uint8_t *q, int64_t rows,
			      const float *scale, const float *zero)
{
	const vf s0 = vload(scale), s1 = vload(scale + 8);
	const vf z0 = vload(zero), z1 = vload(zero + 8);

	for (int64_t r = 0; r < rows; r++) {
		vstore(y, vmul(vsub(vlow(q), z0), s0));
		vstore(y + 8, vmul(vsub(vhigh(q), z1), s1));
		y += LANES;
		q += 8;
	}
}

/* ---- taps: 64 columns in registers, then 16 ---- */

enum tap_op { TAP_FMA, TAP_MAX, TAP_SUM };

SIMD INLINE void taps_block(float *y, const struct simd_taps *t, int64_t j,
			    const int nv, const enum tap_op op)
{
	vf r[WIDE];

	UNROLL(8)
	for (int v = 0; v < nv; v++)
		r[v] = vset(t->init);
	for (int64_t p = 0; p < t->taps; p++) {
		const float *x = t->x + t->off[p] + j;
		vf w = vset(op == TAP_FMA ? t->w[p] : 0);

		UNROLL(8)
		for (int v = 0; v < nv; v++) {
			vf in = vload(x + 8 * v);

			r[v] = op == TAP_FMA   ? vfma(w, in, r[v])
			       : op == TAP_MAX ? vmax(r[v], in)
					       : vadd(r[v], in);
		}
	}
	UNROLL(8)
	for (int v = 0; v < nv; v++)
		vstore(y + j + 8 * v, r[v]);
}

#define TAPS(name, op)                                             \
	SIMD static void name(float *y, const struct simd_taps *t) \
	{                                                          \
		int64_t j = 0;                                     \
                                                                   \
		for (; j + 64 <= t->n; j += 64)                    \
			taps_block(y, t, j, 8, op);                \
		for (; j + 32 <= t->n; j += 32)                    \
			taps_block(y, t, j, 4, op);                \
		for (; j < t->n; j += 16)                          \
			taps_block(y, t, j, 2, op);                \
	}

TAPS(taps_fma, TAP_FMA)
TAPS(taps_max, TAP_MAX)
TAPS(taps_sum, TAP_SUM)

/* ---- taps of an image: bands of 4 rows, 8 columns at a time ---- */

enum { BAND = 4 };

/* Where a block of nr rows, nv vectors goes: into y where its last vector
 * ends there (what a row has too much is overwritten by the next one), else
 * into a buffer.  A branch per vector would keep the sums in memory. */
struct rows_out {
	float buf[BAND * 16];
	float *at;
	int64_t ld;
};

SIMD INLINE void rows_place(struct rows_out *o, const struct simd_rows *t,
			    int64_t r, int64_t j, const int nr, const int nv)
{
	bool fits = (r + nr - 1) * t->cols + j + 8 * nv <= t->rows * t->cols;

	o->at = fits ? t->y + r * t->cols + j : o->buf;
	o->ld = fits ? t->cols : 8 * nv;
}

SIMD INLINE void rows_flush(const struct rows_out *o, const struct simd_rows *t,
			    int64_t r, int64_t j, const int nr, const int nv)
{
	int64_t n = t->cols - j < 8 * nv ? t->cols - j : 8 * nv;

	if (o->at != o->buf)
		return;
	for (int i = 0; i < nr; i++)
		memcpy(t->y + (r + i) * t->cols + j, o->buf + i * 8 * nv,
		       (size_t)n * sizeof *o->buf);
}

/* Every second of 16 in any order, which vinorder() undoes after the sum. */
SIMD INLINE vf rows_load(const float *x, const int step)
{
	return step == 1 ? vload(x) : vpairs(vload(x), vload(x + 8));
}

SIMD INLINE void rows_block(const struct simd_rows *t, int64_t r, int64_t j,
			    const int nr, const int nv, const int step)
{
	const float *at = t->x + r * t->ldx + j * step;
	struct rows_out o;
	vf a[2 * BAND];

	rows_place(&o, t, r, j, nr, nv);
	UNROLL(8)
	for (int i = 0; i < nr * nv; i++)
		a[i] = vset(t->init);
	for (int64_t p = 0; p < t->taps; p++) {
		const float *x = at + t->off[p];
		vf w = vset(t->w[p]);

		UNROLL(8)
		for (int i = 0; i < nr * nv; i++) {
			vf b = rows_load(x + i % nv * 8 * step, step);

			a[i] = vfma(w, b, a[i]);
			x += i % nv == nv - 1 ? t->ldx : 0;
		}
	}
	UNROLL(8)
	for (int i = 0; i < nr * nv; i++)
		vstore(o.at + i / nv * o.ld + i % nv * 8,
		       step == 1 ? a[i] : vinorder(a[i]));
	rows_flush(&o, t, r, j, nr, nv);
}

/* Every input row is loaded once for the output rows that see it; those take
 * it in their own order of taps. */
SIMD INLINE void square_block(const struct simd_rows *t, const vf w[9],
			      int64_t r, int64_t j, const int nr)
{
	const float *x = t->x + r * t->ldx + j;
	struct rows_out o;
	vf a[BAND];

	rows_place(&o, t, r, j, nr, 1);
	UNROLL(4)
	for (int i = 0; i < nr; i++)
		a[i] = vset(t->init);
	UNROLL(6)
	for (int q = 0; q < nr + 2; q++) {
		vf b = vload(x), c = vload(x + 1), d = vload(x + 2);

		UNROLL(4)
		for (int i = 0; i < nr; i++) {
			const int k = 3 * (q - i);

			if (k < 0 || k > 6)
				continue;
			a[i] = vfma(w[k], b, a[i]);
			a[i] = vfma(w[k + 1], c, a[i]);
			a[i] = vfma(w[k + 2], d, a[i]);
		}
		x += t->ldx;
	}
	UNROLL(4)
	for (int i = 0; i < nr; i++)
		vstore(o.at + i * o.ld, a[i]);
	rows_flush(&o, t, r, j, nr, 1);
}

SIMD INLINE void square_band(const struct simd_rows *t, int64_t r, const int nr)
{
	int64_t j = 0, last = t->cols > 8 ? t->cols - 8 : 0;
	vf w[9];

	UNROLL(9)
	for (int k = 0; k < 9; k++)
		w[k] = vset(t->w[k]);
	for (; j < last; j += 8)
		square_block(t, w, r, j, nr);
	square_block(t, w, r, last, nr);
}

SIMD INLINE void rows_band(const struct simd_rows *t, int64_t r, const int nr,
			   const int step)
{
	int64_t j = 0, last = t->cols > 8 ? t->cols - 8 : 0;

	for (; j + 16 <= t->cols; j += 16)
		rows_block(t, r, j, nr, 2, step);
	for (; j < last; j += 8)
		rows_block(t, r, j, nr, 1, step);
	if (j < t->cols)
		rows_block(t, r, last, nr, 1, step);
}

SIMD INLINE void band(const struct simd_rows *t, int64_t r, const int nr)
{
	if (t->square3)
		square_band(t, r, nr);
	else if (t->step == 1)
		rows_band(t, r, nr, 1);
	else
		rows_band(t, r, nr, 2);
}

SIMD static void rows_fma(const struct simd_rows *rows)
{
	/* A copy: nothing that is stored may be one of its members. */
	const struct simd_rows t = *rows;
	int64_t r = 0;

	for (; r + BAND <= t.rows; r += BAND)
		band(&t, r, BAND);
	for (; r + 2 <= t.rows; r += 2)
		band(&t, r, 2);
	if (r < t.rows)
		band(&t, r, 1);
}

const struct simd SIMD_TABLE = {
	.max = row_max,
	.sum = row_sum,
	.sum_sq = row_sum_sq,
	.exp_sum = row_exp_sum,
	.affine = row_affine,
	.norm = row_norm,
	.add_into = row_add_into,
	.axpy = row_axpy,
	.every_second = row_every_second,
	.taps_fma = taps_fma,
	.rows_fma = rows_fma,
	.taps_max = taps_max,
	.taps_sum = taps_sum,
	.unpack8 = rows_unpack8,
	.unpack4 = rows_unpack4,
	.sigmoid = row_sigmoid,
	.tanh = row_tanh,
};
