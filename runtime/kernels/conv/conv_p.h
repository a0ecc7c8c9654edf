/* SPDX-License-Identifier: MIT */
/*
 * conv_p.h -- what the convolution kernels agree on.
 */
#ifndef RUNTIME_KERNELS_CONV_P_H
#define RUNTIME_KERNELS_CONV_P_H

#include "runtime/kernels/shared/nn_p.h"

/*
 * X [batch, group * c, in...], W [group * m, c, kernel...] (transposed:
 * [group * c, m, kernel...]), Y [batch, group * m, out...].
 */
struct conv {
	struct window w;
	int64_t batch, group, c, m;
	uint32_t jx, jw; /* inputs that hold X and W */
	int rank;        /* of Y */
	int64_t dim[WINDOW_MAX + 2];
};

/* Shapes of the convolution of inputs jx and jw; jb: bias, checked to be a
 * vector of group * m where given (type bias_dt). */
enum status conv_init(struct kcall *c, struct conv *v, uint32_t jx, uint32_t jw,
		      uint32_t jb, enum dtype bias_dt);
enum status conv_init_transposed(struct kcall *c, struct conv *v);

#endif
