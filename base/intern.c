/* SPDX-License-Identifier: MIT */
/*
 * intern.c -- strings as ids: an open-addressing table over an arena.
 *
 * Ids count up from 1 in order of first sight.  Cost O(length) per look-up.
 */
#include "base/intern.h"

#include <stdlib.h>
#include <string.h>
#include "base/arena.h"
#include "base/hash.h"
#include "base/vec.h"

struct entry {
	struct str s; /* NUL-terminated besides */
	uint64_t hash;
};

struct intern {
	struct arena arena;
	VEC(struct entry) e; /* e.p[id - 1] */
	sym *slot;           /* 0: empty; nslot is a power of two */
	size_t nslot;
};

struct intern *intern_create(void)
{
	struct intern *t = xcalloc(1, sizeof(*t));

	arena_init(&t->arena);
	t->nslot = 256;
	t->slot = xcalloc(t->nslot, sizeof(*t->slot));
	return t;
}

void intern_free(struct intern *t)
{
	if (!t)
		return;
	arena_release(&t->arena);
	vec_release(&t->e);
	free(t->slot);
	free(t);
}

/* The slot that holds s, or the empty one where it belongs. */
static sym *find(const struct intern *t, struct str s, uint64_t hash)
{
	size_t i = hash & (t->nslot - 1);
	const struct entry *e;

	for (; t->slot[i]; i = (i + 1) & (t->nslot - 1)) {
		e = &t->e.p[t->slot[i] - 1];
		if (e->hash == hash && str_eq(e->s, s))
			break;
	}
	return &t->slot[i];
}

static void rehash(struct intern *t)
{
	size_t i, j;

	free(t->slot);
	t->nslot *= 2;
	t->slot = xcalloc(t->nslot, sizeof(*t->slot));
	for (i = 0; i < t->e.n; i++) {
		j = t->e.p[i].hash & (t->nslot - 1);
		while (t->slot[j])
			j = (j + 1) & (t->nslot - 1);
		t->slot[j] = (sym)(i + 1);
	}
}

sym intern_str(struct intern *t, struct str s)
{
	uint64_t hash = hash_bytes(s.p, s.n);
	sym *slot = find(t, s, hash);
	struct entry e;

	if (*slot)
		return *slot;
	if (t->e.n >= UINT32_MAX - 1)
		out_of_memory();
	e = (struct entry){arena_str(&t->arena, s), hash};
	vec_push(&t->e, e);
	*slot = (sym)t->e.n;
	if (t->e.n * 2 > t->nslot)
		rehash(t);
	return (sym)t->e.n;
}

sym intern_cstr(struct intern *t, const char *s)
{
	return intern_str(t, (struct str){s, strlen(s)});
}

sym intern_find(const struct intern *t, struct str s)
{
	return *find(t, s, hash_bytes(s.p, s.n));
}

sym intern_count(const struct intern *t)
{
	return (sym)t->e.n;
}

struct str intern_get(const struct intern *t, sym s)
{
	if (s > t->e.n)
		BUG("no symbol %u", s);
	return s ? t->e.p[s - 1].s : (struct str){NULL, 0};
}

const char *intern_text(const struct intern *t, sym s)
{
	return s ? intern_get(t, s).p : "";
}
