/* SPDX-License-Identifier: MIT */
/*
 * quant_conv_p.h -- QLinearConv and ConvInteger: parameters and stores.
 */
#ifndef RUNTIME_KERNELS_QUANT_CONV_P_H
#define RUNTIME_KERNELS_QUANT_CONV_P_H

#include "runtime/kernels/conv/conv_plane_p.h"
#include "runtime/kernels/quant/qsimd_p.h"
#include "runtime/kernels/quant/quant_p.h"

struct qconv {
	struct conv v;
	const uint8_t *x, *w;
	bool xsigned, wsigned;
	int32_t xzero;
	const int32_t *wzero; /* per filter by wstep */
	int wstep;
	uint32_t jwz;
	const int32_t *bias; /* NULL: none */
	bool requant;        /* QLinearConv */
	enum dtype to;
	struct q8_range range;
	float *mult; /* per filter */
	struct array *y;
};

enum status qconv_init_linear(struct kcall *c, struct qconv *q);
enum status qconv_init_integer(struct kcall *c, struct qconv *q);
/* n sums of filter f at element `at` of the result. */
void qconv_store(const struct qconv *q, const struct qsimd *s, int64_t at,
		 const int32_t *sum, int64_t f, int64_t n);

#endif
