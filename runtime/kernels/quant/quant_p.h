/* SPDX-License-Identifier: MIT */
/*
 * quant_p.h -- parameters of the quantized products and convolutions.
 */
#ifndef RUNTIME_KERNELS_QUANT_P_H
#define RUNTIME_KERNELS_QUANT_P_H

#include "runtime/kernels/shared/nn_p.h"

/* Input j is an 8-bit tensor. */
enum status q8_tensor(struct kcall *c, uint32_t j);
/* Zero points of input j, of type dt: one, or n of them; zeros where left
 * out.  *step: 0 for one, else 1. */
enum status q8_zeros(struct kcall *c, uint32_t j, enum dtype dt, int64_t n,
		     const int32_t **zero, int *step);
/* Scales of input j as floats: one, or n of them. */
enum status q8_scales(struct kcall *c, uint32_t j, int64_t n,
		      const float **scale, int *step);
/* One scale / one zero point. */
enum status q8_scale(struct kcall *c, uint32_t j, float *scale);
enum status q8_zero(struct kcall *c, uint32_t j, enum dtype dt, int32_t *zero);

/* n floats to uint8 as DynamicQuantizeLinear specifies. */
void q8_dynamic(const float *x, int64_t n, uint8_t *y, float *scale,
		int32_t *zero);

#endif
