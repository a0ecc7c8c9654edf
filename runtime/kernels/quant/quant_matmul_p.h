/* SPDX-License-Identifier: MIT */
/*
 * quant_matmul_p.h -- one description for all products of 8-bit matrices.
 *
 * sum[i, j] = bias[i, j] + (A - a_zero)(B - b_zero), exact in int32.  The
 * result is the sum itself, or range(sum * mult), or, in float,
 * sum * mult + fbias[j].
 */
#ifndef RUNTIME_KERNELS_QUANT_MATMUL_P_H
#define RUNTIME_KERNELS_QUANT_MATMUL_P_H

#include "runtime/kernels/quant/igemm_p.h"
#include "runtime/kernels/matmul/matmul_p.h"
#include "runtime/kernels/quant/qsimd_p.h"
#include "runtime/kernels/quant/quant_p.h"

struct qmatmul {
	struct matmul mm;
	struct q8_mat a, b; /* of matrix 0 */
	uint32_t jb, jbz;   /* inputs that hold B and its zero point */
	enum dtype to;      /* int32, 8 bits, or float32 */
	struct q8_range range;
	float *mult;            /* grid of rows and columns by the steps */
	int row_step, col_step; /* 1: scales differ along the axis */
	const int32_t *bias;    /* NULL: none; element (i, j) by strides */
	int64_t bias_rs, bias_cs;
	const float *fbias; /* per column; NULL: none */
	const int16_t *packed;
	size_t each; /* int16s of one packed matrix of B */
	struct array *y;
};

/* The node's operator decides (quant_matmul_init.c). */
enum status qmatmul_init(struct kcall *c, struct qmatmul *q);

/* The float results of a product without an output of its own (QAttention),
 * m n floats; both sets give the same bits. */
enum status qmatmul_floats(struct kcall *c, struct qmatmul *q, bool fast,
			   float *y);

/* QLinearMatMul of float8, or with scales per matrix (quant_matmul_any.c). */
bool qmatmul_is_any(const struct kcall *c);
enum status qmatmul_any(struct kcall *c);

#endif
