/* SPDX-License-Identifier: MIT */
/*
 * pool.h -- the thread pool: dynamic chunks, the caller takes part.
 *
 * Results must not depend on the number of threads: tasks write disjoint
 * outputs and never share a reduction.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include "base/util.h"

/* Number of threads used by pool_for; 0 picks PARE_THREADS or the CPUs. */
void pool_set_threads(unsigned n);
unsigned pool_threads(void);
/* Run fn(arg, i) for i in [0, n), in any order and on any thread. */
void pool_for(size_t n, void (*fn)(void *arg, size_t i), void *arg);
void pool_shutdown(void);

#endif
