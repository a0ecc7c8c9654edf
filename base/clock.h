/* SPDX-License-Identifier: MIT */
/*
 * clock.h -- time that only moves forward, for limits, budgets and timings.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

int64_t clock_ns(void);     /* nanoseconds since some moment */
double clock_seconds(void); /* the same in seconds */

#endif
