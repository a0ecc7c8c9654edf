/* SPDX-License-Identifier: MIT */
/*
 * util.h -- checked arithmetic, counted strings, small-allocation helpers.
 *
 * Small allocations die on failure (exit 5); allocations whose size comes
 * from a file go through blob_alloc() or arena_try(), which can refuse.
 */
#ifndef BASE_UTIL_H
#define BASE_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define countof(a) (sizeof(a) / sizeof((a)[0]))

/* Report a bug of pare itself and exit with 70.  Never for input errors. */
#define BUG(...) bug(__FILE__, __LINE__, __VA_ARGS__)
_Noreturn void bug(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* What a function that can fail on its input returns; also exit codes. */
enum status {
	OK = 0,
	NO = 1, /* the answer is no: differs, check failed, over budget */
	USAGE = 2,
	BAD_MODEL = 3,
	BAD_IO = 4,
	LIMIT = 5, /* memory, time or size */
	INTERNAL = 70,
};

/* A counted string: any bytes, not NUL-terminated; p may be NULL if n is 0. */
struct str {
	const char *p;
	size_t n;
};

static inline bool add_size(size_t a, size_t b, size_t *r)
{
	return !__builtin_add_overflow(a, b, r);
}

static inline bool mul_size(size_t a, size_t b, size_t *r)
{
	return !__builtin_mul_overflow(a, b, r);
}

static inline bool add_i64(int64_t a, int64_t b, int64_t *r)
{
	return !__builtin_add_overflow(a, b, r);
}

static inline bool sub_i64(int64_t a, int64_t b, int64_t *r)
{
	return !__builtin_sub_overflow(a, b, r);
}

static inline bool mul_i64(int64_t a, int64_t b, int64_t *r)
{
	return !__builtin_mul_overflow(a, b, r);
}

_Noreturn void out_of_memory(void);   /* says so and exits with LIMIT */
void *xmalloc(size_t n);              /* exits with LIMIT when out of memory */
void *xcalloc(size_t n, size_t size); /* zeroed; overflow is out of memory */
void *xrealloc(void *p, size_t n);
char *xstrdup(const char *s);

bool str_eq(struct str a, struct str b);
bool str_is(struct str a, const char *cstr);
int str_cmp(struct str a, struct str b); /* bytewise, like memcmp */

#endif
