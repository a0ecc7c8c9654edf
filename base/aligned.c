/* SPDX-License-Identifier: MIT */
/*
 * aligned.c -- aligned blocks for payloads, and a store of freed ones.
 *
 * Fresh pages cost more than most operators spend on them (a fault and a
 * cleared page for every 4 KiB), so that large blocks are kept for the next
 * caller who will overwrite them anyway.  At most KEEP blocks and KEEP_BYTES
 * are kept, none while a memory limit is in force.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "base/io_p.h"

enum { ALIGN = 64, KEEP = 64, KEEP_MIN = 4096 };
#define KEEP_BYTES ((size_t)256 << 20)

/* What sits right in front of a block. */
struct head {
	char *raw;
	size_t len;
};

static struct {
	pthread_mutex_t lock;
	bool off;
	size_t n, bytes;
	uint8_t *block[KEEP];
} store = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct head head_of(const uint8_t *p)
{
	struct head h;

	memcpy(&h, p - sizeof(h), sizeof(h));
	return h;
}

static uint8_t *place(char *raw, size_t len)
{
	struct head h = {raw, len};
	uintptr_t p;

	if (!raw)
		return NULL;
	p = ((uintptr_t)raw + sizeof(h) + ALIGN - 1) & ~(uintptr_t)(ALIGN - 1);
	memcpy((char *)p - sizeof(h), &h, sizeof(h));
	return (uint8_t *)p;
}

uint8_t *aligned_calloc(size_t len)
{
	if (len > LIMIT_ALLOC)
		return NULL;
	return place(calloc(1, len + ALIGN + sizeof(struct head)), len);
}

/* The smallest kept block that is large enough, but not out of proportion. */
static uint8_t *take(size_t len)
{
	size_t best = KEEP;
	uint8_t *p = NULL;

	pthread_mutex_lock(&store.lock);
	for (size_t i = 0; i < store.n; i++) {
		size_t have = head_of(store.block[i]).len;

		if (have >= len && have / 2 <= len &&
		    (best == KEEP || have < head_of(store.block[best]).len))
			best = i;
	}
	if (best < KEEP) {
		p = store.block[best];
		store.block[best] = store.block[--store.n];
		store.bytes -= head_of(p).len;
	}
	pthread_mutex_unlock(&store.lock);
	return p;
}

uint8_t *aligned_dirty(size_t len)
{
	uint8_t *p = len >= KEEP_MIN ? take(len) : NULL;

	if (p || len > LIMIT_ALLOC)
		return p;
	return place(malloc(len + ALIGN + sizeof(struct head)), len);
}

static bool keep(uint8_t *p, size_t len)
{
	bool kept = false;

	/* A block that is used after its end would go unnoticed. */
#if defined(__SANITIZE_ADDRESS__)
	return false;
#endif
	if (len < KEEP_MIN || len > KEEP_BYTES)
		return false;
	pthread_mutex_lock(&store.lock);
	if (!store.off && store.n < KEEP && store.bytes + len <= KEEP_BYTES) {
		store.block[store.n++] = p;
		store.bytes += len;
		kept = true;
	}
	pthread_mutex_unlock(&store.lock);
	return kept;
}

void aligned_free(uint8_t *p)
{
	struct head h;

	if (!p)
		return;
	h = head_of(p);
	if (!keep(p, h.len))
		free(h.raw);
}

void aligned_keep(bool on)
{
	pthread_mutex_lock(&store.lock);
	store.off = !on;
	while (store.off && store.n > 0)
		free(head_of(store.block[--store.n]).raw);
	if (store.off)
		store.bytes = 0;
	pthread_mutex_unlock(&store.lock);
}
