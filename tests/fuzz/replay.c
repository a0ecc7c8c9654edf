/* SPDX-License-Identifier: MIT */
/*
 * replay.c -- run a fuzz target over files, or over damaged copies of them.
 *
 *	replay FILE...          each file once
 *	replay -n COUNT FILE... each file and COUNT mutations of it, seeded by
 *	                        its position: the same on every run
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/rng.h"
#include "base/util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t *load(const char *path, size_t *size)
{
	FILE *f = fopen(path, "rb");
	uint8_t *p;
	long n;

	if (!f || fseek(f, 0, SEEK_END) || (n = ftell(f)) < 0) {
		perror(path);
		exit(1);
	}
	rewind(f);
	p = xmalloc((size_t)n + 1);
	*size = fread(p, 1, (size_t)n, f);
	fclose(f);
	return p;
}

/* Flip, overwrite, drop, double or cut bytes; returns the new size. */
static size_t mutate(uint8_t *p, size_t n, struct rng *r)
{
	const size_t at = (size_t)rng_below(r, n);
	const size_t len = (size_t)rng_below(r, n - at < 16 ? n - at : 16);

	switch (rng_below(r, 6)) {
	case 0:
		p[at] ^= (uint8_t)(1u << rng_below(r, 8));
		return n;
	case 1:
		p[at] = (uint8_t)rng_next(r);
		return n;
	case 2:
		memmove(p + at, p + at + len, n - at - len);
		return n - len;
	case 3:
		memmove(p + at + len, p + at, n - at);
		return n + len;
	case 4:
		memset(p + at, rng_below(r, 2) ? 0xff : 0, len);
		return n;
	default:
		return at;
	}
}

static void run_mutations(const uint8_t *p, size_t n, uint64_t seed,
			  unsigned count)
{
	struct rng r = rng_make(seed, 0);

	for (unsigned i = 0; i < count; i++) {
		const unsigned steps = 1 + (unsigned)rng_below(&r, 4);
		size_t size = n;
		uint8_t *copy = xmalloc(n + 64), *exact;

		memcpy(copy, p, n);
		for (unsigned k = 0; k < steps && size; k++)
			size = mutate(copy, size, &r);
		/* The exact size lets a sanitizer see one byte too many. */
		exact = xmalloc(size ? size : 1);
		memcpy(exact, copy, size);
		free(copy);
		LLVMFuzzerTestOneInput(exact, size);
		free(exact);
	}
}

int main(int argc, char **argv)
{
	unsigned count = 0;
	int i = 1;

	if (argc > 2 && !strcmp(argv[1], "-n")) {
		count = (unsigned)strtoul(argv[2], NULL, 10);
		i = 3;
	}
	for (; i < argc; i++) {
		size_t n;
		uint8_t *p = load(argv[i], &n);

		LLVMFuzzerTestOneInput(p, n);
		run_mutations(p, n, (uint64_t)i, count);
		free(p);
	}
	return 0;
}
