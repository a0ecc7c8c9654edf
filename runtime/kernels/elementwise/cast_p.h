/* SPDX-License-Identifier: MIT */
/*
 * cast_p.h -- text to numbers, for the kernels that read strings.
 */
#ifndef RUNTIME_KERNELS_CAST_P_H
#define RUNTIME_KERNELS_CAST_P_H

#include "runtime/runtime.h"

/* Element `at` of y, of type dt, from text; false: it is no number. */
bool cast_parse(struct str s, enum dtype dt, struct array *y, int64_t at);

#endif
