/* SPDX-License-Identifier: MIT */
/*
 * blob.c -- reference-counted payloads and the process-wide limits.
 *
 * Heap payloads come from calloc, which hands out large blocks as untouched
 * pages: a zeroed payload costs nothing until it is written.
 */
#include "base/clock.h"
#include "base/io.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/io_p.h"

enum { SMALL = 16 << 20 };

static size_t memory_used; /* atomic */
static size_t memory_max;
static double deadline; /* CLOCK_MONOTONIC seconds; 0: none */

void limit_set(size_t max_memory, double seconds)
{
	memory_max = max_memory;
	deadline = seconds > 0 ? clock_seconds() + seconds : 0;
	aligned_keep(max_memory == 0);
}

bool limit_memory_ok(size_t more)
{
	size_t sum;

	return add_size(limit_memory_used(), more, &sum) &&
	       (memory_max == 0 || sum <= memory_max);
}

bool limit_time_ok(void)
{
	return deadline <= 0 || clock_seconds() < deadline;
}

size_t limit_memory_used(void)
{
	return __atomic_load_n(&memory_used, __ATOMIC_RELAXED);
}

void limit_charge(size_t bytes)
{
	__atomic_fetch_add(&memory_used, bytes, __ATOMIC_RELAXED);
}

void limit_release(size_t bytes)
{
	__atomic_fetch_sub(&memory_used, bytes, __ATOMIC_RELAXED);
}

/*
 * What the limit forbids or the system cannot give is refused, so that a
 * caller may do without.  Where not even SMALL bytes are left, nothing will
 * go on sensibly.
 */
static uint8_t *payload(struct diag *d, size_t len, bool dirty)
{
	bool allowed = limit_memory_ok(len);
	uint8_t *p = NULL;

	if (allowed)
		p = dirty ? aligned_dirty(len) : aligned_calloc(len);
	if (!p && allowed && len <= SMALL)
		out_of_memory();
	if (!p) {
		diag_error(d, NULL, E_memory,
			   "%zu bytes are needed, %zu are in use", len,
			   limit_memory_used());
		return NULL;
	}
	limit_charge(len);
	return p;
}

static struct blob *heap_blob(uint8_t *p, size_t len)
{
	struct blob *b;

	if (!p)
		return NULL;
	b = xcalloc(1, sizeof(*b));
	*b = (struct blob){.kind = BLOB_HEAP, .nref = 1, .p = p, .len = len};
	return b;
}

struct blob *blob_alloc(struct diag *d, size_t len)
{
	return heap_blob(payload(d, len, false), len);
}

struct blob *blob_alloc_dirty(struct diag *d, size_t len)
{
	return heap_blob(payload(d, len, true), len);
}

struct blob *blob_splat(const void *p, size_t elem, size_t len)
{
	struct blob *b = xcalloc(1, sizeof(*b));

	if (elem == 0 && len)
		BUG("a splat of nothing");
	*b = (struct blob){.kind = BLOB_SPLAT,
			   .nref = 1,
			   .elem = elem,
			   .len = len,
			   .p = xmalloc(elem)};
	if (elem)
		memcpy(b->p, p, elem);
	return b;
}

struct blob *blob_map(uint8_t *p, size_t len)
{
	struct blob *b = xcalloc(1, sizeof(*b));

	*b = (struct blob){.kind = BLOB_MAP, .nref = 1, .p = p, .len = len};
	return b;
}

void blob_forget(const struct blob *b, const void *p, size_t n)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t from = ((uintptr_t)p + page - 1) / page * page;
	uintptr_t to = ((uintptr_t)p + n) / page * page;

	if (b->kind == BLOB_MAP && to > from)
		madvise((void *)from, to - from, MADV_DONTNEED);
}

struct blob *blob_ref(struct blob *b)
{
	__atomic_fetch_add(&b->nref, 1, __ATOMIC_RELAXED);
	return b;
}

void blob_unref(struct blob *b)
{
	if (!b || __atomic_fetch_sub(&b->nref, 1, __ATOMIC_ACQ_REL) != 1)
		return;
	switch (b->kind) {
	case BLOB_MAP:
		if (b->len)
			munmap(b->p, b->len);
		break;
	case BLOB_HEAP:
		aligned_free(b->p);
		limit_release(b->len);
		break;
	case BLOB_SPLAT:
		free(b->p);
		if (b->flat)
			limit_release(b->len);
		aligned_free(b->flat);
		break;
	}
	free(b);
}

/* Repeat the first elem bytes of p up to len, doubling. */
static void spread(uint8_t *p, size_t elem, size_t len)
{
	size_t have = elem, n;

	while (have < len) {
		n = have < len - have ? have : len - have;
		memcpy(p + have, p, n);
		have += n;
	}
}

static bool all_zero(const uint8_t *p, size_t n)
{
	while (n && p[n - 1] == 0)
		n--;
	return n == 0;
}

static uint8_t *flatten(struct diag *d, const struct blob *b)
{
	uint8_t *p = payload(d, b->len, false);

	if (!p || all_zero(b->p, b->elem))
		return p;
	memcpy(p, b->p, b->elem < b->len ? b->elem : b->len);
	spread(p, b->elem, b->len);
	return p;
}

const uint8_t *blob_bytes(struct diag *d, struct blob *b)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	uint8_t *p;

	if (b->kind != BLOB_SPLAT)
		return b->p;
	p = __atomic_load_n(&b->flat, __ATOMIC_ACQUIRE);
	if (p)
		return p;
	pthread_mutex_lock(&lock);
	if (!b->flat)
		__atomic_store_n(&b->flat, flatten(d, b), __ATOMIC_RELEASE);
	p = b->flat;
	pthread_mutex_unlock(&lock);
	return p;
}
