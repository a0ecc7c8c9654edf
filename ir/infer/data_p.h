/* SPDX-License-Identifier: MIT */
/*
 * data_p.h -- shared by the rules for integer data.
 */
#ifndef IR_INFER_DATA_P_H
#define IR_INFER_DATA_P_H

#include "ir/infer/infer.h"

struct out { /* elements of output 0 being made */
	struct dim *d;
	uint32_t n;
	bool done;
};

/* The elements of input i: its data, or as many unknowns as it holds. */
bool data_in(const struct node *n, uint32_t i, const struct dim **d,
	     uint32_t *count);
/* Arithmetic, comparisons and logic, element by element (data_arith.c). */
void data_arith(struct node *n, struct out *o);

#endif
