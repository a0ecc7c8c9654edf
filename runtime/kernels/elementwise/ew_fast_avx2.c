/* SPDX-License-Identifier: MIT */
/*
 * ew_fast_avx2.c -- the float loops for AVX2.  No FMA: the same bits.
 */
#if defined(__x86_64__)
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2"))), \
			     apply_to = function)
#elif defined(__OPTIMIZE__)
#pragma GCC optimize("O3,no-trapping-math,no-math-errno")
#pragma GCC target("avx2")
#else
#pragma GCC target("avx2")
#endif

#include <math.h>

#include "runtime/kernels/elementwise/ew_p.h"
#include "runtime/mathf.h"

#define NAME(op) v_##op
#include "runtime/kernels/elementwise/ew_fast_body.h"

#if defined(__clang__)
#pragma clang attribute pop
#endif
#else
/* An empty file is not C. */
typedef int ew_fast_avx2_unused;
#endif
