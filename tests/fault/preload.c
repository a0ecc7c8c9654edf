/* SPDX-License-Identifier: MIT */
/*
 * preload.c -- faults inside a process: loaded before the C library.
 *
 *	FAULT_ALLOC=K    allocation number K after start-up fails
 *	FAULT_EVER=1     and all after it
 *	FAULT_COUNT=1    the number of allocations goes to standard error
 *	FAULT_SHORT=1    writes are short, and every third is interrupted
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);
extern void *__libc_memalign(size_t align, size_t n);

static unsigned long count, fatal;
static int ever, running, report, shorten;

static int fails(void)
{
	unsigned long k;

	if (!running)
		return 0;
	k = __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);
	if (k == fatal || (ever && fatal && k > fatal)) {
		errno = ENOMEM;
		return 1;
	}
	return 0;
}

void *malloc(size_t n)
{
	return fails() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	return fails() ? NULL : __libc_realloc(p, n);
}

void *aligned_alloc(size_t align, size_t n)
{
	return fails() ? NULL : __libc_memalign(align, n);
}

int posix_memalign(void **p, size_t align, size_t n)
{
	if (fails())
		return ENOMEM;
	*p = __libc_memalign(align, n);
	return *p ? 0 : ENOMEM;
}

ssize_t write(int fd, const void *p, size_t n)
{
	static ssize_t (*next)(int, const void *, size_t);
	static unsigned calls;

	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "write");
	if (shorten && fd > 2) {
		if (++calls % 3 == 0) {
			errno = EINTR;
			return -1;
		}
		n = n > 4099 ? 4099 : n > 1 ? n / 2 : n;
	}
	return next(fd, p, n);
}

/* Constructors of the libraries ran before this one. */
__attribute__((constructor)) static void start(void)
{
	const char *k = getenv("FAULT_ALLOC");

	fatal = k ? strtoul(k, NULL, 10) : 0;
	ever = getenv("FAULT_EVER") != NULL;
	report = getenv("FAULT_COUNT") != NULL;
	shorten = getenv("FAULT_SHORT") != NULL;
	running = 1;
}

__attribute__((destructor)) static void stop(void)
{
	char text[32];

	running = 0;
	if (report && snprintf(text, sizeof(text), "%lu\n", count) > 0 &&
	    write(2, text, strlen(text)) < 0)
		_exit(1);
}
