/* SPDX-License-Identifier: MIT */
/*
 * replay.c -- run a fuzz target over files, damaged copies of them, or random
 * bytes.
 *
 *	replay [-k KEEP] [-n COUNT] [-t SECONDS] [-r SEED] [FILE...]
 *
 * Each file once and COUNT mutations of it, seeded by its position: the same
 * on every run.  With -t, further rounds of mutations until the time is up.
 * With -r, also random inputs, COUNT or as many as fit in the time.  KEEP gets
 * each input before it is run: after a crash, the one at fault.  An input that
 * takes more than HANG seconds aborts the run.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/rng.h"
#include "base/util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HANG = 60, RANDOM_MAX = 400 };

struct options {
	int keep; /* descriptor; -1: none */
	unsigned count;
	double end; /* clock; 0: no time is given */
	uint64_t random;
	bool has_random;
};

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

static void on_alarm(int sig)
{
	static const char text[] = "an input takes too long\n";

	(void)sig;
	if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
		_exit(1);
	abort();
}

static void run_input(const struct options *o, const uint8_t *p, size_t n)
{
	if (o->keep >= 0 &&
	    (ftruncate(o->keep, 0) || pwrite(o->keep, p, n, 0) < 0))
		perror("keep");
	alarm(HANG);
	LLVMFuzzerTestOneInput(p, n);
	alarm(0);
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

static void run_mutations(const struct options *o, const uint8_t *p, size_t n,
			  uint64_t seed, uint64_t round)
{
	struct rng r = rng_make(seed, round);

	for (unsigned i = 0; i < o->count; i++) {
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
		run_input(o, exact, size);
		free(exact);
	}
}

static void run_random(const struct options *o, uint64_t round)
{
	struct rng r = rng_make(o->random, round);

	for (unsigned i = 0; i < o->count; i++) {
		size_t n = 2 + (size_t)rng_below(&r, RANDOM_MAX);
		uint8_t *p = xmalloc(n);

		for (size_t k = 0; k < n; k++)
			p[k] = (uint8_t)rng_next(&r);
		run_input(o, p, n);
		free(p);
	}
}

static void run_round(const struct options *o, char **file, uint64_t round)
{
	for (unsigned i = 0; file[i]; i++) {
		size_t n;
		uint8_t *p = load(file[i], &n);

		if (round == 0)
			run_input(o, p, n);
		run_mutations(o, p, n, i + 1, round);
		free(p);
	}
	if (o->has_random)
		run_random(o, round);
}

int main(int argc, char **argv)
{
	struct options o = {.keep = -1};
	uint64_t round = 0;
	int c;

	while ((c = getopt(argc, argv, "k:n:t:r:")) != -1) {
		if (c == 'k')
			o.keep = open(optarg, O_RDWR | O_CREAT, 0666);
		else if (c == 'n')
			o.count = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 't')
			o.end = clock_seconds() + strtod(optarg, NULL);
		else if (c == 'r')
			o.random = strtoul(optarg, NULL, 10);
		else
			return 2;
		o.has_random |= c == 'r';
	}
	if (o.end > 0 && o.count == 0)
		o.count = 100;
	signal(SIGALRM, on_alarm);
	do
		run_round(&o, argv + optind, round++);
	while (o.end > 0 && clock_seconds() < o.end);
	return 0;
}
