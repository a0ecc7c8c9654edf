/* SPDX-License-Identifier: MIT */
/*
 * map.h -- hash map from 64-bit keys (symbols, pointers, hashes) to 64-bit
 * values (numbers or pointers).  Iteration order is insertion order.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/util.h"

struct map_entry {
	uint64_t key, val;
};

struct map {
	struct map_entry *e; /* e[0..n) in insertion order; no deletion */
	uint32_t *slot;      /* index + 1 into e; 0: empty */
	size_t n, cap, nslot;
};

void map_release(struct map *m); /* a zeroed struct map is empty */
void map_clear(struct map *m);
/* The value's address or NULL; valid until the next map_put. */
uint64_t *map_get(const struct map *m, uint64_t key);
/* Insert or overwrite.  Returns true if the key was new. */
bool map_put(struct map *m, uint64_t key, uint64_t val);

static inline uint64_t map_ptr_key(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

static inline void *map_get_ptr(const struct map *m, uint64_t key)
{
	uint64_t *v = map_get(m, key);

	return v ? (void *)(uintptr_t)*v : NULL;
}

static inline bool map_put_ptr(struct map *m, uint64_t key, const void *p)
{
	return map_put(m, key, map_ptr_key(p));
}

#endif
