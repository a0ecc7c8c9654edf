/* SPDX-License-Identifier: MIT */
/*
 * lanes_p.h -- elements of every type as lanes of double, int64 or float.
 *
 * Kernels compute on short runs of lanes, so that one loop serves all types:
 * floats are widened to double and rounded once when stored; integers are
 * widened to int64 (uint64 by its bits) and wrap when stored.
 */
#ifndef RUNTIME_KERNELS_LANES_P_H
#define RUNTIME_KERNELS_LANES_P_H

#include "base/dtype.h"

enum lane { LANE_F64, LANE_I64, LANE_F32 };

static inline size_t lane_size(enum lane l)
{
	return l == LANE_F32 ? 4 : 8;
}

/* Is an array of t already an array of lanes? */
static inline bool lane_is(enum lane l, enum dtype t)
{
	return (l == LANE_F64 && t == DT_F64) ||
	       (l == LANE_F32 && t == DT_F32) ||
	       (l == LANE_I64 && (t == DT_I64 || t == DT_U64));
}

/* The lanes that hold t exactly; false for strings and complex numbers. */
bool lane_of(enum dtype t, enum lane *l);

/* n elements from number `off`, every stride-th (0 repeats one), to lanes.
 * LANE_I64 takes integers and bool, LANE_F32 takes F32 only. */
void lanes_load(enum lane l, enum dtype t, const void *base, int64_t off,
		int64_t stride, size_t n, void *dst);
/* n lanes to consecutive elements from number off.  Floats round once;
 * integers from int64 wrap; integers from double are cut toward zero, and
 * what does not fit behaves as x86 conversion does (see cast_to_int). */
void lanes_store(enum lane l, enum dtype t, void *base, int64_t off, size_t n,
		 const void *src);
/* Same from LANE_I64 lanes that hold uint64. */
void lanes_store_u64(enum dtype t, void *base, int64_t off, size_t n,
		     const void *src);

#endif
