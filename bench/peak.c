/* SPDX-License-Identifier: MIT */
/*
 * peak.c -- the float32 multiply-add peak of one core, in Gflop/s: one line
 * for vectors of 8 floats, one for 16 where the CPU has them.  Twelve
 * independent chains hide the latency; the best of many short runs counts.
 */
#include <stdio.h>
#include <time.h>
#if defined(__x86_64__)
#include <immintrin.h>

enum { STEPS = 1000000, CHAINS = 12, RUNS = 20 };

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#define LOOP(name, isa, vec, set, fma)                                       \
	__attribute__((target(isa))) static double name(void)                \
	{                                                                    \
		double start = now();                                        \
		vec r[CHAINS], a = set(0.5f);                                \
                                                                             \
		_Pragma("GCC unroll 12") for (int i = 0; i < CHAINS; i++)    \
			r[i] = a;                                            \
		for (long k = 0; k < STEPS; k++) {                           \
			_Pragma("GCC unroll 12") for (int i = 0; i < CHAINS; \
						      i++)                   \
			{                                                    \
				r[i] = fma(r[i], a, a);                      \
				__asm__ volatile("" : "+x"(r[i]));           \
			}                                                    \
		}                                                            \
		return now() - start;                                        \
	}

LOOP(loop8, "avx2,fma", __m256, _mm256_set1_ps, _mm256_fmadd_ps)
LOOP(loop16, "avx512f", __m512, _mm512_set1_ps, _mm512_fmadd_ps)

static void measure(const char *name, double (*loop)(void), int width)
{
	double best = 1e9;

	for (int i = 0; i < RUNS; i++) {
		double s = loop();

		best = s < best ? s : best;
	}
	printf("%s %.1f\n", name, 2e-9 * width * CHAINS * STEPS / best);
}

int main(void)
{
	if (__builtin_cpu_supports("fma"))
		measure("avx2", loop8, 8);
	if (__builtin_cpu_supports("avx512f"))
		measure("avx512", loop16, 16);
	return 0;
}
#else
int main(void)
{
	return 0;
}
#endif
