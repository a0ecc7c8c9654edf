/* SPDX-License-Identifier: MIT */
/*
 * hash.c -- the process's hash seed, from the system's random numbers.
 */
#include "base/hash.h"

#include <pthread.h>
#include <sys/random.h>
#include <time.h>
#include <xxhash.h>

static uint64_t seed;

static void seed_init(void)
{
	struct timespec t;

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) ==
	    (ssize_t)sizeof(seed))
		return;
	clock_gettime(CLOCK_REALTIME, &t);
	seed = hash_mix((uint64_t)t.tv_nsec ^ (uint64_t)t.tv_sec << 30 ^
			(uint64_t)(uintptr_t)&t);
}

uint64_t hash_seed(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, seed_init);
	return seed;
}

uint64_t hash_bytes(const void *p, size_t n)
{
	return XXH3_64bits_withSeed(n ? p : "", n, hash_seed());
}
