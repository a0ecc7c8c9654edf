/* SPDX-License-Identifier: MIT */
/*
 * hash.h -- the seed of hash tables.
 *
 * Random per process, so that a file cannot be crafted to collide.  Nothing
 * that is written may depend on it: iterate in insertion order.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/util.h"

uint64_t hash_seed(void);
uint64_t hash_bytes(const void *p, size_t n); /* seeded */

/* Finalizer of SplitMix64 (Steele, Lea, Flood 2014): a bijection. */
static inline uint64_t hash_mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

#endif
