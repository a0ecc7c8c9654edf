/* SPDX-License-Identifier: MIT */
/*
 * intern.h -- strings as 32-bit ids.
 *
 * Lengths are kept, so names may hold any bytes, NUL included.  The hash is
 * seeded per process against crafted collisions; ids do not depend on it.
 */
#ifndef BASE_INTERN_H
#define BASE_INTERN_H

#include "base/util.h"

typedef uint32_t sym; /* 0: no string; the empty string has an id of its own */

struct intern;

struct intern *intern_create(void);
void intern_free(struct intern *t);
sym intern_str(struct intern *t, struct str s);
sym intern_cstr(struct intern *t, const char *s);
/* The id of a string already interned, else 0. */
sym intern_find(const struct intern *t, struct str s);
/* Strings so far: their ids are 1 to this. */
sym intern_count(const struct intern *t);
struct str intern_get(const struct intern *t, sym s); /* {NULL,0} for 0 */
/* NUL-terminated view; embedded NULs cut it short: for printing only. */
const char *intern_text(const struct intern *t, sym s); /* "" for 0 */

#endif
