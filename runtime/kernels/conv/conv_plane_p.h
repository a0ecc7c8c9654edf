/* SPDX-License-Identifier: MIT */
/*
 * conv_plane_p.h -- padded copies of images in which every tap of a
 * convolution is a constant offset.
 *
 * Along an axis with stride s, position i of the padded image goes to phase
 * i mod s, place i / s.  Output o then sees kernel element k at place
 * o + k d / s of phase k d mod s: whatever the strides and dilations, tap
 * (c, k) of output j lies at off[c, k] + flat(j), with one flat index
 * j = (od Hq + oh) Wq + ow for all taps.  Columns OW..Wq of j are unused.
 */
#ifndef RUNTIME_KERNELS_CONV_PLANE_P_H
#define RUNTIME_KERNELS_CONV_PLANE_P_H

#include "runtime/kernels/conv/conv_p.h"

enum {
	PLANE_SLACK = 64, /* elements that may be read past the end */
	PLANE_PHASES = 4, /* phases of an axis that are kept ready */
};

/* Place q of the phase is input q * stride + first, for q in [from, to). */
struct plane_phase {
	int64_t first, from, to;
};

/* Axes 0, 1, 2 are depth, height, width; missing ones have size 1. */
struct planes {
	int64_t in[3], out[3], kernel[3], stride[3], dilation[3], lo[3];
	int64_t q[3];    /* places per phase */
	int64_t used[3]; /* phases that some tap needs */
	int64_t step;    /* elements from channel to channel */
	int64_t slice;   /* elements of one phase: q0 q1 q2 */
	struct plane_phase phase[3][PLANE_PHASES];
};

/* False if the copy would be out of proportion, or for more than 3 axes. */
bool planes_init(struct planes *p, const struct window *w);
/* Offset of kernel element (kd, kh, kw), flat k, from its channel's plane. */
int64_t planes_offset(const struct planes *p, int64_t k);
/* Copy one channel; elements of size 1, 2 or 4; pad: the padding element. */
void planes_fill_f32(const struct planes *p, const float *src, float *dst,
		     float pad);
/* The same into a copy that has its padding already. */
void planes_copy_f32(const struct planes *p, const float *src, float *dst);
void planes_fill_8(const struct planes *p, const uint8_t *src, uint8_t *dst,
		   uint8_t pad);

/* Columns [j0, j1) of the flat index within a depth slice, without the unused
 * ones: tmp holds them from column 0, y is the first output of the slice. */
void planes_scatter(const struct planes *p, const float *tmp, int64_t ldt,
		    int64_t rows, int64_t j0, int64_t j1, float *y,
		    int64_t ldy);
/* Flat columns of a depth slice that hold outputs. */
static inline int64_t planes_flat(const struct planes *p)
{
	return (p->out[1] - 1) * p->q[2] + p->out[2];
}

#endif
