/* SPDX-License-Identifier: MIT */
/*
 * map.c -- 64-bit hash map: open addressing, entries in insertion order.
 */
#include "base/map.h"

#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "base/vec.h"

void map_release(struct map *m)
{
	free(m->e);
	free(m->slot);
	*m = (struct map){0};
}

void map_clear(struct map *m)
{
	m->n = 0;
	if (m->slot)
		memset(m->slot, 0, m->nslot * sizeof(*m->slot));
}

/* The slot of key, or the empty one where it belongs; nslot > 0. */
static uint32_t *find(const struct map *m, uint64_t key)
{
	size_t mask = m->nslot - 1;
	size_t i = hash_mix(key ^ hash_seed()) & mask;

	while (m->slot[i] && m->e[m->slot[i] - 1].key != key)
		i = (i + 1) & mask;
	return &m->slot[i];
}

uint64_t *map_get(const struct map *m, uint64_t key)
{
	uint32_t i = m->nslot ? *find(m, key) : 0;

	return i ? &m->e[i - 1].val : NULL;
}

static void rehash(struct map *m)
{
	size_t i;

	free(m->slot);
	m->nslot = m->nslot ? m->nslot * 2 : 16;
	m->slot = xcalloc(m->nslot, sizeof(*m->slot));
	for (i = 0; i < m->n; i++)
		*find(m, m->e[i].key) = (uint32_t)(i + 1);
}

bool map_put(struct map *m, uint64_t key, uint64_t val)
{
	uint64_t *old = map_get(m, key);

	if (old) {
		*old = val;
		return false;
	}
	if (m->n >= UINT32_MAX - 1)
		out_of_memory();
	if (m->n == m->cap)
		m->e = vec_grow(m->e, m->n, &m->cap, sizeof(*m->e));
	m->e[m->n++] = (struct map_entry){key, val};
	if (m->n * 2 > m->nslot)
		rehash(m); /* enters the new one, too */
	else
		*find(m, key) = (uint32_t)m->n;
	return true;
}
