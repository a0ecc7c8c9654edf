/* SPDX-License-Identifier: MIT */
/*
 * opset_p.h -- between the walk over versions (opset.c) and the steps of single
 * operators (opset_steps.c).
 */
#ifndef PASSES_OPSET_P_H
#define PASSES_OPSET_P_H

#include "passes/pass.h"

/*
 * What one operator needs beyond the rows of its schema when it enters or
 * leaves a version.  n->op is still the row that it leaves; nodes made for it
 * get the rows of the version that it goes to.  It may become another operator.
 */
typedef enum status opset_step(struct node *n);

/* To (up) or away from version since of an operator; NULL: nothing. */
opset_step *opset_step_find(enum op_id id, int since, bool up);
/* Take input i away, and the constant with it if nobody else has it. */
void opset_drop_input(struct node *n, uint32_t i);
/* E-unsupported, naming the node. */
enum status opset_refuse(const struct node *n, const char *why);

#endif
