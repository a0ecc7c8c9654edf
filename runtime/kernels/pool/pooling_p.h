/* SPDX-License-Identifier: MIT */
/*
 * pooling_p.h -- what the pooling kernels agree on.
 */
#ifndef RUNTIME_KERNELS_POOLING_P_H
#define RUNTIME_KERNELS_POOLING_P_H

#include "runtime/kernels/shared/nn_p.h"

/* X [batch, channels, in...]; planes = batch * channels. */
struct pooling {
	struct window w;
	int64_t planes;
	int rank;
	int64_t dim[WINDOW_MAX + 2];
};

/* Shapes of a pooling node.  global: the window is the whole image. */
enum status pooling_init(struct kcall *c, struct pooling *p, bool global);

/* MaxPool of 8-bit integers without indices. */
enum status max_pool_8bit(struct kcall *c);

#endif
