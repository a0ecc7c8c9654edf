/* SPDX-License-Identifier: MIT */
/*
 * data_p.h -- shared by the rules for elements of small tensors.
 */
#ifndef IR_INFER_DATA_P_H
#define IR_INFER_DATA_P_H

#include "ir/infer/infer.h"

struct out { /* elements of output 0 being made */
	struct dim *d;
	uint32_t n;
	bool real; /* in units of 1/INFER_UNIT */
	bool done;
};

static inline bool is_real(enum dtype dt)
{
	return dt == DT_F32 || dt == DT_F64;
}

/* The elements of input i, integers or floats; false if none is known. */
bool data_known(const struct node *n, uint32_t i, const struct dim **d,
		uint32_t *count);
/* The same, or as many unknowns as it holds. */
bool data_in(const struct node *n, uint32_t i, const struct dim **d,
	     uint32_t *count);
/* The elements of input 0 as they are. */
void data_copy(struct node *n, struct out *o);
/* Where element k of the shape, in row-major order, lies by steps per axis. */
int64_t data_offset(const struct type *t, int64_t k, const int64_t *step);

typedef void data_fn(struct node *n, struct out *o);

/* Elements chosen by position (data_pick.c). */
data_fn data_transpose, data_slice, data_gather, data_gather_elements,
	data_gather_nd, data_scatter, data_split, data_expand, data_tile,
	data_nonzero, data_cumsum;
/* Elements that are no integers (data_real.c). */
data_fn real_cast, real_round;
/* What float does not hold is unknown. */
void real_check(struct model *m, enum dtype dt, struct out *o);
struct dim real_mul(struct model *m, struct dim a, struct dim b);
struct dim real_div(struct model *m, struct dim a, struct dim b);
/* Arithmetic, comparisons and logic, element by element (data_arith.c). */
data_fn data_arith;

#endif
