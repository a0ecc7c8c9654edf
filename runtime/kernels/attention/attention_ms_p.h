/* SPDX-License-Identifier: MIT */
/*
 * attention_ms_p.h -- masks, biases and past of the contributed Attention,
 * QAttention and MultiHeadAttention.
 */
#ifndef RUNTIME_KERNELS_ATTENTION_MS_P_H
#define RUNTIME_KERNELS_ATTENTION_MS_P_H

#include "runtime/kernels/attention/attention_p.h"

/* Masked keys get `filter` added to their scores: not quite minus infinity. */
struct ms_rules {
	int64_t past;
	bool causal;
	double filter;
	const int32_t *mask; /* NULL: none */
	enum {
		MASK_ENDS,   /* [batch]: the first key that is padding */
		MASK_SPANS,  /* [2 batch]: that, and then the first that is not
			      */
		MASK_KEYS,   /* [batch, total]: 0 where masked */
		MASK_SCORES, /* [batch, q, total] */
	} kind;
	const struct array *bias; /* [batch or 1, qheads or 1, q, total] */
	int64_t bstride[4];
};

/* Inputs jmask and jbias, where given, and the node's attributes; sets the
 * scale and mask of t, whose shapes are known. */
enum status ms_rules_init(struct kcall *c, struct ms_rules *r,
			  struct attention *t, uint32_t jmask, uint32_t jbias);
/* Attribute scale, where 0 also means 1 / sqrt(size). */
double ms_scale(const struct kcall *c, int64_t size);
/* add[j] += bias[b, h, i, j] for n keys from j on, as ms_rules_init checked
 * the shape. */
enum status ms_bias_init(struct kcall *c, uint32_t j, const struct attention *t,
			 const struct array **bias, int64_t *stride);
double ms_bias_at(const struct array *bias, const int64_t *stride, int64_t b,
		  int64_t h, int64_t i, int64_t j);
/* dst = the past (p NULL: none) and the new rows, [batch, heads, total]. */
void ms_with_past(const struct attention *t, struct heads dst, void *past,
		  int64_t npast, struct heads now, int64_t size);

#endif
