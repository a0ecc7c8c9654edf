/* SPDX-License-Identifier: MIT */
/*
 * vec.c -- growth of struct VEC: by half, so the amortized cost is O(1).
 */
#include "base/vec.h"

void *vec_grow(void *p, size_t n, size_t *cap, size_t es)
{
	size_t want = n + n / 2 + 4, bytes;

	if (!mul_size(want, es, &bytes))
		out_of_memory();
	p = xrealloc(p, bytes);
	*cap = want;
	return p;
}
