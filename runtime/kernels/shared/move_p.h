/* SPDX-License-Identifier: MIT */
/*
 * move_p.h -- elements of any type as bytes to move.
 *
 * Types below a byte are unpacked to one byte per element and packed again;
 * strings move as struct str, whose bytes the executor copies afterwards.
 */
#ifndef RUNTIME_KERNELS_MOVE_P_H
#define RUNTIME_KERNELS_MOVE_P_H

#include "runtime/kernel.h"

struct elems {
	uint8_t *p;
	size_t size;          /* bytes of one */
	struct array *packed; /* output of a type below a byte */
};

size_t elem_size(enum dtype dt); /* 1 for types below a byte */
enum status elems_in(struct kcall *c, const struct array *a, struct elems *e);
enum status elems_out(struct kcall *c, struct array *a, struct elems *e);
void elems_done(struct elems *e); /* packs */
/* Output i and its elements at once. */
enum status move_out(struct kcall *c, uint32_t i, enum dtype dt, int rank,
		     const int64_t *dim, struct array **a, struct elems *e);

/* dst, contiguous of shape dim, from src by byte strides (0, negative or any
 * other); parallel where it is large. */
void move_strided(int rank, const int64_t *dim, size_t es, void *dst,
		  const void *src, const int64_t *stride);
/* The other way round: contiguous src into strided dst. */
void move_scatter(int rank, const int64_t *dim, size_t es, void *dst,
		  const int64_t *stride, const void *src);
/* Product of dims [from, to). */
int64_t dims_product(const struct array *a, int from, int to);
enum status move_rank(struct kcall *c, int rank); /* E_unsupported */

#endif
