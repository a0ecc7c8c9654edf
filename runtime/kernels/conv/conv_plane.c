/* SPDX-License-Identifier: MIT */
/*
 * conv_plane.c -- padded, phase-split copies of images.  One pass over the
 * image per phase in use; stride 1 is a row-wise memcpy.
 */
#include "runtime/kernels/conv/conv_plane_p.h"
#include "runtime/kernels/shared/simd_p.h"

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

/* Phase number `slot` of an axis: place q holds input q s + first, for q in
 * [from, to). */
static struct plane_phase phase_at(const struct planes *p, int i, int64_t slot)
{
	int64_t s = p->stride[i], first = slot * p->dilation[i] % s - p->lo[i];
	int64_t from = first < 0 ? ceil_div(-first, s) : 0;
	int64_t to = first >= p->in[i] ? 0 : ceil_div(p->in[i] - first, s);

	from = min64(from, p->q[i]);
	return (struct plane_phase){first, from,
				    max64(min64(to, p->q[i]), from)};
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
		if (!mul_i64(total, p->q[i], &total) ||
		    !mul_i64(total, p->used[i], &total))
			return false;
	}
	if (w->nin > INT64_MAX / 64 || total > 64 * (w->nin + w->nout) + 65536)
		return false;
	p->slice = p->q[0] * p->q[1] * p->q[2];
	/* An odd number of cache lines: channels spread over the sets. */
	p->step = ((total + 15) / 16 | 1) * 16;
	for (int i = 0; i < 3; i++)
		for (int64_t k = 0; k < min64(p->used[i], PLANE_PHASES); k++)
			p->phase[i][k] = phase_at(p, i, k);
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

/* Rows are often shorter than what a call of memcpy costs; the last vectors
 * may overlap. */
static void copy_f32(float *dst, const float *src, int64_t n)
{
	if (n < 4) {
		for (int64_t i = 0; i < n; i++)
			dst[i] = src[i];
		return;
	}
	if (n < 8) {
		memcpy(dst, src, 4 * sizeof *dst);
		memcpy(dst + n - 4, src + n - 4, 4 * sizeof *dst);
		return;
	}
	for (int64_t i = 0; i + 8 < n; i += 8)
		memcpy(dst + i, src + i, 8 * sizeof *dst);
	memcpy(dst + n - 8, src + n - 8, 8 * sizeof *dst);
}

static void every_f32(float *dst, const float *src, int64_t n, int64_t s)
{
	if (s == 1)
		copy_f32(dst, src, n);
	else if (s == 2)
		simd()->every_second(dst, src, n);
	else
		for (int64_t i = 0; i < n; i++)
			dst[i] = src[i * s];
}

static void every_8(uint8_t *dst, const uint8_t *src, int64_t n, int64_t s)
{
	if (s == 1 && n > 0)
		memcpy(dst, src, (size_t)n);
	else
		for (int64_t i = 0; i < n; i++)
			dst[i] = src[i * s];
}

/* The row of one phase: padding, input (place q from src[at + q s]), padding.
 */
#define FILL_ROW(name, every, T)                                        \
	static void name(T *dst, const T *src, int64_t at, int64_t n,   \
			 const struct plane_phase *w, int64_t s, T pad) \
	{                                                               \
		for (int64_t i = 0; i < w->from; i++)                   \
			dst[i] = pad;                                   \
		if (w->to > w->from)                                    \
			every(dst + w->from, src + (at + w->from * s),  \
			      w->to - w->from, s);                      \
		for (int64_t i = w->to; i < n; i++)                     \
			dst[i] = pad;                                   \
	}

/* One phase of one channel, from row to row; d, h, w: its three axes. */
#define FILL_PHASE(name, row, T)                                               \
	static T *name(const struct planes *p, const struct plane_phase *d,    \
		       const struct plane_phase *h,                            \
		       const struct plane_phase *w, const T *src, T *dst,      \
		       T pad)                                                  \
	{                                                                      \
		int64_t n = p->q[2];                                           \
                                                                               \
		for (int64_t z = 0; z < p->q[0]; z++) {                        \
			bool in = z >= d->from && z < d->to;                   \
			int64_t y = 0, iz = z * p->stride[0] + d->first;       \
			int64_t from = in ? h->from : p->q[1];                 \
			int64_t to = in ? h->to : p->q[1];                     \
                                                                               \
			for (int64_t i = 0; i < from * n; i++)                 \
				*dst++ = pad;                                  \
			for (y = from; y < to; y++, dst += n) {                \
				int64_t iy = y * p->stride[1] + h->first;      \
				int64_t at = (iz * p->in[1] + iy) * p->in[2] + \
					     w->first;                         \
                                                                               \
				row(dst, src, at, n, w, p->stride[2], pad);    \
			}                                                      \
			for (int64_t i = 0; i < (p->q[1] - to) * n; i++)       \
				*dst++ = pad;                                  \
		}                                                              \
		return dst;                                                    \
	}

FILL_ROW(fill_row_f32, every_f32, float)
FILL_ROW(fill_row_8, every_8, uint8_t)
FILL_PHASE(fill_phase_f32, fill_row_f32, float)
FILL_PHASE(fill_phase_8, fill_row_8, uint8_t)

static void phases_of(const struct planes *p, int64_t slot,
		      struct plane_phase ph[3])
{
	for (int i = 2; i >= 0; i--) {
		int64_t k = slot % p->used[i];

		ph[i] = k < PLANE_PHASES ? p->phase[i][k] : phase_at(p, i, k);
		slot /= p->used[i];
	}
}

void planes_fill_f32(const struct planes *p, const float *src, float *dst,
		     float pad)
{
	int64_t n = p->used[0] * p->used[1] * p->used[2];
	struct plane_phase ph[3];

	for (int64_t slot = 0; slot < n; slot++) {
		phases_of(p, slot, ph);
		dst = fill_phase_f32(p, &ph[0], &ph[1], &ph[2], src, dst, pad);
	}
}

void planes_fill_8(const struct planes *p, const uint8_t *src, uint8_t *dst,
		   uint8_t pad)
{
	int64_t n = p->used[0] * p->used[1] * p->used[2];
	struct plane_phase ph[3];

	for (int64_t slot = 0; slot < n; slot++) {
		phases_of(p, slot, ph);
		dst = fill_phase_8(p, &ph[0], &ph[1], &ph[2], src, dst, pad);
	}
}

/* One phase of one channel, but what is padding stays. */
static void copy_phase(const struct planes *p, const struct plane_phase ph[3],
		       const float *src, float *dst)
{
	const struct plane_phase *d = &ph[0], *h = &ph[1], *w = &ph[2];

	if (w->to <= w->from)
		return;
	for (int64_t z = d->from; z < d->to; z++)
		for (int64_t y = h->from; y < h->to; y++) {
			int64_t iz = z * p->stride[0] + d->first;
			int64_t iy = y * p->stride[1] + h->first;
			int64_t ix = w->from * p->stride[2] + w->first;

			every_f32(dst + (z * p->q[1] + y) * p->q[2] + w->from,
				  src + (iz * p->in[1] + iy) * p->in[2] + ix,
				  w->to - w->from, p->stride[2]);
		}
}

void planes_copy_f32(const struct planes *p, const float *src, float *dst)
{
	int64_t n = p->used[0] * p->used[1] * p->used[2];
	struct plane_phase ph[3];

	for (int64_t slot = 0; slot < n; slot++) {
		phases_of(p, slot, ph);
		copy_phase(p, ph, src, dst + slot * p->slice);
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
			copy_f32(y + i * ldy + row * ow + col,
				 tmp + i * ldt + (j - j0), n);
		j += wq - col;
	}
}
