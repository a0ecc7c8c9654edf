/* SPDX-License-Identifier: MIT */
/*
 * conv_f32_p.h -- the forms of float32 convolution.
 */
#ifndef RUNTIME_KERNELS_CONV_F32_P_H
#define RUNTIME_KERNELS_CONV_F32_P_H

#include "runtime/kernels/conv/conv_plane_p.h"
#include "runtime/kernels/shared/tail_p.h"

/* One input channel per group: a sum of shifted planes. */
enum status conv_depthwise_f32(struct kcall *c, const struct conv *v,
			       const struct planes *p, float *y,
			       const struct tail *tail);

/* Few outputs, many filters: the product with its operands exchanged. */
bool conv_swap_pays(const struct conv *v);
/* direct: a 1x1 convolution with stride 1 and no padding. */
enum status conv_swap_f32(struct kcall *c, const struct conv *v,
			  const struct planes *p, bool direct, float *y,
			  const struct tail *tail);

typedef void conv_pack_fn(const struct conv *v, const float *w, float *dst);
/* The weight as pack lays it out, `each` floats per group (SIZE_MAX: more than
 * can be counted).  One that is constant is packed once, by make, which
 * computes its shapes anew; others go to scratch.  NULL: a diagnostic was
 * given. */
const float *conv_packed_weight(struct kcall *c, const struct conv *v,
				size_t each, conv_pack_fn *pack,
				void (*make)(struct kcall *c, void *dst));

/* Offset of every row k = (c, kd, kh, kw) of the right operand from the first
 * plane of its group; NULL: E-memory. */
const int64_t *conv_offsets(struct kcall *c, const struct conv *v,
			    const struct planes *p);

#endif
