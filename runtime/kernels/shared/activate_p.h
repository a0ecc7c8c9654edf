/* SPDX-License-Identifier: MIT */
/*
 * activate_p.h -- what the contributed Fused* operators do after a product or
 * convolution: add input Z, apply the activation that an attribute names.
 */
#ifndef RUNTIME_KERNELS_ACTIVATE_P_H
#define RUNTIME_KERNELS_ACTIVATE_P_H

#include "runtime/kernels/shared/nn_p.h"

/*
 * Both leave operators alone that are not fused.  y has the shape of output
 * 0.  E_attr: the activation is no elementwise operator of one operand;
 * E_shape: Z has another shape.
 */
enum status activate_f64(struct kcall *c, int rank, const int64_t *dim,
			 double *y);
/* The float output 0, in place. */
enum status activate_f32(struct kcall *c);
bool activates(const struct kcall *c);

#endif
