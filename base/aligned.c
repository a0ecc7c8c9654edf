/* SPDX-License-Identifier: MIT */
/*
 * aligned.c -- aligned blocks for payloads, and a store of freed ones.
 *
 * Fresh pages cost more than most operators spend on them (a fault and a
 * cleared page for every 4 KiB), so that large blocks are kept for the next
 * caller who will overwrite them anyway: by size, EIGHTHS lists per power of
 * two, KEEP_BYTES in all, none while a memory limit is in force.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "base/io_p.h"

enum { ALIGN = 64, KEEP_MIN = 4096, EIGHTHS = 8, CLASSES = 64 * EIGHTHS };
/* Blocks of a list looked at, and lists: at most twice what is asked for. */
enum { LOOK = 8, LISTS = EIGHTHS };
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#elif defined(__has_feature)
#define SANITIZED __has_feature(address_sanitizer)
#else
#define SANITIZED false
#endif
#define KEEP_BYTES ((size_t)256 << 20)

/* What sits right in front of a block. */
struct head {
	char *raw;
	size_t len;
	uint8_t *next; /* in its list */
};

static struct {
	pthread_mutex_t lock;
	bool off;
	size_t bytes;
	uint8_t *list[CLASSES];
} store = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct head *head_of(uint8_t *p)
{
	return (struct head *)(void *)(p - sizeof(struct head));
}

static uint8_t *place(char *raw, size_t len)
{
	uintptr_t p;

	if (!raw)
		return NULL;
	p = ((uintptr_t)raw + sizeof(struct head) + ALIGN - 1) &
	    ~(uintptr_t)(ALIGN - 1);
	*head_of((uint8_t *)p) = (struct head){.raw = raw, .len = len};
	return (uint8_t *)p;
}

/* The list for blocks of len bytes: its power of two and three more bits. */
static unsigned class_of(size_t len)
{
	unsigned e = 63u - (unsigned)__builtin_clzll(len);

	return e * EIGHTHS + (unsigned)((len >> (e - 3)) & (EIGHTHS - 1));
}

/* The first block of one list that is large enough. */
static uint8_t *take_from(unsigned k, size_t len)
{
	uint8_t **at = &store.list[k], *p;

	for (int i = 0; *at && i < LOOK; i++, at = &head_of(*at)->next) {
		p = *at;
		if (head_of(p)->len < len)
			continue;
		*at = head_of(p)->next;
		store.bytes -= head_of(p)->len;
		return p;
	}
	return NULL;
}

static uint8_t *take(size_t len)
{
	unsigned k = class_of(len), end = k + LISTS;
	uint8_t *p = NULL;

	pthread_mutex_lock(&store.lock);
	for (; store.bytes >= len && !p && k < end && k < CLASSES; k++)
		p = take_from(k, len);
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

/* Clearing a kept block costs less than the faults of a fresh one. */
uint8_t *aligned_calloc(size_t len)
{
	uint8_t *p = len >= KEEP_MIN ? take(len) : NULL;

	if (p)
		return memset(p, 0, len);
	if (len > LIMIT_ALLOC)
		return NULL;
	return place(calloc(1, len + ALIGN + sizeof(struct head)), len);
}

static bool keep(uint8_t *p)
{
	struct head *h = head_of(p);
	bool kept = false;

	/* A block that is used after its end would go unnoticed. */
	if (SANITIZED)
		return false;
	if (h->len < KEEP_MIN || h->len > KEEP_BYTES)
		return false;
	pthread_mutex_lock(&store.lock);
	if (!store.off && store.bytes + h->len <= KEEP_BYTES) {
		unsigned k = class_of(h->len);

		h->next = store.list[k];
		store.list[k] = p;
		store.bytes += h->len;
		kept = true;
	}
	pthread_mutex_unlock(&store.lock);
	return kept;
}

void aligned_free(uint8_t *p)
{
	if (p && !keep(p))
		free(head_of(p)->raw);
}

void aligned_keep(bool on)
{
	pthread_mutex_lock(&store.lock);
	store.off = !on;
	for (unsigned k = 0; store.off && k < CLASSES; k++)
		while (store.list[k]) {
			uint8_t *p = store.list[k];

			store.list[k] = head_of(p)->next;
			store.bytes -= head_of(p)->len;
			free(head_of(p)->raw);
		}
	pthread_mutex_unlock(&store.lock);
}
