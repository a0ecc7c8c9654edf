/* SPDX-License-Identifier: MIT */
/*
 * ew_fast.c -- the float loops for any CPU, and the choice of the set.
 */
#if defined(__GNUC__) && !defined(__clang__) && defined(__OPTIMIZE__)
/* Below -O3 this compiler leaves loops of unknown length scalar; selections
 * between floats count as traps unless it is told otherwise.  Neither changes
 * a result. */
#pragma GCC optimize("O3,no-trapping-math,no-math-errno")
#endif

#include <math.h>

#include "runtime/cpu.h"
#include "runtime/kernels/elementwise/ew_p.h"
#include "runtime/mathf.h"

#define NAME(op) q_##op
#include "runtime/kernels/elementwise/ew_fast_body.h"

ew_fn *ew_fast(ew_fn *q)
{
#if defined(__x86_64__)
#define FAST(op) {q_##op, v_##op},
	static const struct {
		ew_fn *any, *avx2;
	} both[] = {
#include "runtime/kernels/elementwise/ew_fast.def"
	};
#undef FAST

	for (size_t i = 0; cpu_level() >= CPU_AVX2 && i < countof(both); i++)
		if (both[i].any == q)
			return both[i].avx2;
#endif
	return q;
}
