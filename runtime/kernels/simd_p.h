/* SPDX-License-Identifier: MIT */
/*
 * simd_p.h -- what the files with vector code share.
 */
#ifndef RUNTIME_KERNELS_SIMD_P_H
#define RUNTIME_KERNELS_SIMD_P_H

#define INLINE static inline __attribute__((always_inline))

/* gcc leaves short constant loops over registers rolled at -O2; clang does
 * not and knows no such pragma. */
#if defined(__GNUC__) && !defined(__clang__)
#define PRAGMA_(x) _Pragma(#x)
#define UNROLL(n)  PRAGMA_(GCC unroll n)
#else
#define UNROLL(n)
#endif

#endif
