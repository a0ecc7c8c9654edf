/* SPDX-License-Identifier: MIT */
/*
 * index_p.h -- indices that come as data: checked, then walked.
 */
#ifndef RUNTIME_KERNELS_INDEX_P_H
#define RUNTIME_KERNELS_INDEX_P_H

#include "runtime/kernel.h"

/* v in [-len, len) to [0, len). */
static inline bool index_fix(int64_t v, int64_t len, int64_t *at)
{
	*at = v < 0 ? v + len : v;
	return *at >= 0 && *at < len;
}

/* Input j, any integer type, as int64. */
enum status index_read(struct kcall *c, uint32_t j, const int64_t **v);
enum status index_range(struct kcall *c, int64_t v, int64_t len);

/* Indices along one axis, of the data's rank (GatherElements and kin): the
 * data position of index number i, to be asked for in order. */
struct along {
	const struct array *ix;
	const int64_t *index;
	int axis;
	int64_t len, off;
	int64_t stride[KERNEL_MAX_RANK], idx[KERNEL_MAX_RANK];
};

enum status along_prepare(struct kcall *c, struct along *w, uint32_t data,
			  uint32_t index);
int64_t along_next(struct along *w, int64_t i);

/* Index tuples in the last dimension (GatherND and kin). */
struct tuples {
	const struct array *x;
	const int64_t *index;
	int k, batch;  /* entries of a tuple; leading batch dims */
	int64_t n;     /* tuples */
	int64_t slice; /* elements that one tuple addresses */
	int64_t inner, per_batch;
};

enum status tuple_prepare(struct kcall *c, struct tuples *t, uint32_t data,
			  uint32_t index, int batch);
/* Position of tuple i in the data; false: out of range. */
bool tuple_at(const struct tuples *t, int64_t i, int64_t *pos);

#endif
