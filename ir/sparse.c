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

/* The offset that row i of the coordinates stands for; -1: outside. */
static int64_t offset_of(const int64_t *at, const int64_t *dim, int rank)
{
	int64_t off = 0;

	for (int k = 0; k < rank; k++) {
		if (at[k] < 0 || at[k] >= dim[k])
			return -1;
		off = off * dim[k] + at[k];
	}
	return off;
}

bool sparse_valid(const struct model *m, const struct tensor *values,
		  const struct tensor *indices, const int64_t *dim, int rank)
{
	const int64_t *p;
	int64_t total, last = -1;

	if (!dense_count(dim, rank, &total) || values->rank != 1 ||
	    indices->dt != DT_I64 || indices->sparse_indices ||
	    (indices->rank != 1 && indices->rank != 2) ||
	    indices->dim[0] != values->n ||
	    (indices->rank == 2 && indices->dim[1] != rank))
		return false;
	p = tensor_data(m, indices);
	for (int64_t i = 0; p && i < values->n; i++) {
		int64_t off = indices->rank == 1
				      ? p[i]
				      : offset_of(p + i * rank, dim, rank);

		if (off <= last || off >= total)
			return false;
		last = off;
	}
	return p != NULL;
}
