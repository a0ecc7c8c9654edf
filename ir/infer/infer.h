/* SPDX-License-Identifier: MIT */
/*
 * infer.h -- shape functions: one per operator family, listed in infer.def.
 *
 * A shape function reads the input types through the helpers and sets output
 * types.  It never guesses: what it cannot tell stays unknown.  It checks rank
 * before index and computes dims with dim_*().
 */
#ifndef IR_INFER_INFER_H
#define IR_INFER_INFER_H

#include "ir/ir.h"

enum { INFER_MAX_DATA = 4096 }; /* elements of propagated integer data */

typedef enum status infer_fn(struct node *n);

/* The row for a node's operator version; NULL: nothing known. */
infer_fn *infer_find(const struct op *op);

/* Type of input i: type_unknown() when left out. */
const struct type *in_type(const struct node *n, uint32_t i);
bool in_rank(const struct node *n, uint32_t i, int *rank);
enum dtype in_dtype(const struct node *n, uint32_t i);
/* Integer data of input i (constant or propagated); false if unknown. */
bool in_data(const struct node *n, uint32_t i, const struct dim **d,
	     uint32_t *count);
/* As in_data with every element a number. */
bool in_ints(const struct node *n, uint32_t i, const int64_t **v,
	     uint32_t *count);

/* Merge a computed type into output i; E-type / E-shape on conflict. */
enum status out_type(struct node *n, uint32_t i, const struct type *t);
enum status out_tensor(struct node *n, uint32_t i, enum dtype dt, int rank,
		       const struct dim *dim);
enum status out_same(struct node *n, uint32_t i, const struct type *t);
void out_data(struct node *n, uint32_t i, const struct dim *d, uint32_t count);
/* Multidirectional broadcast; unknown where not provable; E-shape. */
enum status broadcast_types(struct node *n, const uint32_t *in, size_t nin,
			    int *rank, struct dim **dim);

#define INFER(op, since, fn) infer_fn fn;
#include "ir/infer/infer.def"
#undef INFER

#endif
