/* SPDX-License-Identifier: MIT */
/*
 * nbits_p.h -- matrices of weights with a few bits per element.
 *
 * MatMulNBits: B is stored as N rows of K elements, in blocks of `block`
 * elements along K that share a scale and a zero point;
 * element = (q - zero) scale.
 */
#ifndef RUNTIME_KERNELS_NBITS_P_H
#define RUNTIME_KERNELS_NBITS_P_H

#include "runtime/kernels/shared/nn_p.h"

struct nbits {
	int64_t m, n, k; /* Y [m, n] = A [m, k] B */
	int bits;        /* 2, 4 or 8, first element in the low bits */
	int64_t block, blocks, blob; /* elements, per row, bytes */
	const uint8_t *q;            /* NULL: B is left out, and zero */
	const struct array *scale;   /* [n, blocks] */
	const struct array *zero; /* packed, or [n, blocks] floats, or NULL */
	int64_t zrow;             /* bytes of a row of packed zeros */
	const int32_t *group;     /* block of each k; NULL: k / block */
	const struct array *bias; /* [n] or NULL */
	int rank;                 /* of Y */
	int64_t dim[KERNEL_MAX_RANK];
};

enum status nbits_init(struct kcall *c, struct nbits *w);
/* Element k of column j, not yet scaled. */
int nbits_q(const struct nbits *w, int64_t j, int64_t k);
static inline int64_t nbits_group(const struct nbits *w, int64_t k)
{
	return w->group ? w->group[k] : k / w->block;
}
double nbits_zero(const struct nbits *w, int64_t j, int64_t g);

#endif
