/* SPDX-License-Identifier: MIT */
/*
 * arena.h -- allocate many, free once.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/util.h"

struct arena_chunk;

struct arena {
	struct arena_chunk *head;
	size_t total; /* bytes obtained from the system */
};

void arena_init(struct arena *a);
void arena_release(struct arena *a);

/* Zeroed memory, 16-byte aligned, valid until arena_release.  Never NULL. */
void *arena_alloc(struct arena *a, size_t n);
/* n * size zeroed bytes; an overflowing product is out of memory. */
void *arena_array(struct arena *a, size_t n, size_t size);
/* Like arena_alloc, for sizes read from a file: NULL when over the limit. */
void *arena_try(struct arena *a, size_t n);
void *arena_dup(struct arena *a, const void *p, size_t n);
struct str arena_str(struct arena *a, struct str s);
char *arena_printf(struct arena *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#define arena_new(a, T) ((T *)arena_alloc((a), sizeof(T)))

#endif
