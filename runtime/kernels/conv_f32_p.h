/* SPDX-License-Identifier: MIT */
/*
 * conv_f32_p.h -- float32 convolution kernels with few channels per group.
 */
#ifndef RUNTIME_KERNELS_CONV_F32_P_H
#define RUNTIME_KERNELS_CONV_F32_P_H

#include "runtime/kernels/conv_plane_p.h"

/* One input channel per group: a sum of shifted planes. */
enum status conv_depthwise_f32(struct kcall *c, const struct conv *v,
			       const struct planes *p, float *y);

#endif
