/* SPDX-License-Identifier: MIT */
/*
 * matmul_p.h -- shapes of Gemm and the MatMul family.
 */
#ifndef RUNTIME_KERNELS_MATMUL_P_H
#define RUNTIME_KERNELS_MATMUL_P_H

#include "runtime/kernels/shared/nn_p.h"

/*
 * A stack of products [m, k] x [k, n].  Product t takes matrix amat[t] of A
 * and bmat[t] of B, counted in matrices, which are ast and bst elements
 * apart.  Element (i, p) of a matrix of A is at i * ars + p * acs, of B (p, j)
 * at p * brs + j * bcs.
 */
struct matmul {
	int64_t m, n, k, batch;
	int64_t ars, acs, brs, bcs;
	int64_t ast, bst;     /* elements from one matrix to the next */
	int64_t na, nb;       /* matrices in A and B */
	int64_t *amat, *bmat; /* batch entries */
	int rank;             /* of the result */
	int64_t dim[KERNEL_MAX_RANK];
};

/* numpy.matmul shapes of inputs ja and jb; E-shape.  The contributed
 * FusedMatMul and its kin transpose them by attributes. */
enum status matmul_init(struct kcall *c, struct matmul *mm, uint32_t ja,
			uint32_t jb);
/* One product of plain 2-D matrices, transposed where told. */
enum status matmul_init_2d(struct kcall *c, struct matmul *mm, uint32_t ja,
			   uint32_t jb, bool ta, bool tb);

/* Gemm's input C (j), broadcast to [m, n]: element strides, and the input
 * checked; strides are 0 along broadcast axes. */
enum status gemm_bias(struct kcall *c, uint32_t j, int64_t m, int64_t n,
		      int64_t *rs, int64_t *cs);

/* Attribute alpha of the contributed products; 1 for others. */
double matmul_alpha(const struct kcall *c);

#endif
