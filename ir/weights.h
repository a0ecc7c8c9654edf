/* SPDX-License-Identifier: MIT */
/*
 * weights.h -- which inputs of an operator are weights, and along which axes.
 *
 * The one table behind per-channel scales, N:M groups and the like.
 */
#ifndef IR_WEIGHTS_H
#define IR_WEIGHTS_H

#include "ir/ir.h"

struct weight {
	struct value *v; /* a known constant of float type, rank >= 1 */
	uint32_t input;
	int channel;     /* axis of output channels; -1: none */
	int contraction; /* axis that is summed over; -1: none */
};

enum { WEIGHT_MAX = 3 };

/* Does the operator take weights at all? */
bool node_has_weights(const struct node *n);
/* Its constant float weights; returns their number (0..WEIGHT_MAX). */
size_t node_weights(const struct node *n, struct weight *w);
/* Store t in place of a constant's value: in its initializer or Constant
 * node.  t must have the same type and dims. */
void value_set_const(struct value *v, const struct tensor *t);

#endif
