/* SPDX-License-Identifier: MIT */
/*
 * rotary_p.h -- rotary position embedding of one head at one position.
 */
#ifndef RUNTIME_KERNELS_ROTARY_P_H
#define RUNTIME_KERNELS_ROTARY_P_H

#include "runtime/kernels/shared/nn_p.h"

/* The caches are [rows, half]; 2 half elements of a head are turned. */
struct rotary {
	int64_t half, rows;
	bool interleaved;
	const double *cosine, *sine;
};

/* y = x turned by row `row` of the caches; `size` elements of es bytes (8:
 * doubles, 4: floats). */
void rotary_turn(const struct rotary *r, int64_t row, size_t es, int64_t size,
		 void *y, const void *x);
/* Loads caches of inputs jc and jc + 1, of the given rank with `half` columns;
 * E_shape, E_type, E_memory. */
enum status rotary_caches(struct kcall *c, struct rotary *r, uint32_t jc,
			  int rank);

#endif
