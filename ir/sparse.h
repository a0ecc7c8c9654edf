/* SPDX-License-Identifier: MIT */
/*
 * sparse.h -- is a pair of tensors a sparse tensor?
 */
#ifndef IR_SPARSE_H
#define IR_SPARSE_H

#include "ir/ir.h"

/*
 * values [nnz]; indices int64 [nnz] (offsets into the dense tensor) or
 * [nnz, rank] (coordinates), inside the dense shape dim[rank] and strictly
 * ascending.  SparseTensorProto of onnx.proto.
 */
bool sparse_valid(const struct model *m, const struct tensor *values,
		  const struct tensor *indices, const int64_t *dim, int rank);

#endif
