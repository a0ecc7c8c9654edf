/* SPDX-License-Identifier: MIT */
/*
 * cpu.c -- the instruction sets of this machine, asked once.
 */
#include "runtime/cpu.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "base/util.h"

static const char *const level_name[CPU_LEVELS] = {
	[CPU_PORTABLE] = "portable",
	[CPU_AVX2] = "avx2",
	[CPU_AVX512] = "avx512",
};

/* Level + 1; 0: not asked yet.  Racing threads store the same number. */
static atomic_int current;

const char *cpu_level_name(enum cpu_level l)
{
	return level_name[l];
}

static enum cpu_level cpu_detect(void)
{
#if defined(__x86_64__)
	unsigned a, b, c = 0, d;

	/* The builtin also asks whether the system saves the registers. */
	if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") ||
	    !__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_F16C))
		return CPU_PORTABLE;
	if (__builtin_cpu_supports("avx512f") &&
	    __builtin_cpu_supports("avx512bw") &&
	    __builtin_cpu_supports("avx512dq") &&
	    __builtin_cpu_supports("avx512vl"))
		return CPU_AVX512;
	return CPU_AVX2;
#else
	return CPU_PORTABLE;
#endif
}

static enum cpu_level cpu_masked(void)
{
	const char *mask = getenv("PARE_CPU");
	enum cpu_level have = cpu_detect();

	for (int i = 0; mask && i < CPU_LEVELS; i++)
		if (strcmp(mask, level_name[i]) == 0 &&
		    (enum cpu_level)i < have)
			return (enum cpu_level)i;
	return have;
}

enum cpu_level cpu_level(void)
{
	int l = atomic_load_explicit(&current, memory_order_relaxed);

	if (l == 0) {
		l = (int)cpu_masked() + 1;
		atomic_store_explicit(&current, l, memory_order_relaxed);
	}
	return (enum cpu_level)(l - 1);
}

bool cpu_has_vnni(void)
{
#if defined(__x86_64__)
	return cpu_level() == CPU_AVX512 &&
	       __builtin_cpu_supports("avx512vnni");
#else
	return false;
#endif
}

enum cpu_level cpu_set_level(enum cpu_level max)
{
	enum cpu_level have = cpu_masked();

	atomic_store_explicit(&current, (int)(max < have ? max : have) + 1,
			      memory_order_relaxed);
	return cpu_level();
}
