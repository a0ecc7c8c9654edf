/* SPDX-License-Identifier: MIT */
/*
 * sparse.c -- is a pair of tensors a sparse tensor?
 */
#include "ir/sparse.h"

static bool dense_count(const int64_t *dim, int rank, int64_t *n)
{
	*n = 1;
	for (int i = 0; i < rank; i++)
		if (dim[i] < 1 || !mul_i64(*n, dim[i], n))
			return false;
	return rank > 0;
}

/* The offset that row i of the indices stands for; -1: outside. */
static int64_t offset_of(const struct model *m, const struct tensor *ix,
			 int64_t i, const int64_t *dim, int rank)
{
	int64_t off = 0;

	if (ix->rank == 1)
		return tensor_int(m, ix, i);
	for (int k = 0; k < rank; k++) {
		int64_t at = tensor_int(m, ix, i * rank + k);

		if (at < 0 || at >= dim[k])
			return -1;
		off = off * dim[k] + at;
	}
	return off;
}

bool sparse_valid(const struct model *m, const struct tensor *values,
		  const struct tensor *indices, const int64_t *dim, int rank)
{
	int64_t total, last = -1;

	if (!dense_count(dim, rank, &total) || values->rank != 1 ||
	    indices->dt != DT_I64 || indices->sparse_indices ||
	    (indices->rank != 1 && indices->rank != 2) ||
	    indices->dim[0] != values->n ||
	    (indices->rank == 2 && indices->dim[1] != rank))
		return false;
	for (int64_t i = 0; i < values->n; i++) {
		int64_t off = offset_of(m, indices, i, dim, rank);

		if (off <= last || off >= total)
			return false;
		last = off;
	}
	return true;
}
