/* SPDX-License-Identifier: MIT */
/*
 * arena.c -- bump allocation from zeroed chunks.
 *
 * Chunks double from 16 KiB to 1 MiB; a larger request gets its own.  What an
 * arena holds counts towards the memory limit.  Cost O(1) per allocation.
 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/io.h"

enum { ALIGN = 16, CHUNK_MIN = 16 << 10, CHUNK_MAX = 1 << 20 };

struct arena_chunk {
	struct arena_chunk *next;
	size_t used, cap; /* of mem */
	_Alignas(ALIGN) unsigned char mem[];
};

void arena_init(struct arena *a)
{
	*a = (struct arena){0};
}

void arena_release(struct arena *a)
{
	struct arena_chunk *c = a->head, *next;

	for (; c; c = next) {
		next = c->next;
		free(c);
	}
	limit_release(a->total);
	arena_init(a);
}

/* A chunk with room for n bytes; NULL when the system has none. */
static struct arena_chunk *add_chunk(struct arena *a, size_t n)
{
	size_t cap = a->total < CHUNK_MIN ? CHUNK_MIN : a->total;
	struct arena_chunk *c;

	if (cap > CHUNK_MAX)
		cap = CHUNK_MAX;
	if (cap < n)
		cap = n;
	c = calloc(1, sizeof(*c) + cap);
	if (!c)
		return NULL;
	c->cap = cap;
	/* A request of its own size must not hide the room in the head. */
	if (a->head && n == cap && a->head->cap - a->head->used > ALIGN) {
		c->next = a->head->next;
		a->head->next = c;
	} else {
		c->next = a->head;
		a->head = c;
	}
	a->total += cap;
	limit_charge(cap);
	return c;
}

static void *take(struct arena *a, size_t n)
{
	struct arena_chunk *c = a->head;
	void *p;

	if (n > LIMIT_ALLOC)
		return NULL;
	n = (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (!c || c->cap - c->used < n)
		c = add_chunk(a, n);
	if (!c)
		return NULL;
	p = c->mem + c->used;
	c->used += n;
	return p;
}

void *arena_alloc(struct arena *a, size_t n)
{
	void *p = take(a, n);

	if (!p)
		out_of_memory();
	return p;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
	size_t bytes;

	return arena_alloc(a, mul_size(n, size, &bytes) ? bytes : SIZE_MAX);
}

void *arena_try(struct arena *a, size_t n)
{
	return limit_memory_ok(n) ? take(a, n) : NULL;
}

void *arena_dup(struct arena *a, const void *p, size_t n)
{
	void *q = arena_alloc(a, n);

	if (n)
		memcpy(q, p, n);
	return q;
}

struct str arena_str(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.n + 1);

	if (s.n)
		memcpy(p, s.p, s.n);
	return (struct str){p, s.n};
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		BUG("bad format '%s'", fmt);
	p = arena_alloc(a, (size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}
