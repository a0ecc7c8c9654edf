/* SPDX-License-Identifier: MIT */
/*
 * rng.h -- counter-based random numbers: value i of stream s is a pure
 * function of (seed, s, i), the same on every machine and thread count.
 */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stdint.h>

struct rng {
	uint64_t seed, stream, i;
};

struct rng rng_make(uint64_t seed, uint64_t stream);
uint64_t rng_at(uint64_t seed, uint64_t stream, uint64_t i);
uint64_t rng_next(struct rng *r);
double rng_unit(struct rng *r);                /* uniform in [0, 1) */
double rng_normal(struct rng *r);              /* mean 0, variance 1 */
uint64_t rng_below(struct rng *r, uint64_t n); /* uniform in [0, n), n > 0 */

#endif
