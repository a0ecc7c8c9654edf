/* SPDX-License-Identifier: MIT */
/*
 * conv_plane.c -- padded, phase-split copies of images.  One pass over the
 * image per phase in use; stride 1 is a row-wise memcpy.
 */
#include "runtime/kernels/conv_plane_p.h"

#include <string.h>

static int64_t gcd(int64_t a, int64_t b)
{
	while (b) {
		int64_t r = a % b;

		a = b;
		b = r;
	}
	return a;
}

/* Kernel element k needs phase k d mod s: phases repeat after s / gcd(d, s)
 * elements and are numbered in this order. */
static int64_t period(const struct planes *p, int i)
{
	return p->stride[i] / gcd(p->stride[i], p->dilation[i]);
}

bool planes_init(struct planes *p, const struct window *w)
{
	int64_t total = 1;

	if (w->rank > 3)
		return false;
	for (int i = 0; i < 3; i++) {
		int a = i - (3 - w->rank);

		p->in[i] = a < 0 ? 1 : w->in[a];
		p->out[i] = a < 0 ? 1 : w->out[a];
		p->kernel[i] = a < 0 ? 1 : w->kernel[a];
		p->stride[i] = a < 0 ? 1 : w->stride[a];
		p->dilation[i] = a < 0 ? 1 : w->dilation[a];
		p->lo[i] = a < 0 ? 0 : w->lo[a];
		p->q[i] = p->out[i] +
			  (p->kernel[i] - 1) * p->dilation[i] / p->stride[i];
		p->used[i] = min64(p->kernel[i], period(p, i));
		if (!mul_i64(total, p->q[i] * p->used[i], &total))
			return false;
	}
	if (w->nin > INT64_MAX / 64 || total > 64 * (w->nin + w->nout) + 65536)
		return false;
	p->slice = p->q[0] * p->q[1] * p->q[2];
	/* An odd number of cache lines: channels spread over the sets. */
	p->step = ((total + 15) / 16 | 1) * 16;
	return true;
}

int64_t planes_offset(const struct planes *p, int64_t k)
{
	int64_t kk[3] = {k / (p->kernel[1] * p->kernel[2]),
			 k / p->kernel[2] % p->kernel[1], k % p->kernel[2]};
	int64_t slot = 0, place = 0;

	for (int i = 0; i < 3; i++) {
		int64_t at = kk[i] * p->dilation[i];

		slot = slot * p->used[i] + kk[i] % period(p, i);
		place = place * p->q[i] + at / p->stride[i];
	}
	return slot * p->slice + place;
}

/* Places [from, to) of a phase that hold input; place q is input
 * q s + phase - lo. */
static void valid_range(const struct planes *p, int i, int64_t phase,
			int64_t *from, int64_t *to)
{
	int64_t first = phase - p->lo[i], s = p->stride[i];

	*from = first < 0 ? ceil_div(-first, s) : 0;
	*to = first >= p->in[i] ? 0 : ceil_div(p->in[i] - first, s);
	*from = min64(*from, p->q[i]);
	*to = max64(min64(*to, p->q[i]), *from);
}

/* The row of one phase: padding, input, padding. */
#define FILL_ROW(name, T)                                               \
	static void name(T *dst, const T *src, int64_t n, int64_t from, \
			 int64_t to, int64_t s, T pad)                  \
	{                                                               \
		for (int64_t i = 0; i < from; i++)                      \
			dst[i] = pad;                                   \
		if (s == 1 && to > from)                                \
			memcpy(dst + from, src + from,                  \
			       (size_t)(to - from) * sizeof *dst);      \
		else if (s == 2)                                        \
			for (int64_t i = from; i < to; i++)             \
				dst[i] = src[2 * i];                    \
		else                                                    \
			for (int64_t i = from; i < to; i++)             \
				dst[i] = src[i * s];                    \
		for (int64_t i = to; i < n; i++)                        \
			dst[i] = pad;                                   \
	}

/* One channel: every phase in use, row by row. */
#define FILL_PLANE(name, row, T)                                               \
	static void name(const struct planes *p, const T *src, T *dst, T pad,  \
			 const int64_t phase[3])                               \
	{                                                                      \
		int64_t from[3], to[3];                                        \
                                                                               \
		for (int i = 0; i < 3; i++)                                    \
			valid_range(p, i, phase[i], &from[i], &to[i]);         \
		for (int64_t z = 0; z < p->q[0]; z++)                          \
			for (int64_t y = 0; y < p->q[1]; y++) {                \
				bool in = z >= from[0] && z < to[0] &&         \
					  y >= from[1] && y < to[1];           \
				int64_t iz = z * p->stride[0] + phase[0] -     \
					     p->lo[0];                         \
				int64_t iy = y * p->stride[1] + phase[1] -     \
					     p->lo[1];                         \
				const T *s = src;                              \
                                                                               \
				if (in)                                        \
					s += (iz * p->in[1] + iy) * p->in[2] + \
					     phase[2] - p->lo[2];              \
				row(dst, s, p->q[2], in ? from[2] : 0,         \
				    in ? to[2] : 0, p->stride[2], pad);        \
				dst += p->q[2];                                \
			}                                                      \
	}

FILL_ROW(fill_row_f32, float)
FILL_ROW(fill_row_8, uint8_t)
FILL_PLANE(fill_phase_f32, fill_row_f32, float)
FILL_PLANE(fill_phase_8, fill_row_8, uint8_t)

static int64_t phase_count(const struct planes *p)
{
	return p->used[0] * p->used[1] * p->used[2];
}

static void phases_of(const struct planes *p, int64_t slot, int64_t *phase)
{
	for (int i = 2; i >= 0; i--) {
		phase[i] = slot % p->used[i] * p->dilation[i] % p->stride[i];
		slot /= p->used[i];
	}
}

void planes_fill_f32(const struct planes *p, const float *src, float *dst,
		     float pad)
{
	int64_t phase[3];

	for (int64_t slot = 0; slot < phase_count(p); slot++) {
		phases_of(p, slot, phase);
		fill_phase_f32(p, src, dst + slot * p->slice, pad, phase);
	}
}

void planes_fill_8(const struct planes *p, const uint8_t *src, uint8_t *dst,
		   uint8_t pad)
{
	int64_t phase[3];

	for (int64_t slot = 0; slot < phase_count(p); slot++) {
		phases_of(p, slot, phase);
		fill_phase_8(p, src, dst + slot * p->slice, pad, phase);
	}
}

void planes_scatter(const struct planes *p, const float *tmp, int64_t ldt,
		    int64_t rows, int64_t j0, int64_t j1, float *y, int64_t ldy)
{
	int64_t wq = p->q[2], ow = p->out[2];

	for (int64_t j = j0; j < j1;) {
		int64_t row = j / wq, col = j % wq;
		int64_t n = min64(ow - col, j1 - j);

		for (int64_t i = 0; n > 0 && i < rows; i++)
			memcpy(y + i * ldy + row * ow + col,
			       tmp + i * ldt + (j - j0), (size_t)n * sizeof *y);
		j += wq - col;
	}
}
