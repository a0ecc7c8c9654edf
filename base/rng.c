/* SPDX-License-Identifier: MIT */
/*
 * rng.c -- counter-based random numbers.
 *
 * Seed, stream and counter go through the SplitMix64 finalizer one after the
 * other; doubles are made by exact integer arithmetic, so that every machine
 * sees the same bits.
 */
#include "base/rng.h"

#include "base/hash.h"
#include "base/util.h"

static const uint64_t GOLDEN = UINT64_C(0x9e3779b97f4a7c15);

struct rng rng_make(uint64_t seed, uint64_t stream)
{
	return (struct rng){.seed = seed, .stream = stream};
}

uint64_t rng_at(uint64_t seed, uint64_t stream, uint64_t i)
{
	uint64_t x = hash_mix(seed + GOLDEN);

	x = hash_mix(x + (stream + 1) * GOLDEN);
	return hash_mix(hash_mix(x ^ (i + 1) * GOLDEN) + GOLDEN);
}

uint64_t rng_next(struct rng *r)
{
	return rng_at(r->seed, r->stream, r->i++);
}

double rng_unit(struct rng *r)
{
	return (double)(rng_next(r) >> 11) * 0x1p-53;
}

/* Sum of 12 uniforms of 32 bits (Irwin-Hall): variance 12/12, |x| <= 6. */
double rng_normal(struct rng *r)
{
	int64_t sum = 6; /* 12 times half a step: the mean is 0 */
	uint64_t x;
	int i;

	for (i = 0; i < 6; i++) {
		x = rng_next(r);
		sum += (int64_t)(x >> 32) + (int64_t)(x & UINT32_MAX);
	}
	return (double)(sum - (INT64_C(6) << 32)) * 0x1p-32;
}

uint64_t rng_below(struct rng *r, uint64_t n)
{
	uint64_t x, limit;

	if (n == 0)
		BUG("rng_below(0)");
	limit = UINT64_MAX - UINT64_MAX % n; /* a multiple of n */
	do
		x = rng_next(r);
	while (x >= limit);
	return x % n;
}
