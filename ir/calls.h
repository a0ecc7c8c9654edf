/* SPDX-License-Identifier: MIT */
/*
 * calls.h -- do calls of model-local functions end?
 */
#ifndef IR_CALLS_H
#define IR_CALLS_H

#include "ir/ir.h"

enum { FUNC_MAX = 10000 }; /* functions of a model */

/*
 * E-func if a function calls itself, directly or not, if calls are nested
 * more than 100 deep, or if inlining all of them would make more than 10
 * million nodes.  For models from outside, once every node is bound.
 */
enum status model_check_calls(struct model *m);

#endif
