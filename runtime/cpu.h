/* SPDX-License-Identifier: MIT */
/*
 * cpu.h -- which instruction sets the fast kernels may use.
 *
 * The level never shows in a result: every kernel gives the same bits at each
 * level.  PARE_CPU=portable|avx2|avx512 masks downwards, never upwards.
 */
#ifndef RUNTIME_CPU_H
#define RUNTIME_CPU_H

#include <stdbool.h>

enum cpu_level {
	CPU_PORTABLE, /* plain C */
	CPU_AVX2,     /* AVX2, FMA and F16C */
	CPU_AVX512,   /* AVX-512 F, BW, DQ, VL besides */
	CPU_LEVELS
};

/* The level in force: what the machine has, masked by PARE_CPU and
 * cpu_set_level(). */
enum cpu_level cpu_level(void);
/* AVX-512 VNNI, only at CPU_AVX512. */
bool cpu_has_vnni(void);
/* For tests: use at most this level from now on (not while kernels run).
 * Returns the level in force, which the machine may keep lower. */
enum cpu_level cpu_set_level(enum cpu_level max);
const char *cpu_level_name(enum cpu_level l);

#endif
